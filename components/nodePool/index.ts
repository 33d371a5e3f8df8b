export type {
    AdoptedInstance,
    DataDiskArgs,
    ExistingKeyPair,
    JumpHost,
    NodePoolArgs,
    RebuildReason,
    SystemDiskArgs,
} from "./args";
export { NodePool } from "./nodePool";
