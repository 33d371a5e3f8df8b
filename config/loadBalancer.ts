/** `loadBalancer`: the balancer in front of the web servers. */
import * as pulumi from "@pulumi/pulumi";

import type { LoadBalancer, LoadBalancerArgs, Network, NodePool, WebTier } from "../components";
import type { HealthCheckArgs, ListenerArgs } from "../components/loadBalancer";
import { healthCheckMethods } from "../components/loadBalancer/settings";
import { balancerTypes } from "../components/loadBalancer/types";
import { dnsNameProblem } from "../components/problems";
import type { StackConfig } from "../config";
import { checkCertificate } from "./certificate";
import { type DnsConfig, dnsNames } from "./dns";
import { keysOf } from "./keys";
import { type NetworkConfig, vswitchCount } from "./network";
import type { Reader } from "./reader";
import type { WebConfig } from "./web";

export interface LoadBalancerConfig {
    /** @default whether there are web servers */
    readonly enabled: boolean;
    /** The cloud's product. @default "clb" */
    readonly type: LoadBalancerArgs["type"];
    /** @default "intranet" */
    readonly address: "internet" | "intranet";
    /**
     * In how many of the network's zones an `alb` or `nlb` stands, from the first. An `alb` stays in those that it was made in.
     * @default all of them
     */
    readonly zones?: number;
    /**
     * Whether it serves HTTPS on port 443 and redirects port 80 to it, instead of serving HTTP on port 80. An `nlb` passes on what it
     * does not read, and serves HTTP only.
     * @default true, and false with the type `nlb`
     */
    readonly https: boolean;
    /** DNS names that a generated certificate is valid for, besides the one that `dns` gives it. @default [] */
    readonly names: readonly string[];
    /** With an RSA key for a `clb`. @default generated */
    readonly certificate?: { readonly certificate: string; readonly privateKey: pulumi.Output<string> };
    /** How it asks for the web servers' health path. @default "HEAD" */
    readonly healthCheckMethod: NonNullable<HealthCheckArgs["method"]>;
    /** Ranges that may connect. @default everybody who can reach the address */
    readonly allow?: readonly string[];
    /** Shares of the traffic by the name of the host. @default equal */
    readonly weights: Readonly<Record<string, number>>;
    /** @default 30 */
    readonly drainSeconds: number;
    /** @default false */
    readonly deletionProtection: boolean;
}

export const loadBalancerKeys = [
    "enabled",
    "type",
    "address",
    "zones",
    "https",
    "names",
    "certificate",
    "privateKey",
    "healthCheckMethod",
    "allow",
    "weights",
    "drainSeconds",
    "deletionProtection",
] as const;

export function readLoadBalancer(reader: Reader, web: WebConfig, dns: DnsConfig): LoadBalancerConfig {
    const { problems } = reader;
    const section = reader.section("loadBalancer");
    const enabled = reader.boolean(section, "loadBalancer.enabled", web.enabled);
    if (enabled && !web.enabled) {
        problems.add("loadBalancer.enabled", "there are no web servers to balance: set web.enabled, or leave it out.");
    }
    const address = reader.text(section, "loadBalancer.address") ?? "intranet";
    if (address !== "internet" && address !== "intranet") {
        problems.add("loadBalancer.address", `"${address}" is neither internet nor intranet.`);
    }
    const type = readType(reader);
    const https = reader.boolean(section, "loadBalancer.https", type !== "nlb");
    if (https && type === "nlb") {
        problems.add(
            "loadBalancer.https",
            "goes with the types clb and alb, since an nlb serves HTTP only: leave it out.",
        );
    }
    const names = readNames(reader);
    const allow = section?.["allow"] === undefined ? undefined : reader.cidrs(section["allow"], "loadBalancer.allow");
    if (allow?.length === 0) {
        problems.add("loadBalancer.allow", "names nobody: name the ranges that may connect, or leave it out.");
    }
    reader.once("loadBalancer.allow", allow ?? []);
    const certificate = readCertificate(reader, enabled, type, https, names);
    const { maxHosts } = balancerTypes[type];
    if (enabled && web.count > maxHosts) {
        problems.add(
            "web.count",
            `${web.count} hosts are too many for a balancer of the type ${type}, which takes ${maxHosts}: have fewer, or set loadBalancer.type.`,
        );
    }
    const zones =
        section?.["zones"] === undefined ? undefined : reader.integer(section, "loadBalancer.zones", 2, 2, 16);
    if (zones !== undefined && type === "clb") {
        problems.add(
            "loadBalancer.zones",
            "goes with the types alb and nlb, since a clb has one address: leave it out.",
        );
    }
    return {
        enabled,
        type,
        address: address === "internet" ? "internet" : "intranet",
        ...(zones !== undefined && { zones }),
        https,
        // Within the VPC the web servers' name is the balancer's.
        names: [...names, ...(address === "intranet" ? dnsNames(dns, "web") : [])],
        ...(certificate !== undefined && { certificate }),
        healthCheckMethod: readHealthCheckMethod(reader),
        ...(allow !== undefined && { allow }),
        weights: readWeights(reader, web),
        drainSeconds: reader.integer(section, "loadBalancer.drainSeconds", 30, 0, 900),
        deletionProtection: reader.boolean(section, "loadBalancer.deletionProtection", false),
    };
}

