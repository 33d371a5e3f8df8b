import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { writePrivate } from "../files";
import { numberInterfaces } from "./interfaces";
import { State, emptyState } from "./state";

/** The model in memory, and its file. Changes are made in place, synchronously, and then saved. */
export class Store {
    readonly state: State;

    /**
     * @param file where the state is kept; absent for a store that lives in memory only.
     * @param eipRange the lab's slice of 127.77.0.0/16, so that two labs on one machine don't share an address.
     */
    constructor(
        private readonly file?: string,
        readonly eipRange = "127.77.0.0/20",
    ) {
        this.state = file !== undefined && existsSync(file) ? load(file) : emptyState();
    }

    /** Writes the state so that a crash leaves the old file or the new one, never half of it. */
    save(): void {
        if (this.file !== undefined) writePrivate(this.file, JSON.stringify(this.state));
    }

    /** A new resource id, `vpc-` and 20 lower-case characters: ids must not hold `:` or `_`, clients split on them. */
    newId(prefix: string): string {
        const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
        return `${prefix}-lab${Array.from(randomBytes(17), (byte) => alphabet[byte % alphabet.length]).join("")}`;
    }
}

function load(file: string): State {
    const state = JSON.parse(readFileSync(file, "utf8")) as State;
    if ((state.format as number) !== 1) {
        throw new Error(
            `The lab's state ${file} has format ${String(state.format)}, which this version can't read. Remove the lab with the version that made it.`,
        );
    }
    const whole = { ...emptyState(), ...state };
    numberInterfaces(whole);
    return whole;
}
