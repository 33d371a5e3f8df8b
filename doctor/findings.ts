/** What the doctor finds. docs/doctor.md documents these members: `--json` prints them. */
import { X509Certificate } from "node:crypto";

/** How bad it is; `skipped` is what could not be examined because of something else that failed, or since no host may ask. */
export type Status = "ok" | "warning" | "failed" | "skipped";

export interface Finding {
    /** Null for what concerns the stack, or a service of it, as a whole. */
    readonly host: string | null;
    /** Folder of the check's script, such as `redis`. */
    readonly service: string;
    /** Name of the stack's step whose work was examined; null where there is none. */
    readonly step: string | null;
    /** What was looked at, such as `disk`. */
    readonly check: string;
    readonly status: Status;
    /** What was found; where something is wrong, with what to do about it. */
    readonly detail: string;
    /** Names of the hosts to which this one has no way; absent where that is not what was found. */
    readonly peers?: readonly string[];
}

/** What a check says of one thing; who says it is added by whoever runs it. */
export type Observation = Pick<Finding, "check" | "status" | "detail" | "peers">;

/** When a host's line was asked for and when it came, in seconds since 1970. */
export interface Interval {
    readonly from: number;
    readonly to: number;
}

/** Seconds by which a host's clock may differ: certificates and signed requests take more. */
const CLOCK_TOLERANCE = 5;
/** Days before a certificate's end: `pulumi up` renews it within 60. */
const RENEW = 30;
const DAY = 86_400_000;

/**
 * Reads a line that a check printed. What a host can't judge by itself, its clock and the end of a certificate, is judged here.
 *
 * @throws Error when it is no finding.
 */
export function readObservation(line: string, asked: Interval): Observation {
    const { check, status, detail, peers, time, certificate, of, renewal } = JSON.parse(line) as Record<
        string,
        unknown
    >;
    if (typeof check !== "string") throw new Error("a finding without a name");
    if (typeof time === "number") return { check, ...judgeClock(time, asked) };
    if (typeof certificate === "string") {
        const now = new Date(asked.to * 1000);
        const judged = judgeCertificate(
            Buffer.from(certificate, "base64"),
            now,
            typeof renewal === "string" ? renewal : "run `pulumi up`, which renews it",
        );
        return { check, ...judged, ...(typeof of === "string" && { detail: `${of}: ${judged.detail}` }) };
    }
    if (!isStatus(status) || typeof detail !== "string")
        throw new Error(`a finding "${check}" without status or detail`);
    return { check, status, detail, ...(Array.isArray(peers) && { peers: peers.map(String) }) };
}

function isStatus(value: unknown): value is Status {
    return value === "ok" || value === "warning" || value === "failed" || value === "skipped";
}

/** @param time what the host's clock showed some time within `asked` */
function judgeClock(time: number, asked: Interval): Pick<Finding, "status" | "detail"> {
    const ahead = Math.max(0, time - asked.to) - Math.max(0, asked.from - time);
    if (Math.abs(ahead) <= CLOCK_TOLERANCE) return { status: "ok", detail: "agrees with this machine's" };
    const amount = `${Math.abs(ahead).toFixed(0)} s ${ahead > 0 ? "ahead of" : "behind"} this machine's`;
    return {
        status: "failed",
        detail: `${amount}: see to it that chrony or systemd-timesyncd runs and reaches its servers`,
    };
}

/** @param renewal what to do about one that ends */
function judgeCertificate(pem: Buffer, now: Date, renewal: string): Pick<Finding, "status" | "detail"> {
    let parsed: X509Certificate;
    try {
        parsed = new X509Certificate(pem);
    } catch {
        return {
            status: "failed",
            detail: "the certificate's file holds none: restore it, or give the service other keys, or another certificate, with which an update writes it anew",
        };
    }
    const [start, end] = [new Date(parsed.validFrom), new Date(parsed.validTo)];
    const days = Math.floor((end.getTime() - now.getTime()) / DAY);
    const day = end.toISOString().slice(0, 10);
    if (now < start)
        return { status: "failed", detail: `is valid from ${start.toISOString()} only: compare the clocks` };
    if (now >= end) return { status: "failed", detail: `ended on ${day}: ${renewal}` };
    if (days < RENEW) return { status: "warning", detail: `ends on ${day}, in ${days} days: ${renewal}` };
    return { status: "ok", detail: `valid until ${day}` };
}