/** A balancer of zones needs two of them, and stands in none that the network hasn't got. */
export function checkBalancerZones({ problems }: Reader, config: LoadBalancerConfig, network: NetworkConfig): void {
    const { enabled, type, zones = 0 } = config;
    if (!enabled || balancerTypes[type].placement !== "zones") return;
    const path = network.vswitchIds === undefined ? "network.zones" : "network.vswitchIds";
    const count = vswitchCount(network);
    if (count < 2) {
        problems.add(
            path,
            `a balancer of the type ${type} stands in two zones at least: name another one, or set loadBalancer.type to clb.`,
        );
    } else if (zones > count) {
        problems.add(
            "loadBalancer.zones",
            `${zones} are more than the ${count} of ${path}: name more there, or leave it out for all of them.`,
        );
    }
}

/** How many addresses a balancer takes in a VSwitch, counted from 1, at least; the cloud recommends to leave an `alb` eight. */
export function balancerAddresses({ enabled, type, address, zones }: LoadBalancerConfig, vswitch: number): number {
    if (!enabled) return 0;
    if (type === "clb") return address === "intranet" && vswitch === 1 ? 1 : 0;
    if (zones !== undefined && vswitch > zones) return 0;
    return type === "alb" ? 3 : 1;
}

function readType(reader: Reader): LoadBalancerConfig["type"] {
    const type = reader.text(reader.section("loadBalancer"), "loadBalancer.type") ?? "clb";
    if (type === "clb" || type === "alb" || type === "nlb") return type;
    reader.problems.add("loadBalancer.type", `"${type}" is none of clb, alb and nlb.`);
    return "clb";
}

function readHealthCheckMethod(reader: Reader): LoadBalancerConfig["healthCheckMethod"] {
    const path = "loadBalancer.healthCheckMethod";
    const given = reader.text(reader.section("loadBalancer"), path) ?? "HEAD";
    const method = healthCheckMethods.find((one) => one === given);
    if (method === undefined) reader.problems.add(path, `"${given}" is none of ${healthCheckMethods.join(", ")}.`);
    return method ?? "HEAD";
}

function readNames(reader: Reader): string[] {
    const path = "loadBalancer.names";
    const names = reader.texts(reader.section("loadBalancer"), path, 0);
    names.forEach((name, index) => {
        // Whoever verifies a certificate takes capital letters for small ones, and a first label of * for any.
        const problem = dnsNameProblem(name.toLowerCase().replace(/^\*\./, ""));
        if (problem !== undefined) reader.problems.add(`${path}[${index}]`, problem);
    });
    return names;
}

