import { randomBytes } from "node:crypto";
import { changes } from "../common/diff";
import type { Created, DiffRequest, Operation, Resource } from "../common/plugin";
import { check, type Field, type Fields, isKnown } from "../common/schema";
import { equal, plain, secretTexts, UNKNOWN, type ValueMap } from "../common/values";
import { redact } from "./redact";

export const triggersField: Field = { type: "list", items: { type: "any" } };

export function uniqueId(prefix: string): string {
    return prefix + randomBytes(4).toString("hex");
}

/** Text of an input, or undefined when it is not given. */
export function textOf(values: ValueMap, property: string): string | undefined {
    const value = values[property];
    return isKnown(value) ? (plain(value) as string) : undefined;
}

/** Outputs of a command that ran. */
export type Outputs = Readonly<Record<string, ValueMap[string]>>;

/** Runs `command` with the settings in `values`; the outputs of the run before are passed to it on request. */
export type Runner = (command: string, values: ValueMap, previous: ValueMap, operation: Operation) => Promise<Outputs>;

/** Runs an action so that no error it throws repeats a value that the program marked secret. */
export async function guarded<T>(values: ValueMap, more: readonly string[], action: () => Promise<T>): Promise<T> {
    try {
        return await action();
    } catch (error) {
        // Of a connection, which is secret as a whole, only the credentials are: they come with `more`.
        const marked = Object.entries(values).flatMap(([key, value]) =>
            key === "connection" ? [] : secretTexts(value),
        );
        throw new Error(redact((error as Error).message, [...marked, ...more]));
    }
}

/** The life of a resource that runs `create`, `update` and `delete` commands: the same on this machine and on others. */
export class CommandLifecycle implements Resource {
    constructor(
        private readonly fields: Fields,
        private readonly computed: readonly string[],
        private readonly run: Runner,
        /** Completes a recorded state: the engine hands it over without the content of assets. */
        private readonly completed: (state: ValueMap) => Promise<ValueMap> = (state) => Promise.resolve(state),
    ) {}

    check(inputs: ValueMap) {
        return check(this.fields, inputs);
    }

    diff({ oldInputs, newInputs }: DiffRequest) {
        const before = Object.fromEntries(Object.entries(oldInputs).filter(([key]) => key in this.fields));
        return changes(before, newInputs, (property) => property === "triggers");
    }

    async create(inputs: ValueMap, operation: Operation): Promise<Created> {
        if (operation.preview) {
            return { id: "", outputs: { ...inputs, ...this.unknownOutputs() } };
        }
        const id = uniqueId(operation.name);
        const command = textOf(inputs, "create");
        const outputs =
            command === undefined ? { stdout: "", stderr: "" } : await this.run(command, inputs, {}, operation);
        return { id, outputs: { ...inputs, ...outputs } };
    }

    async read(id: string, outputs: ValueMap, inputs: ValueMap) {
        // A command has no state of its own to look at; what it wrote when it ran stays known.
        return { id, outputs: await this.completed(outputs), inputs };
    }

    async update(state: ValueMap, inputs: ValueMap, operation: Operation): Promise<ValueMap> {
        const known = await this.completed(state);
        const previous = Object.fromEntries(this.computed.flatMap((key) => (key in known ? [[key, known[key]!]] : [])));
        if (operation.preview) {
            const changed = Object.keys(this.fields).some((key) => !equal(inputs[key], state[key]));
            return { ...inputs, ...previous, ...(changed ? this.unknownOutputs() : {}) };
        }
        const command = textOf(inputs, "update") ?? textOf(inputs, "create");
        const outputs = command === undefined ? {} : await this.run(command, inputs, previous, operation);
        return { ...inputs, ...previous, ...outputs };
    }

    async delete(state: ValueMap, operation: Operation): Promise<void> {
        const command = textOf(state, "delete");
        if (command !== undefined) {
            await this.run(command, state, state, operation);
        }
    }

    private unknownOutputs(): ValueMap {
        return Object.fromEntries(this.computed.map((key) => [key, UNKNOWN]));
    }
}
