import { readFileSync, readdirSync, readlinkSync } from "node:fs";

import { startOf as startInTable } from "../toolchain/lock.cjs";

/** When a process began, as {@link isAlive} wants it. Undefined when it does not run. */
export function startOf(pid: number): string | undefined {
    const start = startInTable(pid);
    return start === "" ? undefined : start;
}

/** Whether this very process still runs. */
export function isAlive(pid: number, start: string): boolean {
    return startOf(pid) === start;
}

/** A process as the kernel shows it. */
export interface ProcessInfo {
    readonly pid: number;
    readonly parent: number;
    readonly arguments: readonly string[];
    /** Empty when it belongs to someone else. */
    readonly environment: Readonly<Record<string, string>>;
    readonly executable: string;
}

/** All processes that can be seen. */
export function processes(): ProcessInfo[] {
    return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .flatMap((name) => {
            try {
                const stat = readFileSync(`/proc/${name}/stat`, "utf8");
                return [
                    {
                        pid: Number(name),
                        parent: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]),
                        arguments: zeroTerminated(`/proc/${name}/cmdline`),
                        environment: Object.fromEntries(
                            zeroTerminated(`/proc/${name}/environ`).map((line) => {
                                const at = line.indexOf("=");
                                return [line.slice(0, at), line.slice(at + 1)] as const;
                            }),
                        ),
                        executable: link(`/proc/${name}/exe`),
                    },
                ];
            } catch {
                // It ended meanwhile.
                return [];
            }
        });
}

function zeroTerminated(file: string): string[] {
    try {
        return readFileSync(file, "utf8").split("\0").slice(0, -1);
    } catch {
        return [];
    }
}

function link(file: string): string {
    try {
        return readlinkSync(file);
    } catch {
        return "";
    }
}

/** Who listens on a loopback port, as a person would name it; undefined when it can't be seen. */
export function listenerOf(port: number): string | undefined {
    const wanted = port.toString(16).toUpperCase().padStart(4, "0");
    const inodes = new Set<string>();
    for (const file of ["/proc/net/tcp", "/proc/net/tcp6"]) {
        try {
            for (const line of readFileSync(file, "utf8").split("\n").slice(1)) {
                const fields = line.trim().split(/\s+/);
                if (fields[1]?.endsWith(`:${wanted}`) && fields[3] === "0A" && fields[9] !== undefined)
                    inodes.add(fields[9]);
            }
        } catch {
            // No IPv6 on this machine.
        }
    }
    for (const { pid, arguments: args } of processes()) {
        try {
            for (const handle of readdirSync(`/proc/${pid}/fd`)) {
                const match = /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${handle}`));
                if (match && inodes.has(match[1]!)) return `process ${pid} (${args.slice(0, 3).join(" ")})`;
            }
        } catch {
            // Another user's process.
        }
    }
    return undefined;
}
