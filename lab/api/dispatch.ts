/** One request of the cloud's API in, one answer out; no sockets here. */
import { createHash, randomUUID } from "node:crypto";
import { Action, ActionContext, ActionTable, dryRunPassed, run } from "./action";
import { Credentials } from "./credentials";
import { Format, WireAnswer, answer, errorAnswer } from "./envelope";
import { CloudError, missingParameter, notFound } from "./errors";
import { Faults } from "./faults";
import { isRegional, productOfVersion } from "./products";
import { DEFAULT_REGION, findRegion, regionOfHost } from "./regions";
import { Verifier } from "./signature";
import { answerProblems } from "./wire";
import type { ServerHealth } from "../model/desired";
import type { Store } from "../model/store";

/** A request as it came over the wire. */
export interface WireRequest {
    readonly method: string;
    /** Path without query. */
    readonly path: string;
    /** What follows `?`, still encoded. */
    readonly query: string;
    /** Lower-case names. */
    readonly headers: Readonly<Record<string, string | undefined>>;
    readonly body: Buffer;
}

/** One call, for the log. */
export interface CallRecord {
    readonly product: string;
    readonly action: string;
    readonly regionId: string;
    readonly status: number;
    /** Empty for a success. */
    readonly code: string;
    readonly milliseconds: number;
    readonly requestId: string;
    /** What a person needs to know about it beyond the code: an action that is not there, an internal error's stack. */
    readonly note?: string;
}

export interface DispatcherOptions {
    readonly store: Store;
    readonly actions: ActionTable;
    readonly credentials: Credentials;
    /** Hands the model to the machine; resolves when it is in force. */
    readonly reconcile: () => Promise<void>;
    /** Resolves when network and firewall, and these hosts, are as the model was at the last `reconcile`; the whole machine when absent. */
    readonly inForce?: (hostIds: readonly string[]) => Promise<void>;
    /** Asks the machine how it finds the servers of a balancer. */
    readonly health?: (balancerId: string) => Promise<readonly ServerHealth[]>;
    /** Whether the machine serves a mount target. */
    readonly serves?: (mountTargetId: string) => boolean;
    readonly defaultRegion?: string;
    readonly faults?: Faults;
    readonly log?: (record: CallRecord) => void;
    readonly clock?: () => number;
    /** Makes an answer that the vendor's classes do not allow an error; for tests. */
    readonly strict?: boolean;
}

const TOKEN_LIFETIME_MS = 24 * 60 * 60 * 1000;

/** Parameters that say how a request is sent, not what it asks. */
const systemParameters: ReadonlySet<string> = new Set([
    "Action",
    "Version",
    "Format",
    "Timestamp",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "SignatureNonce",
    "SignatureType",
    "AccessKeyId",
    "SecurityToken",
    "ClientToken",
    "SourceIp",
    "SecureTransport",
]);

/** Finds, verifies, runs and answers actions. */
export class Dispatcher {
    readonly faults: Faults;
    private readonly verifier: Verifier;
    private readonly clock: () => number;
    /** Requests with a client token that are being worked on. */
    private readonly running = new Map<string, Promise<Record<string, unknown>>>();
    /** Requests that are answered when the machine has their change, with the hosts that it is about. */
    private readonly waiting = new WeakMap<ActionContext, readonly string[]>();
    private saving: Promise<void> | undefined;
    private nextTokenSweep = 0;

    constructor(private readonly options: DispatcherOptions) {
        this.clock = options.clock ?? Date.now;
        this.faults = options.faults ?? new Faults();
        this.verifier = new Verifier(options.credentials, this.clock);
    }

