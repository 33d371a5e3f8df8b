/**
 * Small numbers for things with long names, since interface names hold 15 characters and outer addresses come from a
 * slice. A number stays with its owner, also over restarts, as running hosts are wired by it.
 */
import { readJson, writeAtomically } from "../hosts/files";

export class Slots {
    private numbers: ReadonlyMap<string, number>;

    /** @param file where the numbers are kept. @param first lowest number. @param limit lowest number that is too high. */
    constructor(
        private readonly file: string,
        private readonly first: number,
        private readonly limit: number,
    ) {
        const known = readJson(file);
        const numbers = new Map<string, number>();
        if (typeof known === "object" && known !== null)
            for (const [owner, number] of Object.entries(known))
                if (typeof number === "number") numbers.set(owner, number);
        this.numbers = numbers;
    }

    /** The owner's number, if it has one. */
    find(owner: string): number | undefined {
        return this.numbers.get(owner);
    }

    /**
     * Gives a number to each owner without one. Those of all others stay taken until `keep`, because links go by them.
     * @throws Error when there are not enough, and gives none then
     */
    assign(owners: readonly string[]): void {
        const numbers = new Map(this.numbers);
        const taken = new Set(numbers.values());
        let next = this.first;
        for (const owner of owners) {
            if (numbers.has(owner)) continue;
            while (taken.has(next)) next += 1;
            if (next >= this.limit)
                throw new Error(
                    `A lab has room for ${this.limit - this.first} of these, with those that are about to go: ${owner} is one too many.`,
                );
            numbers.set(owner, next);
            taken.add(next);
        }
        this.remember(numbers);
    }

    /** Takes back the numbers of all but these owners. */
    keep(owners: readonly string[]): void {
        const wanted = new Set(owners);
        this.remember(new Map([...this.numbers].filter(([owner]) => wanted.has(owner))));
    }

    private remember(numbers: ReadonlyMap<string, number>): void {
        if (numbers.size === this.numbers.size) return;
        writeAtomically(this.file, JSON.stringify(Object.fromEntries(numbers)));
        this.numbers = numbers;
    }
}
