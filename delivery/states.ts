/** A stack's resources as a preview finds them and as it would leave them, in the form of an exported state. */
import type { EngineEvent, StepEventMetadata, StepEventStateMetadata } from "@pulumi/pulumi/automation";
import { UNKNOWN, isExternal, known } from "./plan";

/** A resource of a stack. */
export interface StackResource {
    readonly urn: string;
    readonly type: string;
    /** False for a component. */
    readonly custom?: boolean;
    /** Whether the stack only looks at it. */
    readonly external?: boolean;
    /** What the cloud calls it; of one that doesn't exist yet its URN. */
    readonly id?: string;
    readonly parent?: string;
    /** Reference to its provider: URN and id. */
    readonly provider?: string;
    /** Whether it only waits for its deletion. */
    readonly delete?: boolean;
    readonly inputs?: Readonly<Record<string, unknown>>;
    readonly outputs?: Readonly<Record<string, unknown>>;
}

/** What `pulumi stack export` prints, parsed, as resources; without those that only wait for their deletion. */
export function exportedResources(exported: unknown): StackResource[] {
    const { deployment } = exported as { readonly deployment?: { readonly resources?: readonly StackResource[] } };
    return (deployment?.resources ?? []).filter(({ delete: leaving }) => leaving !== true);
}

/** Which resources the inputs of a resource come from, by URN and input: the part of `pulumi preview --save-plan` that its events lack. */
export type Dependencies = ReadonlyMap<string, Readonly<Record<string, readonly string[]>>>;

/** Reads {@link Dependencies} out of a saved plan; an empty text is a plan without any. */
export function dependenciesOf(savedPlan: string): Dependencies {
    if (savedPlan === "") return new Map();
    const { resourcePlans = {} } = JSON.parse(savedPlan) as {
        readonly resourcePlans?: Readonly<
            Record<string, { readonly goal?: { readonly propertyDependencies?: Readonly<Record<string, string[]>> } }>
        >;
    };
    return new Map(Object.entries(resourcePlans).map(([urn, { goal }]) => [urn, goal?.propertyDependencies ?? {}]));
}

/** A stack before and after an update. */
export interface States {
    readonly before: readonly StackResource[];
    readonly after: readonly StackResource[];
}

/**
 * The two states that a preview's events tell of. After the update a resource has the outputs that it has now, and the inputs that the program
 * gives it; where one of these is only known after the update and comes from a resource that isn't made yet, it is that resource's URN.
 */
export function statesOf(events: readonly EngineEvent[], dependencies: Dependencies = new Map()): States {
    const before = new Map<string, StackResource>();
    const after = new Map<string, StackResource>();
    for (const { resourcePreEvent } of events) {
        const step = resourcePreEvent?.metadata;
        if (step === undefined) continue;
        if (step.old && step.old.delete !== true) before.set(step.urn, resourceOf(step.old, {}));
        if (stays(step)) after.set(step.urn, afterOf(step, dependencies.get(step.urn) ?? {}));
    }
    // A replacement under another name deletes under the old one.
    const found = new Map([...before.values()].map((one) => [one.urn, one]));
    return {
        before: [...found.values()],
        after: [...after.values()].map((one) => withMachine(withCommand(one, before), after)),
    };
}

const COMMAND = "command:remote:Command";

/** A step of a machine that isn't made yet has its machine from the step that waits for it. */
function withMachine(resource: StackResource, after: ReadonlyMap<string, StackResource>): StackResource {
    const [machine] = (resource.inputs?.["triggers"] ?? []) as readonly unknown[];
    const triggers = typeof machine === "string" && after.get(machine)?.inputs?.["triggers"];
    if (resource.type !== COMMAND || !triggers) return resource;
    return { ...resource, inputs: { ...resource.inputs, triggers }, outputs: { ...resource.outputs, triggers } };
}

/**
 * A step's command holds the addresses of all hosts that it knows, so none of them is known while one host is new. What it runs is: that of
 * the same step before, or of one that is named alike, but for its number, in the same component.
 */
function withCommand(resource: StackResource, before: ReadonlyMap<string, StackResource>): StackResource {
    const { urn, type, inputs } = resource;
    const own = inputs?.["create"];
    if (type !== COMMAND || (typeof own === "string" && !own.startsWith("urn:pulumi:"))) return resource;
    const alike = (other: string): boolean => other.replace(/\d+$/, "") === urn.replace(/\d+$/, "");
    const model = before.get(urn) ?? [...before.values()].find((other) => other.type === COMMAND && alike(other.urn));
    const create = model?.inputs?.["create"];
    return { ...resource, inputs: { ...inputs, create }, outputs: { ...resource.outputs, create } };
}

/** A delete that is part of a replacement comes after the new one's step, or before it. A side that isn't there is null in the log. */
function stays({ op, new: made }: StepEventMetadata): boolean {
    return Boolean(made) && !["delete", "delete-replaced", "discard", "discard-replaced"].includes(op);
}

/** A preview leaves id and outputs of what stays to the old side. */
function afterOf(step: StepEventMetadata, dependencies: Readonly<Record<string, readonly string[]>>): StackResource {
    const made = resourceOf(step.new!, dependencies);
    if (!step.old || step.op.includes("replace")) return made;
    const { id, outputs } = resourceOf(step.old, {});
    return {
        ...made,
        ...(made.id === made.urn && id !== undefined && { id }),
        outputs: { ...outputs, ...made.outputs },
    };
}

function resourceOf(
    state: StepEventStateMetadata,
    dependencies: Readonly<Record<string, readonly string[]>>,
): StackResource {
    const { urn, type, custom, id, parent, provider } = state;
    const inputs = Object.fromEntries(
        Object.entries(known(state.inputs) as Record<string, unknown>).map(([name, value]) => [
            name,
            resolved(value, dependencies[name] ?? []),
        ]),
    );
    const outputs = resolved(known(state.outputs), []) as Record<string, unknown>;
    return {
        urn,
        type,
        custom: custom === true,
        external: isExternal(state),
        id: id === "" || known(id) === UNKNOWN ? urn : id,
        ...(parent !== "" && { parent }),
        ...(provider !== "" && { provider }),
        inputs,
        outputs: { ...outputs, ...inputs },
    };
}

/** Unknown values as what they will refer to; those that refer to nothing are left out. */
function resolved(value: unknown, sources: readonly string[]): unknown {
    if (value === UNKNOWN) return sources[0];
    if (Array.isArray(value)) {
        const [open, rest] = [
            [...sources],
            value.filter((item) => item !== UNKNOWN).map((item) => resolved(item, sources)),
        ];
        return [...rest, ...open.slice(0, value.length - rest.length)];
    }
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolved(inner, sources)]));
}
