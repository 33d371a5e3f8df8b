/** Indices of the labs on this machine. An index decides a lab's addresses and the names of its interfaces. */
import { mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { stateFolder } from "../../toolchain/folders";
import { remove } from "./files";

/** How many labs one machine carries: the address ranges are cut into that many slices. */
export const MAX_LABS = 16;

function folder(): string {
    return path.join(stateFolder(), "indices");
}

/** The lab's index, taken when it has none yet. Creating a file exclusively is what keeps two labs apart. */
export function claimIndex(lab: string): number {
    const known = findIndex(lab);
    if (known !== undefined) return known;
    mkdirSync(folder(), { recursive: true });
    for (const index of candidates(lab)) {
        try {
            writeFileSync(path.join(folder(), String(index)), `${lab}\n`, { flag: "wx" });
            return index;
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        }
    }
    throw new Error(
        `This machine carries at most ${MAX_LABS} labs: take one of ${Object.values(claimedIndices()).join(", ")} down first.`,
    );
}

/** Indices that nobody else's interfaces have, the lab's own first. */
function candidates(lab: string): number[] {
    const indices = Array.from({ length: MAX_LABS }, (_, index) => index);
    // A lab whose files are elsewhere, or were lost, still has its addresses on this machine.
    const owners = indices.map(deviceOwner);
    return [
        ...indices.filter((index) => owners[index] === lab),
        ...indices.filter((index) => owners[index] === undefined),
    ];
}

/** The index that the lab has, or would take now; undefined when there is none left. */
export function expectedIndex(lab: string): number | undefined {
    const claimed = claimedIndices();
    return findIndex(lab) ?? candidates(lab).find((index) => claimed[index] === undefined);
}

/** The lab's index, or undefined when it has none. */
export function findIndex(lab: string): number | undefined {
    const found = Object.entries(claimedIndices()).find(([, owner]) => owner === lab);
    return found && Number(found[0]);
}

/** Name of the lab's device in the machine's own name space. */
export function deviceName(index: number): string {
    return `mh${index}`;
}

/** Whose device has an index, by the alias that the lab gave it; undefined when there is no such device. */
function deviceOwner(index: number): string | undefined {
    try {
        return readFileSync(`/sys/class/net/${deviceName(index)}/ifalias`, "utf8").trim();
    } catch {
        return undefined;
    }
}

/** Gives the lab's index back. */
export function releaseIndex(lab: string): void {
    const index = findIndex(lab);
    if (index === undefined) return;
    remove(path.join(folder(), String(index)));
    try {
        rmdirSync(folder());
    } catch {
        // Another lab has an index.
    }
}

/** Names of labs by the index that they hold. */
export function claimedIndices(): Record<number, string> {
    let files: string[];
    try {
        files = readdirSync(folder());
    } catch {
        return {};
    }
    return Object.fromEntries(
        files
            .filter((file) => /^\d+$/.test(file))
            .map((file) => [Number(file), readFileSync(path.join(folder(), file), "utf8").trim()]),
    );
}
