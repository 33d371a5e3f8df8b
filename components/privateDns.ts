import { isIPv4 } from "node:net";

import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";

import { componentOptions } from "./dependencies";
import type { Host } from "./host";
import { dnsNameProblem, Problems, ttlProblem } from "./problems";
import { checkTags, tagsFor, type Tags } from "./tags";

/** What a name stands for: a host, or any IPv4 address. */
export type DnsTarget = Host | pulumi.Input<string>;

/** Arguments of {@link PrivateDns}. */
export interface PrivateDnsArgs {
    /** Name of the zone, such as `internal` or `prod.example.com`. A change makes another zone. */
    readonly zone: string;
    /** The VPCs whose hosts know the names, all of the provider's region. A VPC can't have two zones of one name. */
    readonly vpcIds: readonly pulumi.Input<string>[];
    /**
     * What each name stands for, `{ redis: pool.hosts }` for `redis.<zone>`; `@` is the zone itself, `*` every other name. Every target is an A record, and
     * the resolver answers with all of them, in turn. It doesn't look whether they work.
     */
    readonly records: Readonly<Record<string, readonly DnsTarget[]>>;
    /** Seconds for which clients remember an address: 5, 30, 60, 3600, 43200 or 86400. @default 60 */
    readonly ttl?: number;
    /**
     * Whether names of the zone that aren't in `records` are looked for in the internet. Without, they don't exist.
     * @default true
     */
    readonly recursive?: boolean;
    /** Tags of the zone. @default {} */
    readonly tags?: Tags;
}

/**
 * Names within VPCs (PrivateZone), so that clients need no addresses: `redis.internal` is every node, `mysql.internal` the server that
 * takes writes, also after a switchover.
 *
 * @example
 * new PrivateDns("names", {
 *     zone: "internal",
 *     vpcIds: [network.vpcId],
 *     records: { redis: pool.hosts, mysql: [database.source.address] },
 * });
 */
export class PrivateDns extends pulumi.ComponentResource {
    /** Id of the zone. */
    public readonly zoneId: pulumi.Output<string>;
    /** The whole names, such as `redis.internal`; known once they are answered. */
    public readonly names: pulumi.Output<string[]>;

    constructor(name: string, args: PrivateDnsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("multihost:network:PrivateDns", name, {}, componentOptions(opts));
        const { zone: zoneName, vpcIds, records, ttl = 60 } = args;
        check(name, args);
        const zone = new alicloud.pvtz.Zone(
            name,
            {
                zoneName,
                proxyPattern: (args.recursive ?? true) ? "RECORD" : "ZONE",
                tags: tagsFor(name, args.tags),
            },
            { parent: this },
        );
        const attachment = new alicloud.pvtz.ZoneAttachment(
            name,
            { zoneId: zone.id, vpcIds: [...vpcIds] },
            { parent: this },
        );
        const created = Object.entries(records).flatMap(([rr, targets]) => {
            const names = recordNames(targets);
            return targets.map((target, index) => {
                const { is, was } = names[index]!;
                return new alicloud.pvtz.ZoneRecord(
                    recordName(name, rr, is),
                    {
                        zoneId: zone.id,
                        rr,
                        type: "A",
                        value: isHost(target) ? target.privateAddress : target,
                        ttl,
                    },
                    { parent: this, aliases: was.map((former) => ({ name: recordName(name, rr, former) })) },
                );
            });
        });
        this.zoneId = zone.id;
        const answered = pulumi.all([attachment.id, ...created.map(({ id }) => id)]);
        this.names = answered.apply(() =>
            Object.keys(records).map((rr) => (rr === "@" ? zoneName : `${rr}.${zoneName}`)),
        );
        this.registerOutputs({ zoneId: this.zoneId, names: this.names });
    }
}

/** What the record of a name for one of its targets is called. */
function recordName(name: string, rr: string, target: string): string {
    return `${name}-${rr === "@" ? "zone" : rr.replace("*", "wildcard")}-${target}`;
}

/**
 * What the targets' records are called, and what the records that they take over were called. A zone refuses two equal records, and what goes from
 * a program goes last: so the record of a host's successor, which may have got its address, has to be the same one; and a record has to stay that of
 * its address when another is taken off the list.
 */
function recordNames(targets: readonly DnsTarget[]): { is: string; was: readonly string[] }[] {
    const named = targets.map((target, index) => {
        const place = String(index + 1);
        if (isHost(target)) return { is: target.name, was: target.succeeds };
        return typeof target === "string" ? { is: target, was: [place] } : { is: place, was: [] };
    });
    // The engine takes no two resources for one, nor one that is there.
    const taken = new Set(named.map(({ is }) => is));
    return named.map(({ is, was }) => {
        const free = was.filter((former) => !taken.has(former));
        for (const former of free) taken.add(former);
        return { is, was: free };
    });
}

function isHost(target: DnsTarget): target is Host {
    return typeof target === "object" && "privateAddress" in target;
}

/** @throws pulumi.RunError that lists every problem */
function check(name: string, args: PrivateDnsArgs): void {
    const problems = new Problems();
    const zoneProblem = dnsNameProblem(args.zone);
    if (zoneProblem !== undefined) problems.add("zone", zoneProblem);
    if (args.vpcIds.length === 0) problems.add("vpcIds", "nobody would know the names: name at least one VPC.");
    for (const [rr, targets] of Object.entries(args.records)) {
        const problem = rr === "@" || rr === "*" ? undefined : dnsNameProblem(rr.replace(/^\*\./, ""));
        if (problem !== undefined) problems.add(`records["${rr}"]`, problem);
        if (targets.length === 0) problems.add(`records["${rr}"]`, "the list is empty: leave the name out.");
        const names = targets.filter(isHost).map((host) => host.name);
        const twice = names.find((host, index) => names.indexOf(host) < index);
        const addresses = targets.filter((target) => typeof target === "string");
        for (const address of addresses) {
            if (!isIPv4(address)) problems.add(`records["${rr}"]`, `"${address}" is not an IPv4 address.`);
        }
        const repeated = twice ?? addresses.find((address, index) => addresses.indexOf(address) < index);
        if (repeated !== undefined) problems.add(`records["${rr}"]`, `"${repeated}" is listed twice.`);
    }
    checkRecordNames(problems, name, args.records);
    const problem = args.ttl === undefined ? undefined : ttlProblem(args.ttl);
    if (problem !== undefined) problems.add("ttl", problem);
    checkTags(problems, args.tags);
    problems.throwIfAny(`PrivateDns "${name}"`);
}

/** Notes names whose records the engine could not tell apart, such as `@` and `zone` of one host. */
function checkRecordNames(problems: Problems, name: string, records: PrivateDnsArgs["records"]): void {
    const owners = new Map<string, string>();
    for (const [rr, targets] of Object.entries(records)) {
        for (const { is } of recordNames(targets)) {
            const record = recordName(name, rr, is);
            const other = owners.get(record);
            if (other !== undefined && other !== rr) {
                problems.add(
                    `records["${rr}"]`,
                    `has a record that is called "${record}", as one of "${other}" is: leave one of the two names out.`,
                );
            }
            owners.set(record, rr);
        }
    }
}
