/** The machine's own kernel settings that labs change, and put back when the last of them goes. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { stateFolder } from "../../toolchain/folders";
import { readJson, remove, writeAtomically } from "./files";
import { claimedIndices } from "./labs";
import type { Runner } from "./runner";

interface Setting {
    readonly key: string;
    /** The least that labs need. */
    readonly least: number;
    /** Whether something else has come to rely on it since. */
    readonly isNeeded?: () => boolean;
}

const SETTINGS: readonly Setting[] = [
    // Packets go from hosts to the way out, and from EIPs to hosts.
    { key: "net.ipv4.ip_forward", least: 1, isNeeded: () => existsSync("/sys/class/net/docker0") },
    // Each host's systemd and its services take a handful; the kernel's default of 128 is used up by some 25 hosts.
    { key: "fs.inotify.max_user_instances", least: 8192 },
];

function record(): string {
    return path.join(stateFolder(), "kernel-settings.json");
}

function current(key: string): number {
    return Number(readFileSync(path.join("/proc/sys", key.replaceAll(".", "/")), "utf8"));
}

/** Raises what is too low, and writes down what it was before. */
export async function raiseKernelSettings(runner: Runner): Promise<void> {
    const before = (readJson(record()) as Record<string, number> | undefined) ?? {};
    for (const { key, least } of SETTINGS) {
        const value = current(key);
        if (value >= least) continue;
        mkdirSync(stateFolder(), { recursive: true });
        writeAtomically(record(), JSON.stringify({ ...before, [key]: value }));
        before[key] = value;
        await runner.run(["sysctl", "-qw", `${key}=${least}`]);
    }
}

/** Puts back what a lab raised, when no lab is left; what somebody else changed in the meantime stays. */
export async function restoreKernelSettings(runner: Runner): Promise<void> {
    const before = readJson(record()) as Record<string, number> | undefined;
    if (before === undefined || Object.keys(claimedIndices()).length > 0) return;
    remove(record());
    for (const { key, least, isNeeded } of SETTINGS) {
        const value = before[key];
        if (value === undefined || current(key) !== least || isNeeded?.() === true) continue;
        await runner.run(["sysctl", "-qw", `${key}=${value}`]);
    }
}
