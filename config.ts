/** The one place that reads the stack's configuration. docs/configuration.md describes every key. */
import * as pulumi from "@pulumi/pulumi";

import {
    type Cidr,
    contains,
    overlaps,
    parseCidr,
    splitVpc,
    usableAddresses,
    vpcCidrProblem,
    vswitchCidrProblems,
} from "./components/network/cidr";
import { Problems } from "./components/problems";
import { evictionPolicies, type EvictionPolicy } from "./components/redis/args";
import { passwordProblem } from "./components/redis/password";
import { checkTags } from "./components/tags";

/** What the stack is built from: `pulumi config`, checked and with its defaults. */
export interface StackConfig {
    readonly network: {
        /** Range of the VPC. @default "10.0.0.0/16" */
        readonly cidr: string;
        /** Ids of the zones, or how many of the region's; undefined with existing VSwitches. @default 2 */
        readonly zones?: number | readonly string[];
        /** Ranges of the VSwitches, one per zone. @default computed from `cidr` */
        readonly vswitchCidrs?: readonly string[];
        /** Id of a VPC that exists. @default a new one */
        readonly vpcId?: string;
        /** Ids of VSwitches that exist in it. @default new ones */
        readonly vswitchIds?: readonly string[];
        /** Whether hosts get a way out through a NAT gateway. @default true for a new VPC, false for an existing one */
        readonly natGateway?: boolean;
        /** Ranges that the VPC must not overlap. @default [] */
        readonly reservedCidrs: readonly string[];
    };
    /** Ranges that may reach the bastion's SSH port. Required, never 0.0.0.0/0. */
    readonly adminCidrs: readonly string[];
    readonly bastion: {
        /** @default "ecs.t6-c1m1.large" */
        readonly instanceType: string;
    };
    readonly hosts: {
        /** How many hosts the pool has. @default as many as Redis Cluster has nodes */
        readonly count: number;
        /** Numbers that no host has, to remove one from the middle. @default [] */
        readonly exclude: readonly number[];
        /** @default "ecs.g7.large" */
        readonly instanceType: string;
        /** Image id. @default the newest system image of Debian 12 */
        readonly imageId?: string;
        /** Regular expression for the name of a system image. @default "^debian_12_" */
        readonly imageName?: string;
        readonly systemDisk: {
            /** GiB. @default 40 */
            readonly size: number;
            /** @default true */
            readonly encrypted: boolean;
        };
        /** Whether the cloud refuses to delete the hosts. @default false */
        readonly deletionProtection: boolean;
    };
    readonly redis: {
        /** @default 3 */
        readonly masters: number;
        /** @default 1 */
        readonly replicasPerMaster: number;
        /** @default 7000 */
        readonly port: number;
        /** @default "60%" */
        readonly maxmemory: string;
        /** @default "noeviction" */
        readonly maxmemoryPolicy: EvictionPolicy;
        /** @default true */
        readonly tls: boolean;
        /** @default generated */
        readonly password?: pulumi.Output<string>;
    };
    /** Tags of every resource. @default {} */
    readonly tags: Readonly<Record<string, string>>;
}

/** Region ids that the alicloud provider knows, from its documentation; another one needs `alicloud:skipRegionValidation`. */
const regions = new Set(
    (
        "cn-qingdao cn-beijing cn-zhangjiakou cn-huhehaote cn-wulanchabu cn-hangzhou cn-shanghai cn-nanjing cn-fuzhou cn-wuhan-lr " +
        "cn-shenzhen cn-heyuan cn-guangzhou cn-chengdu cn-zhengzhou-jva cn-hongkong ap-northeast-1 ap-northeast-2 ap-southeast-1 ap-southeast-3 " +
        "ap-southeast-5 ap-southeast-6 ap-southeast-7 us-east-1 us-west-1 eu-west-1 eu-central-1 me-east-1 me-central-1 " +
        "na-south-1 cn-shanghai-finance-1 cn-shenzhen-finance-1 cn-beijing-finance-1 cn-hangzhou-finance cn-north-2-gov-1"
    ).split(" "),
);

/** Configuration as the engine hands it over: values are text, structured ones are JSON. */
export type RawConfig = Readonly<Record<string, string>>;

