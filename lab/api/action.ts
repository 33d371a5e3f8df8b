import type { Caller } from "./credentials";
import { CloudError, missingParameter } from "./errors";
import { ModelClass, Plain, parseRequest, serialize } from "./wire";
import type { ServerHealth } from "../model/desired";
import type { Store } from "../model/store";

/** What an action may use besides its request. */
export interface ActionContext {
    readonly store: Store;
    /** Region of the request: `RegionId`, else the one that the endpoint's host name or the lab's default gives. */
    readonly regionId: string;
    readonly requestId: string;
    readonly accountId: string;
    /** Whose key signed the request; absent where a test calls an action without a server. */
    readonly caller?: Caller;
    /** Now, as the cloud writes times: `2026-01-31T12:00:00Z`. */
    readonly now: string;
    /**
     * Ends the checks: everything after it changes the model. With `DryRun` it throws the cloud's `DryRunOperation`.
     * Every action that changes something calls it once, after the last check and before the first change.
     */
    checked(): void;
    /**
     * Keeps the answer back until the machine has the changed model, which it gets when the handler is done. Await it as the last thing
     * before the answer where that promises that the change is in force (security group rules, EIP binding); leave it out where a status
     * tells (RunInstances): the dispatcher starts a pass after every write in any case.
     * @param hostIds hosts that must have followed, too, whatever they are about: only a disk's or an interface's coming and going needs that.
     */
    applied(...hostIds: readonly string[]): Promise<void>;
    /** How the machine finds the servers of a balancer; absent where there is no machine. */
    health?(balancerId: string): Promise<readonly ServerHealth[]>;
    /** Whether the machine serves a mount target; absent where there is no machine. */
    serves?(mountTargetId: string): boolean;
}

/** What it takes to change the model without a request. */
export type ModelContext = Pick<ActionContext, "store" | "now">;

/** One OpenAPI action. `Version` and `Action` together are unique over all products. */
export interface Action<Request = object, Response = object> {
    /** Product code as the vendor spells it: `Ecs`, `Vpc`, `Sts`, … */
    readonly product: string;
    readonly version: string;
    readonly name: string;
    readonly request: ModelClass<Request>;
    readonly response: ModelClass<Response>;
    /** Wire names that must be there and not empty. */
    readonly required?: readonly string[];
    /** Writes are persisted before they are answered, and honour `ClientToken` and `DryRun`. */
    readonly writes: boolean;
    readonly handle: (request: Plain<Request>, context: ActionContext) => Answer<Response> | Promise<Answer<Response>>;
}

/** The body without `RequestId`, which the dispatcher adds. */
export type Answer<Response> = Omit<Plain<Response>, "requestId">;

/** Declares an action with its types inferred from the vendor's classes. */
export function defineAction<Request, Response>(action: Action<Request, Response>): Action {
    return action as unknown as Action;
}

/** Actions by (version, name). */
export class ActionTable {
    private readonly actions = new Map<string, Action>();

    constructor(actions: Iterable<Action>) {
        for (const action of actions) {
            const key = `${action.version}/${action.name}`;
            if (this.actions.has(key)) throw new Error(`The action ${key} is declared twice.`);
            this.actions.set(key, action);
        }
    }

    find(version: string, name: string): Action | undefined {
        return this.actions.get(`${version}/${name}`);
    }

    [Symbol.iterator](): Iterator<Action> {
        return this.actions.values();
    }
}

/** Parses, checks, handles and serializes one request. The caller has verified the signature. */
export async function run(
    action: Action,
    parameters: ReadonlyMap<string, string>,
    context: ActionContext,
): Promise<Record<string, unknown>> {
    for (const name of action.required ?? []) {
        if (!parameters.get(name) && !hasPrefix(parameters, `${name}.`)) throw missingParameter(name);
    }
    const answer = await action.handle(parseRequest(action.request, parameters), context);
    return { ...serialize(action.response, answer), RequestId: context.requestId };
}

function hasPrefix(parameters: ReadonlyMap<string, string>, prefix: string): boolean {
    for (const name of parameters.keys()) if (name.startsWith(prefix)) return true;
    return false;
}

/** The cloud's answer to a dry run whose checks passed. */
export function dryRunPassed(): CloudError {
    return new CloudError("DryRunOperation", "Request validation has been passed with DryRun flag set.", 400);
}
