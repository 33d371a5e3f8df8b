/** Events as the engine logs them, and plans that are made of them, for tests. */
import type { Change, Plan } from "../../../delivery/plan";

/** A complete plan of these changes, in which nothing else is said. */
export function planWith(changes: readonly Change[] = []): Plan {
    return { changes, unchanged: 1, outputs: [], errors: [], warnings: [], violations: [], complete: true };
}

export interface State {
    /** Another than the step's: the one that an alias leads from. */
    readonly urn?: string;
    readonly id?: string;
    readonly external?: boolean;
    readonly inputs?: Record<string, unknown>;
    readonly outputs?: Record<string, unknown>;
    readonly retainOnDelete?: boolean;
    readonly delete?: boolean;
}

export interface Step {
    readonly op: string;
    readonly name: string;
    readonly type?: string;
    readonly custom?: boolean;
    readonly parent?: string;
    readonly old?: State;
    readonly new?: State;
    readonly keys?: readonly string[];
    readonly diffs?: readonly string[];
    readonly detailedDiff?: Record<string, { diffKind: string; inputDiff: boolean }>;
}

export function urn(type: string, name: string): string {
    return `urn:pulumi:dev::multihost::${type}::${name}`;
}

/** The event before a resource's step. */
export function resource(step: Step): object {
    const { op, name, type = "alicloud:ecs/instance:Instance", custom = true, parent = "", ...rest } = step;
    const state = (given: State | undefined): object => ({
        type,
        urn: urn(type, name),
        custom,
        id: "",
        parent,
        provider: "",
        inputs: {},
        outputs: {},
        ...given,
    });
    const deletes = op === "delete" || op === "delete-replaced" || op.startsWith("discard");
    return {
        resourcePreEvent: {
            metadata: {
                ...rest,
                op,
                urn: urn(type, name),
                type,
                provider: "",
                // The engine writes both sides, null for the one that isn't there.
                old: op === "create" ? null : state(step.old),
                new: deletes ? null : state(step.new),
            },
            planning: true,
        },
    };
}

/** A component that stays as it is. */
export function component(name: string, { parent = "", type = "multihost:test:Component" } = {}): object {
    return resource({ op: "same", type, name, custom: false, parent });
}

/** The outputs that the program gives the stack. */
export function outputs(before: Record<string, unknown> | null, after: Record<string, unknown>): object {
    const type = "pulumi:pulumi:Stack";
    const state = (given: Record<string, unknown>): object => ({ type, urn: urn(type, "p-dev"), outputs: given });
    const metadata = { op: "same", urn: urn(type, "p-dev"), type, provider: "" };
    return { resOutputsEvent: { metadata: { ...metadata, old: before && state(before), new: state(after) } } };
}

export function diagnostic(severity: string, message: string, about?: string): object {
    return { diagnosticEvent: { severity, message, color: "never", ...(about !== undefined && { urn: about }) } };
}

export function summary(): object {
    return { summaryEvent: { maybeCorrupt: false, durationSeconds: 1, resourceChanges: {}, policyPacks: {} } };
}

/** Events as a log's text. */
export function log(...events: object[]): string {
    return events
        .map((event, index) => `${JSON.stringify({ sequence: index + 1, timestamp: 0, ...event })}\n`)
        .join("");
}