const schema = {
    network: ["cidr", "zones", "vswitchCidrs", "reservedCidrs", "vpcId", "vswitchIds", "natGateway"],
    adminCidrs: undefined,
    bastion: ["instanceType"],
    hosts: ["count", "exclude", "instanceType", "imageId", "imageName", "systemDisk", "deletionProtection"],
    redis: ["masters", "replicasPerMaster", "port", "maxmemory", "maxmemoryPolicy", "tls", "password"],
    tags: undefined,
} as const satisfies Readonly<Record<string, readonly string[] | undefined>>;

type Section = Readonly<Record<string, unknown>>;

/**
 * Checks a configuration and fills in defaults.
 *
 * @param raw the keys of the project's name space without the prefix, and of `alicloud` with it.
 * @param secretKeys those of them that are stored encrypted.
 * @throws pulumi.RunError that lists every problem with its path and what to do.
 */
export function parseConfig(
    raw: RawConfig,
    secretKeys: readonly string[] = [],
): Omit<StackConfig, "redis"> & {
    readonly redis: Omit<StackConfig["redis"], "password"> & { readonly password?: string };
} {
    const problems = new Problems();
    const reader = new Reader(raw, problems);
    reader.refuseUnknown();

    const region = raw["alicloud:region"];
    if (region === undefined) {
        problems.add("alicloud:region", "is missing: `pulumi config set alicloud:region cn-hangzhou`, for example.");
    } else if (!regions.has(region) && raw["alicloud:skipRegionValidation"] !== "true") {
        problems.add("alicloud:region", `"${region}" is not a region of Alibaba Cloud.`);
    }

    const redis = reader.section("redis");
    const masters = reader.integer(redis, "redis.masters", 3, 3, 100);
    const replicasPerMaster = reader.integer(redis, "redis.replicasPerMaster", 1, 0, 2);
    const port = reader.integer(redis, "redis.port", 7000, 1024, 55535);
    const maxmemory = reader.text(redis, "redis.maxmemory") ?? "60%";
    if (!/^([1-9]|[1-8]\d|90)%$|^[1-9]\d*(mb|gb)$/.test(maxmemory)) {
        problems.add(
            "redis.maxmemory",
            `"${maxmemory}" is neither a share such as 60% (at most 90%) nor a size such as 512mb or 4gb.`,
        );
    }
    const policy = reader.text(redis, "redis.maxmemoryPolicy") ?? "noeviction";
    if (!(evictionPolicies as readonly string[]).includes(policy)) {
        problems.add("redis.maxmemoryPolicy", `"${policy}" is none of ${evictionPolicies.join(", ")}.`);
    }
    const password = reader.text(redis, "redis.password");
    const weak = password === undefined ? undefined : passwordProblem(password);
    if (weak !== undefined) {
        problems.add("redis.password", `${weak} Leave it out to have one generated.`);
    }
    if (password !== undefined && !secretKeys.includes("redis")) {
        problems.add(
            "redis.password",
            "stands in the stack's file as plain text: choose another one and set it with `pulumi config set --secret --path redis.password`.",
        );
    }

    const nodes = masters * (1 + replicasPerMaster);
    const hosts = reader.section("hosts");
    const count = reader.integer(hosts, "hosts.count", nodes, 1, 1000);
    if (count !== nodes) {
        problems.add(
            "hosts.count",
            `${count} hosts are too ${count < nodes ? "few" : "many"}: ${masters} masters with ${replicasPerMaster} replicas each need ${nodes}, one server per host.`,
        );
    }

    const network = reader.section("network");
    const cidr = reader.text(network, "network.cidr") ?? "10.0.0.0/16";
    const zones = reader.zones(network);
    const reservedCidrs = reader.cidrs(network?.["reservedCidrs"], "network.reservedCidrs");
    const vswitchCidrs =
        network?.["vswitchCidrs"] === undefined ? undefined : reader.texts(network, "network.vswitchCidrs");
    const vpcId = reader.text(network, "network.vpcId");
    const vswitchIds = network?.["vswitchIds"] === undefined ? undefined : reader.texts(network, "network.vswitchIds");
    const natGateway =
        network?.["natGateway"] === undefined ? undefined : reader.boolean(network, "network.natGateway", true);
    if (vswitchIds === undefined) {
        checkRange(problems, { cidr, zones, reservedCidrs, count, vswitchCidrs });
    } else {
        if (vpcId === undefined) {
            problems.add("network.vswitchIds", "existing VSwitches need the id of their VPC: set network.vpcId.");
        }
        for (const key of ["zones", "vswitchCidrs"]) {
            if (network?.[key] !== undefined) {
                problems.add(`network.${key}`, "existing VSwitches have theirs already: leave it out.");
            }
        }
    }

    const adminCidrs = reader.cidrs(reader.json("adminCidrs"), "adminCidrs");
    if (adminCidrs.length === 0) {
        problems.add(
            "adminCidrs",
            "names no range that may reach the bastion's SSH port: `pulumi config set --path 'adminCidrs[0]' 198.51.100.7/32` with your own address.",
        );
    }
    adminCidrs.forEach((range, index) => {
        const [parsed, vpc] = [parseCidr(range), parseCidr(cidr)];
        if (parsed?.prefix === 0) {
            problems.add(
                `adminCidrs[${index}]`,
                "would open SSH to the whole internet: name the ranges that you administer from.",
            );
        } else if (parsed !== undefined && vpc !== undefined && overlaps(parsed, vpc)) {
            problems.add(
                `adminCidrs[${index}]`,
                `"${range}" overlaps the VPC's own ${cidr}: administrators come from outside.`,
            );
        }
    });

    const tags = reader.tags();
    const imageId = reader.text(hosts, "hosts.imageId");
    const imageName = reader.text(hosts, "hosts.imageName");
    if (imageId !== undefined && imageName !== undefined) {
        problems.add("hosts.imageName", "hosts.imageId says already which image: leave one of them out.");
    }
    const settings = {
        network: {
            cidr,
            reservedCidrs,
            ...(vswitchIds === undefined ? { zones } : { vswitchIds }),
            ...(vswitchCidrs !== undefined && { vswitchCidrs }),
            ...(vpcId !== undefined && { vpcId }),
            ...(natGateway !== undefined && { natGateway }),
        },
        adminCidrs,
        bastion: {
            instanceType: reader.instanceType(reader.section("bastion"), "bastion.instanceType", "ecs.t6-c1m1.large"),
        },
        hosts: {
            count,
            exclude: reader.numbers(hosts, "hosts.exclude"),
            instanceType: reader.instanceType(hosts, "hosts.instanceType", "ecs.g7.large"),
            ...(imageId !== undefined && { imageId }),
            ...(imageName !== undefined && { imageName }),
            systemDisk: reader.systemDisk(hosts),
            deletionProtection: reader.boolean(hosts, "hosts.deletionProtection", false),
        },
        redis: {
            masters,
            replicasPerMaster,
            port,
            maxmemory,
            maxmemoryPolicy: policy as EvictionPolicy,
            tls: reader.boolean(redis, "redis.tls", true),
            ...(password !== undefined && { password }),
        },
        tags,
    };
    problems.throwIfAny("The stack's configuration");
    return settings;
}

