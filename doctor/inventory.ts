/** What a stack consists of, as far as it can be examined: read from its exported state. */
import { scriptNameOf, secretLinesOf } from "../components/scriptText";
import type { Connection } from "../toolchain/plugins/command/settings";
import { exportedResources } from "../delivery/states";
import type { Finding } from "./findings";
import { type Probe, readProbes } from "./probes";
import { byName } from "../toolchain/order";

/** What a check runs with. */
export interface Task {
    /** Name of the step's resource whose work is examined, such as `redis-node-1`; null where there is none. */
    readonly name: string | null;
    /** What sshd runs, parameters in it, by whatever user it was made for. */
    readonly command: string;
    /** `SECRET_…` assignments for bash. */
    readonly secrets: readonly string[];
}

/** A step that the stack has brought a host to; its command is the stack's own. */
export interface Step extends Task {
    readonly name: string;
    /** Name of its script, such as `redis/node`. */
    readonly script: string;
    /** URN of the component that it belongs to, such as a `RedisCluster`. */
    readonly parent: string | undefined;
}

/** How the last update, refresh or destroy of a stack went. */
export interface LastUpdate {
    /** Such as `update`. */
    readonly kind: string;
    /** `succeeded`, `failed`, `in-progress` or what else a backend says. */
    readonly result: string;
}

/** A machine that the stack works on. */
export interface InventoryHost {
    readonly name: string;
    /** What tells the machine from any other: the id of an instance that the stack has made. */
    readonly machine: string;
    readonly connection: Connection;
    readonly steps: readonly Step[];
}

export interface Inventory {
    readonly hosts: readonly InventoryHost[];
    /** What is examined besides the work of steps. */
    readonly probes: readonly Probe[];
    /** What the state itself tells. */
    readonly findings: readonly Finding[];
}

interface Resource {
    readonly urn: string;
    readonly type: string;
    readonly parent?: string;
    readonly inputs?: Readonly<Record<string, unknown>>;
    /** Its replacement exists, and it waits for being deleted. */
    readonly delete?: boolean;
    /** It is deleted, and its replacement is still to be made. */
    readonly pendingReplacement?: boolean;
}

interface Export {
    readonly deployment?: {
        readonly resources?: readonly Resource[];
        readonly pending_operations?: readonly { readonly resource: Resource; readonly type: string }[];
    };
}

/** The step that every host has: it tells the host's name. */
const READY = "host/ready";
const HOST = "multihost:host:Host";
const SECRET = "4dabf18193072939515e22adb298388d";

/**
 * @param exported what `pulumi stack export --show-secrets` prints, parsed.
 * @param last undefined for a stack that was never updated, `unknown` where the backend doesn't tell.
 * @throws Error when it holds no secrets in plain text.
 */
export function readInventory(exported: unknown, last?: LastUpdate | "unknown"): Inventory {
    const { resources = [], pending_operations: pending = [] } = (exported as Export).deployment ?? {};
    const hosts = new Map<string, InventoryHost & { readonly steps: Step[] }>();
    const steps: { identity: string; machine: string; step: Step; connection: Connection }[] = [];
    const made = new Set<string | undefined>();
    for (const { type, urn, parent, inputs, delete: leaving, pendingReplacement } of resources) {
        if (type !== "command:remote:Command" || leaving === true || pendingReplacement === true) continue;
        const { create, stdin, connection, triggers } = plain(inputs) as Record<string, unknown>;
        if (typeof create !== "string" || typeof stdin !== "string") continue;
        const script = scriptNameOf(create);
        if (script === undefined) continue;
        const step = { name: nameOf(urn), script, parent, command: create, secrets: secretLinesOf(stdin) };
        const identity = identityOf(connection as Connection);
        const machine = String(Array.isArray(triggers) ? triggers[0] : "");
        steps.push({ identity, machine, step, connection: connection as Connection });
        if (script === READY) made.add(parent);
        // Named like its host, with an ending.
        if (script === READY && !hosts.has(identity))
            hosts.set(identity, {
                name: step.name.replace(/-ready$/, ""),
                machine,
                connection: connection as Connection,
                steps: [],
            });
    }
    const strays: Stray[] = [];
    for (const { identity, machine, step, connection } of steps) {
        const host = hosts.get(identity) ?? withOtherKey([...hosts.values()], machine, connection);
        if (host === undefined) strays.push({ step, address: connection.host });
        else host.steps.push(step);
    }
    const unmade = resources.filter(
        ({ type, urn, delete: leaving }) => type === HOST && leaving !== true && !made.has(urn),
    );
    const sorted = [...hosts.values()].sort((a, b) => byName(a.name, b.name));
    const { probes, findings } = readProbes(
        exportedResources(exported).map(({ outputs, ...rest }) => ({
            ...rest,
            outputs: plain(outputs ?? {}) as Record<string, unknown>,
        })),
        sorted,
    );
    return {
        hosts: sorted,
        probes,
        findings: [
            updateFinding(resources, pending, last),
            ...hostFindings(
                unmade.map(({ urn }) => nameOf(urn)),
                strays,
                isRunning(last),
            ),
            ...findings,
        ],
    };
}

