/** How findings are shown. */
import { table } from "../toolchain/table";
import type { Finding, Status } from "./findings";

/** What `--json` prints; docs/doctor.md documents it. */
export interface Report {
    readonly stack: string;
    /** When the examination began, ISO 8601. */
    readonly time: string;
    readonly seconds: number;
    /** Whether nothing has failed. */
    readonly healthy: boolean;
    readonly counts: Readonly<Record<Status, number>>;
    readonly findings: readonly Finding[];
}

/** In place of a host, for what concerns the stack, or a service of it, as a whole. */
const WHOLE = "(whole)";
const worst: readonly Status[] = ["failed", "skipped", "warning", "ok"];

export function makeReport(stack: string, started: Date, ended: Date, findings: readonly Finding[]): Report {
    const count = (status: Status): number => findings.filter((finding) => finding.status === status).length;
    const counts = { ok: count("ok"), warning: count("warning"), failed: count("failed"), skipped: count("skipped") };
    const seconds = (ended.getTime() - started.getTime()) / 1000;
    return { stack, time: started.toISOString(), seconds, healthy: counts.failed === 0, counts, findings };
}

/** A table of hosts and services, then what is wrong, worst first, then a sentence. `all` lists everything. */
export function formatReport({ stack, seconds, counts, findings }: Report, all: boolean): string {
    // What was skipped follows from something that failed, or is skipped every time.
    const listed = (all ? worst : worst.filter((status) => status === "failed" || status === "warning")).flatMap(
        (status) => findings.filter((finding) => finding.status === status),
    );
    const numbers = (["ok", "warning", "failed", "skipped"] as const)
        .filter((status) => status === "ok" || counts[status] > 0)
        .map((status) => `${counts[status]} ${plural(status, counts[status])}`);
    return [
        table(matrix(findings)),
        ...(listed.length === 0
            ? []
            : [
                  table([
                      ["STATUS", "HOST", "SERVICE", "CHECK", "FOUND"],
                      ...listed.map(({ status, host, service, check, detail }) => [
                          status,
                          host ?? WHOLE,
                          service,
                          check,
                          detail,
                      ]),
                  ]),
              ]),
        `Stack ${stack}: ${numbers.join(", ")}, in ${seconds.toFixed(1)} s.`,
    ].join("\n\n");
}

function plural(status: Status, count: number): string {
    return status === "warning" && count !== 1 ? "warnings" : status;
}

/** One row per host, one column per service, in each cell the worst that was found. */
function matrix(findings: readonly Finding[]): string[][] {
    const services = unique(findings.map(({ service }) => service));
    const hosts = unique(findings.map(({ host }) => host));
    return [
        ["HOST", ...services.map((service) => service.toUpperCase())],
        ...hosts.map((host) => [
            host ?? WHOLE,
            ...services.map((service) => {
                const here = findings.filter((finding) => finding.host === host && finding.service === service);
                return worst.find((status) => here.some((finding) => finding.status === status)) ?? "-";
            }),
        ]),
    ];
}

function unique<T>(values: readonly T[]): T[] {
    return [...new Set(values)];
}