/** Reads and checks the running stack's configuration. */
export function loadConfig(): StackConfig {
    const prefix = `${pulumi.getProject()}:`;
    const raw: Record<string, string> = {};
    for (const [key, value] of Object.entries(pulumi.runtime.allConfig())) {
        if (key.startsWith(prefix)) raw[key.slice(prefix.length)] = value;
        else if (key.startsWith("alicloud:")) raw[key] = value;
    }
    const secretKeys: unknown = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]");
    const { redis, ...settings } = parseConfig(
        raw,
        Array.isArray(secretKeys) ? secretKeys.map((key) => String(key).replace(prefix, "")) : [],
    );
    const { password, ...rest } = redis;
    return { ...settings, redis: { ...rest, ...(password !== undefined && { password: pulumi.secret(password) }) } };
}

function checkRange(
    problems: Problems,
    {
        cidr,
        zones,
        reservedCidrs,
        count,
        vswitchCidrs,
    }: {
        readonly cidr: string;
        readonly zones: number | readonly string[];
        readonly reservedCidrs: readonly string[];
        readonly count: number;
        readonly vswitchCidrs: readonly string[] | undefined;
    },
): void {
    const problem = vpcCidrProblem(cidr);
    if (problem !== undefined) {
        problems.add("network.cidr", problem);
        return;
    }
    const vpc = parseCidr(cidr)!;
    reservedCidrs.forEach((text, index) => {
        const reserved = parseCidr(text);
        if (reserved !== undefined && overlaps(vpc, reserved)) {
            const how = contains(reserved, vpc) ? "lies within" : "overlaps";
            problems.add(
                `network.reservedCidrs[${index}]`,
                `the VPC's ${cidr} ${how} ${text}: choose another network.cidr.`,
            );
        }
    });
    const zoneCount = typeof zones === "number" ? zones : zones.length;
    if (zoneCount < 1) return;
    if (vswitchCidrs !== undefined) {
        const wrong = vswitchCidrProblems(vpc, vswitchCidrs);
        for (const { index, reason } of wrong) problems.add(`network.vswitchCidrs[${index}]`, reason);
        if (vswitchCidrs.length !== zoneCount) {
            problems.add(
                "network.vswitchCidrs",
                `${vswitchCidrs.length} ranges for ${zoneCount} zones: give one per zone.`,
            );
        }
        if (wrong.length > 0) return;
    }
    const vswitches: readonly Cidr[] | undefined =
        vswitchCidrs?.map((text) => parseCidr(text)!) ?? splitVpc(vpc, zoneCount);
    if (vswitches === undefined) {
        problems.add("network.zones", `${zoneCount} VSwitches don't fit into ${cidr}: choose a larger network.cidr.`);
        return;
    }
    // The bastion and the NAT gateway take an address each in the first zone.
    const needed = Math.ceil(count / zoneCount) + 2;
    const room = usableAddresses(Math.max(...vswitches.map(({ prefix }) => prefix)));
    if (vswitches.length > 0 && needed > room) {
        problems.add(
            "hosts.count",
            `${count} hosts over ${zoneCount} zones don't fit into ${cidr}: a VSwitch has ${room} addresses.`,
        );
    }
}

