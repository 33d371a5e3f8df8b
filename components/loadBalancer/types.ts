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
    /** Seconds between two checks: the least, which is the default unless that is 2. */
    readonly minCheckInterval: number;
    /** Whether checks by datagrams may say something and expect an answer. */
    readonly datagramTexts: boolean;
    /** Whether it takes certificates with RSA keys only, and these keys in PKCS#1 only. */
    readonly rsaOnly: boolean;
}

export const balancerTypes: Readonly<Record<BalancerType, BalancerTypeLimits>> = {
    clb: {
        type: "clb",
        protocols: ["tcp", "udp", "http", "https"],
        schedulers: ["wrr", "wlc", "rr", "sch"],
        maxHosts: 20,
        maxListeners: 50,
        placement: "vswitch",
        minCheckInterval: 1,
        datagramTexts: false,
        rsaOnly: true,
    },
    alb: {
        type: "alb",
        protocols: ["http", "https"],
        schedulers: ["wrr", "wlc"],
        maxHosts: 200,
        maxListeners: 50,
        placement: "zones",
        minCheckInterval: 1,
        datagramTexts: false,
        rsaOnly: false,
    },
    nlb: {
        type: "nlb",
        protocols: ["tcp", "udp", "tls"],
        schedulers: ["wrr", "wlc", "rr", "sch"],
        maxHosts: 200,
        maxListeners: 50,
        placement: "zones",
        minCheckInterval: 5,
        datagramTexts: true,
        rsaOnly: false,
    },
};
