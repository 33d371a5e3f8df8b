import type { Resource } from "./state";

/** A zone of PrivateZone: names that only its VPCs know. It belongs to no region. */
export interface PrivateZone extends Resource {
    /** Whether names that it doesn't have are asked of the internet's resolvers (`RECORD`) or don't exist (`ZONE`). */
    proxyPattern: "ZONE" | "RECORD";
    vpcs: { readonly id: string; readonly regionId: string }[];
    records: PrivateRecord[];
    /** Whether hosts' names come into the zone by themselves; kept and answered, and nothing more. */
    hostSync?: { readonly status: "ON" | "OFF"; readonly regions: readonly HostSyncRegions[] };
}

export interface HostSyncRegions {
    readonly userId: string;
    readonly regionIds: readonly string[];
}

export const recordTypes = ["A", "AAAA", "CNAME", "TXT", "MX", "PTR", "SRV"] as const;
export type RecordType = (typeof recordTypes)[number];

export interface PrivateRecord {
    readonly id: number;
    /** Name within the zone; `@` is the zone itself, `*` every name without records of its own. */
    rr: string;
    type: RecordType;
    value: string;
    /** In seconds. */
    ttl: number;
    /** Of an MX record. */
    priority: number;
    remark: string;
    status: "ENABLE" | "DISABLE";
}
