export type {
    GlusterStorageArgs,
    NasStorageArgs,
    NfsStorageArgs,
    SharedStorageArgs,
    StorageEngine,
    StorageMountArgs,
    StorageOwner,
} from "./args";
export { glusterPorts, nfsPorts } from "./settings";
export type { StorageVolumeResult } from "./glusterfs";
export { SharedStorage } from "./sharedStorage";
