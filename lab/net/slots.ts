/**
 * Small numbers for things with long names, since interface names hold 15 characters and outer addresses come from a
 * slice. A number stays with its owner, also over restarts, as running hosts are wired by it.
 */
import { readJson, writeAtomically } from "../hosts/files";

export class Slots {
    private readonly numbers = new Map<string, number>();

    /** @param file where the numbers are kept. @param first lowest number. @param limit lowest number that is too high. */
    constructor(
        private readonly file: string,
        private readonly first: number,
        private readonly limit: number,
    ) {
        const known = readJson(file);
        if (typeof known === "object" && known !== null)
            for (const [owner, number] of Object.entries(known))
                if (typeof number === "number") this.numbers.set(owner, number);
    }

    /** The owner's number, if it has one. */
    find(owner: string): number | undefined {
        return this.numbers.get(owner);
    }

    /** Gives a number to each owner without one, and takes back the numbers of all others. */
    assign(owners: readonly string[]): void {
        const wanted = new Set(owners);
        let changed = false;
        for (const owner of this.numbers.keys())
            if (!wanted.has(owner)) {
                this.numbers.delete(owner);
                changed = true;
            }
        const taken = new Set(this.numbers.values());
        let next = this.first;
        for (const owner of wanted) {
            if (this.numbers.has(owner)) continue;
            while (taken.has(next)) next += 1;
            if (next >= this.limit)
                throw new Error(`A lab has room for ${this.limit - this.first} of these: ${owner} is one too many.`);
            this.numbers.set(owner, next);
            taken.add(next);
            changed = true;
        }
        if (changed) writeAtomically(this.file, JSON.stringify(Object.fromEntries(this.numbers)));
    }
}
