import { changes } from "../common/diff";
import type { Created, DiffRequest, Operation, Resource } from "../common/plugin";
import { check, type Checked, type Failure, type Field } from "../common/schema";
import { containsUnknown, plain, Secret, UNKNOWN, type ValueMap } from "../common/values";

/** An input of a resource here, with what its change means. */
export type Input = Field & {
    /** The official plugin fills this in itself, so that an explicit default is no change. */
    readonly planned?: boolean | number | string;
    readonly onChange?: "replace" | "update";
    /** Taken from the state when the program does not give it. */
    readonly keepsState?: boolean;
    /** Never recorded: its companion version says that it changed. */
    readonly writeOnly?: boolean;
};

const wholePem = /^-----BEGIN [A-Za-z ]+-----\n[\s\S]+\n-----END [A-Za-z ]+-----\n?$/;

export interface Kind {
    readonly inputs: Readonly<Record<string, Input>>;
    /** Outputs besides the inputs; unknown in a preview. */
    readonly computed: readonly string[];
    readonly secretOutputs: readonly string[];
    /** Problems that concern more than one input. */
    readonly problems?: (inputs: ValueMap) => Failure[];
    /** Outputs that follow from the inputs alone, so that a preview knows them. */
    readonly derived?: (planned: ValueMap) => ValueMap;
    /** A reason to replace that lies in the state, not in the inputs: the output that says so. */
    readonly expired?: (state: ValueMap, planned: ValueMap) => string | undefined;
    /** What a refresh finds out. */
    readonly refreshed?: (state: ValueMap) => ValueMap;
    readonly create: (planned: ValueMap, operation: Operation) => Promise<Created>;
}

/** A resource whose content is made once: whatever it was made from, when it changes, replaces it. */
export class MadeOnce implements Resource {
    constructor(private readonly kind: Kind) {}

    check(inputs: ValueMap): Checked {
        const checked = check(this.kind.inputs, inputs);
        checked.failures.push(...(this.kind.problems?.(checked.inputs) ?? []));
        return checked;
    }

    diff({ state, newInputs }: DiffRequest) {
        const planned = this.planned(newInputs);
        const relevant = Object.entries(this.kind.inputs).filter(
            ([key, input]) => !input.writeOnly && !(input.keepsState && planned[key] === undefined),
        );
        const pick = (values: ValueMap) =>
            Object.fromEntries(relevant.flatMap(([key]) => (values[key] === undefined ? [] : [[key, values[key]]])));
        const found = changes(pick(state), pick(planned), (property) => this.replaces(property, state));
        const expired = this.kind.expired?.(state, planned);
        return expired === undefined ? found : [...found, { path: expired, kind: "update" as const, replace: true }];
    }

    async create(inputs: ValueMap, operation: Operation): Promise<Created> {
        const planned = this.planned(inputs);
        if (operation.preview || containsUnknown(planned)) {
            const unknown = Object.fromEntries(this.kind.computed.map((key) => [key, UNKNOWN]));
            return { id: "", outputs: this.recorded({ ...planned, ...unknown, ...this.kind.derived?.(planned) }) };
        }
        const { id, outputs } = await this.kind.create(plain(planned) as ValueMap, operation);
        return { id, outputs: this.recorded({ ...planned, ...this.kind.derived?.(planned), ...outputs, id }) };
    }

    async read(id: string, outputs: ValueMap, inputs: ValueMap) {
        if (Object.keys(outputs).length === 0) {
            throw new Error("Resource Import Not Implemented: this resource does not support import");
        }
        return { id, outputs: this.recorded({ ...outputs, ...this.kind.refreshed?.(outputs) }), inputs };
    }

    async update(state: ValueMap, inputs: ValueMap): Promise<ValueMap> {
        const planned = this.planned(inputs);
        return this.recorded({ ...state, ...planned, ...this.kind.derived?.(planned) });
    }

    async delete(): Promise<void> {
        // Nothing of it exists outside the state.
    }

    private planned(inputs: ValueMap): ValueMap {
        const defaults = Object.entries(this.kind.inputs).flatMap(([key, { planned }]) =>
            planned === undefined ? [] : [[key, planned] as const],
        );
        return { ...Object.fromEntries(defaults), ...inputs };
    }

    private replaces(property: string, state: ValueMap): boolean {
        const input = this.kind.inputs[property];
        if (input?.onChange === "update") {
            return false;
        }
        // Old versions recorded only a hash of a PEM text: putting the text in its place is no reason to replace.
        const before = plain(state[property] ?? null);
        const isPemInput = property.endsWith("Pem");
        return !isPemInput || (typeof before === "string" && wholePem.test(before));
    }

    private recorded(outputs: ValueMap): ValueMap {
        return Object.fromEntries(
            Object.entries(outputs)
                .filter(([key]) => !this.kind.inputs[key]?.writeOnly)
                .map(([key, value]) => {
                    const secret = this.kind.secretOutputs.includes(key) && !(value instanceof Secret);
                    return [key, secret ? new Secret(value) : value];
                }),
        );
    }
}
