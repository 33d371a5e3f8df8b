/** What a stack consists of, as far as it can be examined: read from its exported state. */
import { scriptNameOf, secretLinesOf } from "../components/scriptText";
import type { Connection } from "../toolchain/plugins/command/settings";
import type { Finding } from "./findings";

/** A step that the stack has brought a host to. */
export interface Step {
    /** Name of its resource, such as `redis-node-1`. */
    readonly name: string;
    /** Name of its script, such as `redis/node`. */
    readonly script: string;
    /** The command as the stack runs it, parameters in it. */
    readonly command: string;
    /** `SECRET_…` assignments for bash. */
    readonly secrets: readonly string[];
}

/** A machine that the stack works on. */
export interface InventoryHost {
    readonly name: string;
    readonly connection: Connection;
    readonly steps: readonly Step[];
}

export interface Inventory {
    readonly hosts: readonly InventoryHost[];
    /** What the state itself tells. */
    readonly findings: readonly Finding[];
}

interface Resource {
    readonly urn: string;
    readonly type: string;
    readonly inputs?: Readonly<Record<string, unknown>>;
    /** Its replacement exists, and it waits for being deleted. */
    readonly delete?: boolean;
}

interface Export {
    readonly deployment?: {
        readonly resources?: readonly Resource[];
        readonly pending_operations?: readonly { readonly resource: Resource; readonly type: string }[];
    };
}

/** The step that every host has: it tells the host's name. */
const READY = "host/ready";
const SECRET = "4dabf18193072939515e22adb298388d";

/**
 * @param exported what `pulumi stack export --show-secrets` prints, parsed.
 * @throws Error when it holds no secrets in plain text.
 */
export function readInventory(exported: unknown): Inventory {
    const { resources = [], pending_operations: pending = [] } = (exported as Export).deployment ?? {};
    const hosts = new Map<string, { name: string; connection: Connection; steps: Step[] }>();
    const steps: { identity: string; step: Step; connection: Connection }[] = [];
    for (const { type, urn, inputs, delete: leaving } of resources) {
        if (type !== "command:remote:Command" || leaving === true) continue;
        const { create, stdin, connection } = plain(inputs) as Record<string, unknown>;
        if (typeof create !== "string" || typeof stdin !== "string") continue;
        const script = scriptNameOf(create);
        if (script === undefined) continue;
        const step = { name: nameOf(urn), script, command: create, secrets: secretLinesOf(stdin) };
        const identity = identityOf(connection as Connection);
        steps.push({ identity, step, connection: connection as Connection });
        // Named like its host, with an ending.
        if (script === READY && !hosts.has(identity))
            hosts.set(identity, {
                name: step.name.replace(/-ready$/, ""),
                connection: connection as Connection,
                steps: [],
            });
    }
    for (const { identity, step } of steps) hosts.get(identity)?.steps.push(step);
    return {
        hosts: [...hosts.values()].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true })),
        findings: stateFindings(resources, pending),
    };
}

/** What the steps of one host have in common, whoever made it: the bastion's address may be an old one in steps that an update didn't reach. */
const identityOf = ({ host, hostKey }: Connection): string => JSON.stringify([host, hostKey]);

function stateFindings(
    resources: readonly Resource[],
    pending: readonly { readonly resource: Resource; readonly type: string }[],
): Finding[] {
    const stack = { host: null, service: "stack", step: null } as const;
    const leaving = resources.filter((resource) => resource.delete === true);
    const unfinished = [
        ...pending.map(({ resource, type }) => `${type} ${nameOf(resource.urn)}`),
        ...leaving.map(({ urn }) => `deleting what ${nameOf(urn)} replaced`),
    ];
    return [
        unfinished.length === 0
            ? { ...stack, check: "updates", status: "ok", detail: "the last one has finished" }
            : {
                  ...stack,
                  check: "updates",
                  status: "warning",
                  detail: `an update was cut off (${unfinished.join(", ")}): \`pulumi refresh\`, then \`pulumi up\``,
              },
    ];
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