    /** Answers a request; never rejects. */
    async handle(request: WireRequest): Promise<WireAnswer> {
        const started = performance.now();
        const requestId = randomUUID().toUpperCase();
        const query = fields(request.query);
        const { form, json } = bodyFields(request);
        // What stands in the body wins over the query, as it is the later of the two.
        const parameters = new Map([...query, ...json, ...form]);
        const name = parameters.get("Action") ?? request.headers["x-acs-action"] ?? "";
        const version = parameters.get("Version") ?? request.headers["x-acs-version"] ?? "";
        const product = productOfVersion(version) ?? "";
        const format: Format = /^xml$/i.test(parameters.get("Format") ?? "") ? "XML" : "JSON";
        let regionId = "";
        const log = (status: number, code: string, note?: string): void =>
            this.options.log?.({
                product,
                action: name,
                regionId,
                status,
                code,
                milliseconds: performance.now() - started,
                requestId,
                ...(note !== undefined && { note }),
            });
        try {
            const action = this.find(request, version, name);
            const caller = this.verifier.verify({ ...request, query, form });
            regionId = this.region(request, parameters, product);
            if (!action) throw new NotHere(product || `version ${version}`, name);
            this.faults.check(product, name, "before");
            const now = this.clock();
            const context: ActionContext = {
                store: this.options.store,
                regionId,
                requestId,
                accountId: caller.accountId,
                caller,
                now: new Date(now).toISOString().replace(/\.\d+Z$/, "Z"),
                checked: () => {
                    if (takes(action, "DryRun") && /^true$/i.test(parameters.get("DryRun") ?? "")) throw dryRunPassed();
                },
                applied: async (...hostIds) => void this.waiting.set(context, hostIds),
                ...(this.options.health && { health: this.options.health }),
                ...(this.options.serves && { serves: this.options.serves }),
            };
            const body = action.writes
                ? await this.write(action, parameters, context)
                : await run(action, parameters, context);
            if (this.options.strict === true) {
                const problems = answerProblems(action.response, body);
                if (problems.length > 0) throw new Error(`The answer of ${name} is wrong: ${problems.join("; ")}`);
            }
            this.faults.check(product, name, "after");
            log(200, "");
            return answer(format, name, body);
        } catch (error) {
            const known =
                error instanceof CloudError
                    ? error
                    : new CloudError(
                          "InternalError",
                          "The request processing has failed due to some unknown error.",
                          500,
                      );
            log(
                known.status,
                known.code,
                known instanceof NotHere
                    ? known.message
                    : error instanceof CloudError
                      ? undefined
                      : error instanceof Error
                        ? (error.stack ?? error.message)
                        : String(error),
            );
            return errorAnswer(format, known, { requestId, host: hostName(request), product });
        }
    }

    /** The action, undefined when it is not there yet. */
    private find(request: WireRequest, version: string, name: string): Action | undefined {
        if (request.path !== "/" && name === "")
            throw new CloudError(
                "UnsupportedOperation",
                `The lab speaks the RPC style only: ${request.method} ${request.path} is not there.`,
                400,
            );
        if (name === "") throw missingParameter("Action");
        if (version === "") throw missingParameter("Version");
        if (!/^\d{4}-\d{2}-\d{2}$/.test(version) || Number.isNaN(Date.parse(version)))
            throw new CloudError("InvalidVersion", "Specified parameter Version is not valid.", 400);
        return this.options.actions.find(version, name);
    }

    private region(request: WireRequest, parameters: ReadonlyMap<string, string>, product: string): string {
        // The actions of snapshot policies spell it in lower case.
        const asked = parameters.get("RegionId") ?? parameters.get("regionId") ?? "";
        if (asked !== "") {
            if (isRegional(product) && !findRegion(asked))
                throw notFound("InvalidRegionId.NotFound", "The specified RegionId does not exist.");
            return asked;
        }
        return (
            request.headers["x-acs-region-id"] ??
            regionOfHost(request.headers["host"] ?? "") ??
            this.options.defaultRegion ??
            DEFAULT_REGION
        );
    }

    private async write(
        action: Action,
        parameters: ReadonlyMap<string, string>,
        context: ActionContext,
    ): Promise<Record<string, unknown>> {
        const token = takes(action, "ClientToken") ? (parameters.get("ClientToken") ?? "") : "";
        if (token === "") return this.change(action, parameters, context);

        const { state } = this.options.store;
        const key = `${action.version}/${action.name}/${token}`;
        const hash = fingerprint(parameters);
        this.forgetOldTokens();
        // The duplicate of a request that is still running waits for it; when that one failed, it tries itself.
        for (let first = this.running.get(key); first; first = this.running.get(key))
            await first.catch(() => undefined);
        const known = state.clientTokens[key];
        if (known) {
            if (known.parameters !== hash)
                throw new CloudError(
                    "IdempotentParameterMismatch",
                    "The specified ClientToken was used by a request with other parameters.",
                    400,
                );
            return { ...known.answer, RequestId: context.requestId };
        }
        const running = this.change(action, parameters, context, (body) => {
            state.clientTokens[key] = { action: action.name, parameters: hash, answer: body, at: context.now };
        });
        this.running.set(key, running);
        try {
            return await running;
        } finally {
            if (this.running.get(key) === running) this.running.delete(key);
        }
    }

