/** File systems of the model: general-purpose NAS over NFS. */
import type { Resource, State } from "./state";

export interface FileSystem extends Resource {
    readonly zoneId: string;
    readonly storageType: "Capacity" | "Performance" | "Premium";
    /** 0 none, 1 with a key of the service's own, 2 with one of the account's. */
    readonly encryptType: number;
    readonly kmsKeyId: string;
    nfsAcl: boolean;
    recycleBin: { readonly enabled: boolean; readonly reservedDays: number; readonly enabledAt: string };
}

/** Its id is `<region>/<name>`. */
export interface AccessGroup extends Resource {
    rules: AccessRule[];
}

export interface AccessRule {
    readonly id: string;
    /** An address or a range. */
    source: string;
    write: boolean;
    squash: "none" | "root" | "all";
    /** 1 to 100; of the rules that fit, the one with the lowest number counts. */
    priority: number;
}

/** Its id is the name under which it is mounted. */
export interface MountTarget {
    readonly id: string;
    readonly fileSystemId: string;
    readonly regionId: string;
    readonly vpcId: string;
    readonly vswitchId: string;
    /** Of the VSwitch. */
    readonly address: string;
    accessGroupName: string;
    active: boolean;
}

/** The group that every account has, which lets the whole VPC in. */
export const DEFAULT_ACCESS_GROUP = "DEFAULT_VPC_GROUP_NAME";

/** The rules of that group. */
export const defaultAccessRules: readonly AccessRule[] = [
    { id: "1", source: "0.0.0.0/0", write: true, squash: "none", priority: 1 },
];

export function accessGroupId(regionId: string, name: string): string {
    return `${regionId}/${name}`;
}

/** Who a mount target lets in: the rule that counts for an address is the first that fits. */
export function rulesOf(state: State, { regionId, accessGroupName }: MountTarget): readonly AccessRule[] {
    if (accessGroupName === DEFAULT_ACCESS_GROUP) return defaultAccessRules;
    const rules = state.accessGroups[accessGroupId(regionId, accessGroupName)]?.rules ?? [];
    return [...rules].sort((one, other) => one.priority - other.priority);
}