function readCertificate(
    reader: Reader,
    enabled: boolean,
    type: LoadBalancerConfig["type"],
    https: boolean,
    names: readonly string[],
): LoadBalancerConfig["certificate"] {
    const { problems } = reader;
    const section = reader.section("loadBalancer");
    const certificate = reader.text(section, "loadBalancer.certificate");
    const privateKey = reader.text(section, "loadBalancer.privateKey");
    if ((certificate === undefined) !== (privateKey === undefined)) {
        problems.add("loadBalancer.privateKey", "goes with loadBalancer.certificate: set both or none.");
    }
    if (privateKey !== undefined && !reader.isSecret("loadBalancer")) {
        problems.add(
            "loadBalancer.privateKey",
            "stands in the stack's file as plain text: make another key and set it with `pulumi config set --secret --path loadBalancer.privateKey`.",
        );
    }
    for (const [path, isSet] of [
        ["loadBalancer.certificate", certificate !== undefined],
        ["loadBalancer.names", names.length > 0],
    ] as const) {
        if (isSet && !https) problems.add(path, "is of no use without HTTPS: leave it out, or set loadBalancer.https.");
    }
    if (certificate !== undefined && names.length > 0) {
        problems.add("loadBalancer.names", "are those of a generated certificate: leave them or the certificate out.");
    }
    if (certificate === undefined || privateKey === undefined) return undefined;
    if (enabled) checkCertificate(problems, "loadBalancer", certificate, privateKey, balancerTypes[type]);
    return { certificate, privateKey: pulumi.secret(privateKey) };
}

function readWeights(reader: Reader, { count }: WebConfig): Record<string, number> {
    const names = Array.from({ length: count }, (_, index) => `web-${index + 1}`);
    const value = reader.section("loadBalancer")?.["weights"] ?? {};
    const entries = typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : [["", value]];
    const weights: Record<string, number> = {};
    for (const [host, weight] of entries as [string, unknown][]) {
        if (host !== "" && !names.includes(host)) {
            reader.problems.add(
                `loadBalancer.weights.${host}`,
                `there is no host of this name; there are ${names.join(", ")}.`,
            );
        } else if (
            host !== "" &&
            typeof weight === "number" &&
            Number.isInteger(weight) &&
            weight >= 0 &&
            weight <= 100
        ) {
            weights[host] = weight;
        } else {
            reader.problems.add(
                host === "" ? "loadBalancer.weights" : `loadBalancer.weights.${host}`,
                `${JSON.stringify(weight)} is not a whole number between 0 and 100 under a host's name.`,
            );
        }
    }
    if (names.every((name) => weights[name] === 0)) {
        reader.problems.add("loadBalancer.weights", "are all 0: nobody would serve.");
    }
    return weights;
}

/** The balancer as the configuration wants it, in front of a site on a pool. */
export function balancerSettings(
    { keys, loadBalancer: config, tags }: Pick<StackConfig, "keys" | "loadBalancer" | "tags">,
    site: WebTier,
    pool: NodePool,
    network: Network,
) {
    return {
        ...config,
        tags,
        ...keysOf(keys, "loadBalancer"),
        ...placement(config, network),
        listeners: balancerListeners(config, site),
        hosts: pool.hosts,
        after: site.ready,
    } satisfies LoadBalancerArgs;
}

/** Where in the network it stands. */
function placement(
    { type, address, zones }: LoadBalancerConfig,
    { vpcId, vswitches }: Network,
): Pick<LoadBalancerArgs, "vpcId" | "vswitches" | "vswitchId"> {
    if (type !== "clb") return { vpcId, vswitches: vswitches.slice(0, zones) };
    return address === "intranet" ? { vswitchId: vswitches[0]!.id } : {};
}

/** The ports of the balancer. */
export function balancerListeners(
    { type, https, names, certificate, healthCheckMethod, allow }: LoadBalancerConfig,
    web: { readonly port: number; readonly healthPath: string },
): ListenerArgs[] {
    const access = allow === undefined ? {} : { allow };
    const healthCheck = { path: web.healthPath, method: healthCheckMethod };
    const serving = { hostPort: web.port, healthCheck, ...access };
    if (type === "nlb") return [{ protocol: "tcp", port: 80, ...serving }];
    if (!https) return [{ protocol: "http", port: 80, ...serving }];
    return [
        { protocol: "http", port: 80, redirectTo: 443, ...access },
        {
            protocol: "https",
            port: 443,
            ...serving,
            ...(certificate === undefined ? { names } : { certificate }),
        },
    ];
}

/** Where clients find the site: an `nlb` passes on what it does not read, and here that is HTTP. */
export function siteUrl({ url }: LoadBalancer): pulumi.Output<string> {
    return url.apply((known) => known.replace(/^tcp:(.*):80$/, "http:$1"));
}