/** Takes typed values out of the raw configuration and notes what is wrong. */
class Reader {
    private readonly sections = new Map<string, Section | undefined>();

    constructor(
        private readonly raw: RawConfig,
        private readonly problems: Problems,
    ) {}

    refuseUnknown(): void {
        const known = Object.keys(schema);
        for (const key of Object.keys(this.raw)) {
            if (key.startsWith("alicloud:")) continue;
            if (!known.includes(key)) {
                this.problems.add(key, `is not a key of this project; there are ${known.join(", ")}.`);
                continue;
            }
            const members = schema[key as keyof typeof schema] as readonly string[] | undefined;
            if (members === undefined) continue;
            for (const member of Object.keys(this.section(key) ?? {})) {
                if (!members.includes(member)) {
                    this.problems.add(`${key}.${member}`, `is not known; \`${key}\` has ${members.join(", ")}.`);
                }
            }
        }
    }

    json(key: string): unknown {
        const text = this.raw[key];
        if (text === undefined) return undefined;
        try {
            return JSON.parse(text) as unknown;
        } catch {
            return text;
        }
    }

    section(key: string): Section | undefined {
        if (!this.sections.has(key)) {
            const value = this.json(key);
            const isSection = typeof value === "object" && value !== null && !Array.isArray(value);
            if (value !== undefined && !isSection) {
                this.problems.add(
                    key,
                    `is a group of settings, not a single value: \`pulumi config set --path ${key}.NAME VALUE\`.`,
                );
            }
            this.sections.set(key, isSection ? (value as Section) : undefined);
        }
        return this.sections.get(key);
    }

    private value(section: Section | undefined, path: string): unknown {
        return section?.[path.slice(path.indexOf(".") + 1)];
    }

