import { CloudError } from "./errors";

/** An answer that a test asked for in place of the real one. */
export interface Fault {
    /** Only this action; any when absent. */
    readonly action?: string;
    /** Only this product; any when absent. */
    readonly product?: string;
    /** How many calls get it. Default 1. */
    readonly count?: number;
    /** Default `Throttling.User`. */
    readonly code?: string;
    /** Default `Request was denied due to user flow control.` */
    readonly message?: string;
    /** HTTP status. Default 400. */
    readonly status?: number;
    /**
     * `before` (default): the action does not run. `after`: it runs, its answer is lost: what a client sees when the
     * connection breaks at the wrong moment.
     */
    readonly when?: "before" | "after";
}

/** Faults that are still to be given. */
export class Faults {
    private waiting: { fault: Fault; left: number }[] = [];

    add(fault: Fault): void {
        this.waiting.push({ fault, left: fault.count ?? 1 });
    }

    clear(): void {
        this.waiting = [];
    }

    /** Throws the fault that this call is to get, if any. */
    check(product: string, action: string, when: "before" | "after"): void {
        const found = this.waiting.find(
            ({ fault }) =>
                (fault.when ?? "before") === when &&
                (fault.action === undefined || fault.action === action) &&
                (fault.product === undefined || fault.product === product),
        );
        if (!found) return;
        found.left -= 1;
        if (found.left <= 0) this.waiting = this.waiting.filter((entry) => entry !== found);
        const { code, message, status } = found.fault;
        throw new CloudError(
            code ?? "Throttling.User",
            message ?? "Request was denied due to user flow control.",
            status ?? 400,
        );
    }
}

/** A fault from the JSON of a request. */
export function parseFault(text: string): Fault {
    const value: unknown = JSON.parse(text === "" ? "{}" : text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("A fault is an object.");
    const types: Readonly<Record<string, string>> = {
        action: "string",
        product: "string",
        count: "number",
        code: "string",
        message: "string",
        status: "number",
        when: "string",
    };
    for (const [name, member] of Object.entries(value)) {
        if (typeof member !== types[name])
            throw new Error(`"${name}" of a fault must be a ${types[name] ?? "known name"}.`);
    }
    return value;
}