    private async change(
        action: Action,
        parameters: ReadonlyMap<string, string>,
        context: ActionContext,
        remember?: (body: Record<string, unknown>) => void,
    ): Promise<Record<string, unknown>> {
        const body = await run(action, parameters, context);
        remember?.(body);
        // The machine must never be ahead of what a restart would read, nor may the change be kept without its token.
        await this.save();
        const whole = this.options.reconcile();
        const hostIds = this.waiting.get(context);
        if (hostIds) await (this.options.inForce?.(hostIds) ?? whole);
        // The machine's errors go to the daemon's log, not to this client.
        else void whole.catch(() => undefined);
        return body;
    }

    /** One write to disk for all requests that changed the model in this turn of the event loop. */
    private save(): Promise<void> {
        this.saving ??= new Promise((resolve, reject) =>
            setImmediate(() => {
                this.saving = undefined;
                try {
                    this.options.store.save();
                    resolve();
                } catch (error) {
                    reject(error instanceof Error ? error : new Error(String(error)));
                }
            }),
        );
        return this.saving;
    }

    private forgetOldTokens(): void {
        const now = this.clock();
        if (now < this.nextTokenSweep) return;
        this.nextTokenSweep = now + 60_000;
        const tokens = this.options.store.state.clientTokens;
        for (const [key, token] of Object.entries(tokens))
            if (now - Date.parse(token.at) > TOKEN_LIFETIME_MS) Reflect.deleteProperty(tokens, key);
    }
}

/** The one error that also belongs into the log: what the lab does not have. */
class NotHere extends CloudError {
    constructor(product: string, action: string) {
        super("UnsupportedOperation", `The lab does not have the action ${action} of ${product} yet.`, 400);
    }
}

const wireNames = new WeakMap<Action, ReadonlySet<string>>();

/** Whether the vendor's request has this parameter; the cloud ignores those that it does not know. */
function takes(action: Action, wireName: string): boolean {
    let names = wireNames.get(action);
    if (!names) {
        names = new Set(Object.values(action.request.names()));
        wireNames.set(action, names);
    }
    return names.has(wireName);
}

function fingerprint(parameters: ReadonlyMap<string, string>): string {
    const asked = [...parameters].filter(([name]) => !systemParameters.has(name)).sort(([a], [b]) => (a < b ? -1 : 1));
    return createHash("sha256").update(JSON.stringify(asked)).digest("hex");
}

function fields(encoded: string): Map<string, string> {
    return new Map(new URLSearchParams(encoded));
}

function bodyFields(request: WireRequest): { form: Map<string, string>; json: Map<string, string> } {
    const none = { form: new Map<string, string>(), json: new Map<string, string>() };
    if (request.body.length === 0) return none;
    const type = request.headers["content-type"] ?? "";
    if (/\bjson\b/i.test(type)) {
        try {
            const value: unknown = JSON.parse(request.body.toString());
            if (typeof value === "object" && value !== null)
                return {
                    ...none,
                    json: new Map(
                        Object.entries(value)
                            .filter(([, member]) => member !== null)
                            .map(([key, member]) => [
                                key,
                                typeof member === "string" ? member : JSON.stringify(member),
                            ]),
                    ),
                };
        } catch {
            // Falls through to a form: the signature or a missing parameter will tell.
        }
    }
    if (type === "" || /x-www-form-urlencoded/i.test(type)) return { ...none, form: fields(request.body.toString()) };
    return none;
}

function hostName(request: WireRequest): string {
    return (request.headers["host"] ?? "").replace(/:\d+$/, "");
}
