export { type SharedStorageArgs, type StorageEngine, type StorageOwner } from "./args";
export { glusterPorts } from "./settings";
export { SharedStorage, type StorageVolumeResult } from "./sharedStorage";
