import type { ListenerArgs, LoadBalancerArgs } from "./args";

export type BalancerType = LoadBalancerArgs["type"];
export type Protocol = ListenerArgs["protocol"];

/** What the cloud's product behind a type can do. */
export interface BalancerTypeLimits {
    readonly type: BalancerType;
    readonly protocols: readonly Protocol[];
    readonly schedulers: readonly NonNullable<ListenerArgs["scheduler"]>[];
    /** What the cloud takes in one request about a balancer's servers. */
    readonly maxHosts: number;
    /** Quota of a balancer. */
    readonly maxListeners: number;
    /** Whether it stands in one VSwitch if it is within a VPC, or in VSwitches of several zones whatever its address. */
    readonly placement: "vswitch" | "zones";
}

export const balancerTypes: Readonly<Record<BalancerType, BalancerTypeLimits>> = {
    clb: {
        type: "clb",
        protocols: ["tcp", "udp", "http", "https"],
        schedulers: ["wrr", "wlc", "rr", "sch"],
        maxHosts: 20,
        maxListeners: 50,
        placement: "vswitch",
    },
};