const isRunning = (last: LastUpdate | "unknown" | undefined): boolean =>
    typeof last === "object" && last.result === "in-progress";

/** A step on a machine that is none of the hosts. */
interface Stray {
    readonly step: Step;
    readonly address: string;
}

/** What an update that did not get to its end leaves out: hosts that were not made ready, and what runs where no host is known. */
function hostFindings(unmade: readonly string[], strays: readonly Stray[], running: boolean): Finding[] {
    return [
        ...unmade.map((name): Finding => ({
            host: name,
            service: "host",
            step: null,
            check: "ready",
            ...(running
                ? { status: "warning", detail: "is not ready yet: an update is running" }
                : { status: "failed", detail: "was not made ready: run `pulumi up`" }),
        })),
        ...strays.map(({ step, address }): Finding => ({
            host: null,
            service: step.script.split("/")[0]!,
            step: step.name,
            check: "examination",
            // The machine of a host that was not made ready may be the one, and that is a finding already.
            status: running ? "warning" : unmade.length > 0 ? "skipped" : "failed",
            detail: `not examined: ${address} is the address of no host that is ready: run \`pulumi up\``,
        })),
    ];
}

/** The host of a step that knows it by the former of two SSH keys: an update that exchanges them did not reach the step. */
function withOtherKey<T extends InventoryHost>(
    hosts: readonly T[],
    machine: string,
    { host }: Connection,
): T | undefined {
    const there = hosts.filter(({ connection }) => connection.host === host);
    // A step that outlives its machine knows none.
    return there.length === 1 && ["", there[0]!.machine].includes(machine) ? there[0] : undefined;
}

/** What the steps of one host have in common, whoever made it: the bastion's address may be an old one in steps that an update didn't reach. */
const identityOf = ({ host, hostKey }: Connection): string => JSON.stringify([host, hostKey]);

/** The state alone can't tell that an update has failed: what it never came to is missing there without a trace. */
function updateFinding(
    resources: readonly Resource[],
    pending: readonly { readonly resource: Resource; readonly type: string }[],
    last: LastUpdate | "unknown" | undefined,
): Finding {
    const updates = { host: null, service: "stack", step: null, check: "updates" } as const;
    const leaving = resources.filter((resource) => resource.delete === true);
    const unfinished = [
        ...pending.map(({ resource, type }) => `${type} ${nameOf(resource.urn)}`),
        ...leaving.map(({ urn }) => `deleting what ${nameOf(urn)} replaced`),
    ].join(", ");
    const refresh = pending.length === 0 ? "" : "`pulumi refresh`, then ";
    const again =
        typeof last === "object" && last.kind === "destroy"
            ? "`pulumi destroy` again, or `pulumi up`, which makes anew what is gone"
            : "`pulumi up`";
    if (isRunning(last))
        return { ...updates, status: "warning", detail: "an update is running: examine the stack again after it" };
    if (typeof last === "object" && last.result === "failed")
        return {
            ...updates,
            status: "failed",
            detail: `the last ${last.kind} failed${unfinished === "" ? "" : ` (${unfinished})`}: run ${refresh}${again}`,
        };
    if (unfinished !== "")
        return {
            ...updates,
            status: "warning",
            // Not every backend tells of an update before its end.
            detail: `an update was cut off, unless one is running (${unfinished}): \`pulumi refresh\`, then \`pulumi up\``,
        };
    if (last === "unknown")
        return { ...updates, status: "warning", detail: "the backend does not tell how the last one ended" };
    return { ...updates, status: "ok", detail: "the last one has finished" };
}

function nameOf(urn: string): string {
    return urn.slice(urn.lastIndexOf("::") + 2);
}

/** A value with its secrets in it, as an export with secrets shows them. */
function plain(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== "object" || value === null) return value;
    const members = value as Record<string, unknown>;
    if (SECRET in members) {
        if (typeof members["plaintext"] !== "string")
            throw new Error("The exported state holds its secrets encrypted: export it with --show-secrets.");
        return plain(JSON.parse(members["plaintext"]));
    }
    return Object.fromEntries(Object.entries(members).map(([name, member]) => [name, plain(member)]));
}
