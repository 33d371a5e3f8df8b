/** Memory of processes, as the kernel accounts for it. */
import { readFileSync } from "node:fs";
import { processes, type ProcessInfo } from "../lab/process";

const MIB = 2 ** 20;

/** Proportional set size in MiB: pages that several processes share count once, divided among them. 0 for a process that is gone. */
function pss(pid: number): number {
    try {
        const match = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"));
        return match ? (Number(match[1]) * 1024) / MIB : 0;
    } catch {
        return 0;
    }
}

/** MiB of all processes that `belongs` accepts. */
export function memoryOf(belongs: (process: ProcessInfo) => boolean): number {
    return processes()
        .filter(belongs)
        .reduce((sum, { pid }) => sum + pss(pid), 0);
}

/** Whether a process runs in one of these containers. */
export function inContainers(ids: readonly string[]): (process: ProcessInfo) => boolean {
    return ({ pid, arguments: words }) => {
        // The shims hold a container's console and outlive nothing but it.
        if (words.some((word) => ids.includes(word))) return true;
        try {
            const groups = readFileSync(`/proc/${pid}/cgroup`, "utf8");
            return ids.some((id) => groups.includes(id));
        } catch {
            return false;
        }
    };
}

/** MiB of a process, of all that descends from it, and of further processes. */
export function memoryOfTree(root: number, also: readonly number[] = []): number {
    const all = processes();
    const members = new Set([root, ...also]);
    // A child may stand before its parent in the list, so it takes as many passes as the tree is deep.
    for (let before = 0; before < members.size;) {
        before = members.size;
        for (const { pid, parent } of all) if (members.has(parent)) members.add(pid);
    }
    return [...members].reduce((sum, pid) => sum + pss(pid), 0);
}

/** Watches a sum of memory until told to stop; the result is the largest that was seen, in MiB. */
export function peakMemory(measure: () => number, everyMs = 500): () => number {
    let peak = 0;
    const sample = (): void => {
        peak = Math.max(peak, measure());
    };
    sample();
    const timer = setInterval(sample, everyMs);
    return () => {
        clearInterval(timer);
        return peak;
    };
}