    integer(section: Section | undefined, path: string, fallback: number, least: number, most: number): number {
        const value = this.value(section, path);
        if (value === undefined) return fallback;
        if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
            this.problems.add(path, `${JSON.stringify(value)} is not a whole number between ${least} and ${most}.`);
            return fallback;
        }
        return value;
    }

    boolean(section: Section | undefined, path: string, fallback: boolean): boolean {
        const value = this.value(section, path);
        if (value === undefined) return fallback;
        if (typeof value === "boolean") return value;
        this.problems.add(path, `${JSON.stringify(value)} is neither true nor false.`);
        return fallback;
    }

    text(section: Section | undefined, path: string): string | undefined {
        const value = this.value(section, path);
        if (value === undefined || (typeof value === "string" && value !== "")) return value;
        // Not quoted: it may have been meant to be secret.
        this.problems.add(path, "must be text that is not empty.");
        return undefined;
    }

    instanceType(section: Section | undefined, path: string, fallback: string): string {
        const value = this.text(section, path) ?? fallback;
        if (!/^ecs\.[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(value)) {
            this.problems.add(path, `"${value}" is not an instance type such as ${fallback}.`);
        }
        return value;
    }

    cidrs(value: unknown, path: string): string[] {
        if (value === undefined) return [];
        if (!Array.isArray(value)) {
            this.problems.add(path, "must be a list of CIDR blocks.");
            return [];
        }
        return value.map((item: unknown, index) => {
            if (typeof item !== "string" || parseCidr(item) === undefined) {
                this.problems.add(
                    `${path}[${index}]`,
                    `${JSON.stringify(item)} is not a CIDR block whose address fits its mask: write one such as 198.51.100.0/24.`,
                );
                return "";
            }
            return item;
        });
    }

    texts(section: Section | undefined, path: string): string[] {
        const value = this.value(section, path);
        if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string")) {
            return value;
        }
        this.problems.add(path, "must be a list of texts that is not empty.");
        return [];
    }

    numbers(section: Section | undefined, path: string): number[] {
        const value = this.value(section, path) ?? [];
        if (Array.isArray(value) && value.every((item) => Number.isInteger(item) && item > 0)) {
            return value as number[];
        }
        this.problems.add(path, `${JSON.stringify(value)} is not a list of hosts' numbers.`);
        return [];
    }

    systemDisk(hosts: Section | undefined): StackConfig["hosts"]["systemDisk"] {
        const path = "hosts.systemDisk";
        const value = hosts?.["systemDisk"] ?? {};
        if (typeof value !== "object" || Array.isArray(value)) {
            this.problems.add(path, `${JSON.stringify(value)} is not a group of settings.`);
            return { size: 40, encrypted: true };
        }
        const { size = 40, encrypted = true, ...unknown } = value as Section;
        for (const key of Object.keys(unknown)) {
            this.problems.add(`${path}.${key}`, `is not known; \`${path}\` has size, encrypted.`);
        }
        const validSize = typeof size === "number" && Number.isInteger(size) && size >= 20 && size <= 2048;
        if (!validSize) {
            this.problems.add(`${path}.size`, `${JSON.stringify(size)} is not a whole number between 20 and 2048.`);
        }
        if (typeof encrypted !== "boolean") {
            this.problems.add(`${path}.encrypted`, `${JSON.stringify(encrypted)} is neither true nor false.`);
        }
        return { size: validSize ? size : 40, encrypted: encrypted === true };
    }

    zones(section: Section | undefined): number | string[] {
        const value = section?.["zones"];
        if (value === undefined) return 2;
        if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 16) return value;
        if (Array.isArray(value) && value.length > 0 && value.every((zone) => typeof zone === "string")) {
            const region = this.raw["alicloud:region"] ?? "";
            const zones = value;
            zones.forEach((zone, index) => {
                if (zones.indexOf(zone) !== index)
                    this.problems.add(`network.zones[${index}]`, `${zone} is there twice.`);
                if (!zone.startsWith(region))
                    this.problems.add(`network.zones[${index}]`, `"${zone}" is not in ${region}.`);
            });
            return zones;
        }
        this.problems.add(
            "network.zones",
            `${JSON.stringify(value)} is neither a number between 1 and 16 nor a list of zone ids.`,
        );
        return 2;
    }

    tags(): Record<string, string> {
        const value = this.section("tags");
        const tags: Record<string, string> = {};
        for (const [key, tag] of Object.entries(value ?? {})) {
            if (typeof tag === "string") tags[key] = tag;
            else this.problems.add(`tags["${key}"]`, `${JSON.stringify(tag)} is not text: put it in quotes.`);
        }
        checkTags(this.problems, tags);
        return tags;
    }
}
