/** Names that only a VPC's hosts know: answers of PrivateZone's authority, as its resolver gives them. */
import {
    AUTHORITATIVE_ANSWER,
    type Answer,
    type DecodedPacket,
    type OptAnswer,
    type Question,
    RECURSION_AVAILABLE,
    RECURSION_DESIRED,
    TRUNCATED_RESPONSE,
    decode,
    encode,
} from "dns-packet";
import type { DesiredZone, DesiredZoneRecord } from "../model/desired";

const NXDOMAIN = 3;
/** Of a datagram whose sender doesn't say what it takes. */
const PLAIN_DATAGRAM = 512;
/** Of a query to this server: what passes every network whole. */
const OWN_DATAGRAM = 1_232;
/** The one flag of the extensions that an answer repeats. */
const DNSSEC_OK = 0x8000;
/** Seconds for which it may be remembered that a name isn't there. */
const NEGATIVE_TTL = 10;
/** Names that point to names. */
const MAX_CHAIN = 8;

/** Octets of one string of a TXT record. */
const MAX_STRING = 255;

/** How a query comes, which limits how long the answer may be. */
export type Transport = "udp" | "tcp";

/**
 * Answers a query from a VPC's zones.
 * @returns undefined for what the internet's resolvers are to answer, as for what is no query at all
 */
export function answerFromZones(
    zones: readonly DesiredZone[],
    query: Buffer,
    transport: Transport,
): Buffer | undefined {
    if (zones.length === 0) return undefined;
    let asked: DecodedPacket;
    try {
        asked = decode(query);
    } catch {
        return undefined;
    }
    const question = asked.questions?.[0];
    const operation = ((asked.flags ?? 0) >> 11) & 0xf;
    if (asked.type !== "query" || question === undefined || operation !== 0) return undefined;
    const found = lookUp(zones, question);
    if (!found) return undefined;
    const packet = {
        type: "response" as const,
        id: asked.id ?? 0,
        flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | ((asked.flags ?? 0) & RECURSION_DESIRED) | found.code,
        questions: [question],
        answers: found.answers,
        authorities: found.answers.length === 0 ? [startOfAuthority(found.zone)] : [],
        additionals: extensionsOf(asked),
    };
    const answer = encode(packet);
    if (transport === "tcp" || answer.length <= datagramOf(asked)) return answer;
    return encode({ ...packet, flags: packet.flags | TRUNCATED_RESPONSE, answers: [], authorities: [] });
}

function optionOf({ additionals }: DecodedPacket): OptAnswer | undefined {
    return additionals?.find((record): record is OptAnswer => record.type === "OPT");
}

function datagramOf(asked: DecodedPacket): number {
    return Math.max(PLAIN_DATAGRAM, optionOf(asked)?.udpPayloadSize ?? 0);
}

/** Who asks with the extensions of RFC 6891 is answered with them, and takes an answer without for a server that knows none. */
function extensionsOf(asked: DecodedPacket): OptAnswer[] {
    const option = optionOf(asked);
    if (!option) return [];
    const flags = option.flags & DNSSEC_OK;
    return [
        {
            type: "OPT",
            name: ".",
            udpPayloadSize: OWN_DATAGRAM,
            extendedRcode: 0,
            ednsVersion: 0,
            flags,
            flag_do: flags !== 0,
            options: [],
        },
    ];
}

interface Found {
    readonly zone: DesiredZone;
    readonly answers: Answer[];
    readonly code: number;
}

function lookUp(zones: readonly DesiredZone[], { name, type }: Question): Found | undefined {
    const answers: Answer[] = [];
    let at = name;
    let first: DesiredZone | undefined;
    for (let step = 0; step < MAX_CHAIN; step += 1) {
        const zone = zoneOf(zones, at);
        if (!zone) break;
        const records = recordsOf(zone, at);
        // The zone leaves to others what it doesn't have.
        if (records.length === 0 && zone.recursive) break;
        first ??= zone;
        if (records.length === 0 && !hasBelow(zone, at)) {
            return { zone, answers, code: answers.length === 0 ? NXDOMAIN : 0 };
        }
        const alias = records.find((record) => record.type === "CNAME");
        // The library's types leave it out.
        const any = (type as string) === "ANY";
        const wanted = records.filter((record) => record.type === type || any);
        // Every zone has one, which is no record of the account's.
        const start = plain(at) === zone.name && (type === "SOA" || any) ? [startOfAuthority(zone)] : [];
        if (!alias || type === "CNAME" || any || start.length > 0) {
            answers.push(...start, ...rotated(wanted).map((record) => answerOf(at, record)));
            break;
        }
        answers.push(answerOf(at, alias));
        at = alias.value;
    }
    return first && { zone: first, answers, code: 0 };
}

const plain = (name: string): string => name.toLowerCase().replace(/\.$/, "");

/** The zone with the longest name that a name lies in. */
function zoneOf(zones: readonly DesiredZone[], name: string): DesiredZone | undefined {
    const asked = plain(name);
    return zones
        .filter((zone) => asked === zone.name || asked.endsWith(`.${zone.name}`))
        .sort((one, other) => other.name.length - one.name.length)[0];
}

function recordsOf(zone: DesiredZone, name: string): DesiredZoneRecord[] {
    const asked = plain(name);
    const own = zone.records.filter((record) => record.name === asked);
    if (own.length > 0 || hasBelow(zone, asked)) return own;
    // The nearest wildcard above it.
    for (let parent = asked; parent.length > zone.name.length;) {
        parent = parent.slice(parent.indexOf(".") + 1);
        const wild = zone.records.filter((record) => record.name === `*.${parent}`);
        if (wild.length > 0) return wild;
    }
    return [];
}

/** Whether a name without records has names below it, so that it exists all the same. */
function hasBelow(zone: DesiredZone, name: string): boolean {
    const asked = plain(name);
    return asked === zone.name || zone.records.some((record) => record.name.endsWith(`.${asked}`));
}

let turn = 0;

/** Starts with another one each time: clients take the first. */
function rotated<T>(items: readonly T[]): T[] {
    if (items.length < 2) return [...items];
    turn = (turn + 1) % 0xffff;
    const start = turn % items.length;
    return [...items.slice(start), ...items.slice(0, start)];
}

function answerOf(name: string, { type, value, ttl, priority }: DesiredZoneRecord): Answer {
    switch (type) {
        case "A":
        case "AAAA":
        case "CNAME":
        case "PTR":
            return { name, type, ttl, data: value };
        case "TXT":
            return { name, type, ttl, data: stringsOf(value) };
        case "MX":
            return { name, type, ttl, data: { preference: priority, exchange: value } };
        case "SRV": {
            const [srvPriority, weight, port, target = ""] = value.split(" ");
            return {
                name,
                type,
                ttl,
                data: { priority: Number(srvPriority), weight: Number(weight), port: Number(port), target },
            };
        }
    }
}

/** A text as the strings of a record: the length of each stands in one octet. */
function stringsOf(text: string): Buffer[] {
    const bytes = Buffer.from(text);
    const count = Math.max(1, Math.ceil(bytes.length / MAX_STRING));
    return Array.from({ length: count }, (_, index) => bytes.subarray(index * MAX_STRING, (index + 1) * MAX_STRING));
}

function startOfAuthority({ name }: DesiredZone): Answer {
    return {
        name,
        type: "SOA",
        ttl: NEGATIVE_TTL,
        data: {
            mname: `ns.${name}`,
            rname: `hostmaster.${name}`,
            serial: 1,
            refresh: 3600,
            retry: 1200,
            expire: 86_400,
            minimum: NEGATIVE_TTL,
        },
    };
}
