/** Runs the checks of a stack on its hosts, all of them side by side. */
import { commandBy } from "../components/scriptText";
import { ConnectionPool } from "../toolchain/plugins/command/pool";
import { messageOf } from "../toolchain/plugins/command/retry";
import { execute } from "../toolchain/plugins/command/session";
import type { Connection, Endpoint } from "../toolchain/plugins/command/settings";
import { type Check, checkText, loadCheck } from "./checks";
import { type Finding, type Interval, readObservation } from "./findings";
import { canRunHere, runHere } from "./here";
import type { Inventory, InventoryHost, Step, Task } from "./inventory";
import type { Probe } from "./probes";
import { linesTo, type Run } from "./run";

/** What runs a command on a host. */
export type Remote = (connection: Connection, ...command: Parameters<Run>) => ReturnType<Run>;

/** A host that takes logins answers within seconds; one that doesn't must not hold up the others for long. */
const LOGIN_SECONDS = 30;
const CHECK_SECONDS = 60;
/** Logins under way at the same time: more would make each other late. */
const LOGINS = 50;

const LOGIN = "login";

/** A check and what it runs with. */
interface Work {
    readonly task: Task;
    readonly check: Check;
}

/** A check and the step that it belongs to. */
interface StepWork extends Work {
    readonly task: Step;
}

/**
 * @param remote what runs commands on hosts
 * @param here what runs them on this machine
 */
export async function examine(
    { hosts, probes, findings }: Inventory,
    remote: Remote,
    here: Run = runHere,
): Promise<Finding[]> {
    // A check may run on another host than the one that its command was made for, where somebody else logs in.
    const on =
        ({ connection }: InventoryHost): Run =>
        (command, output) =>
            remote(connection, { ...command, text: commandBy(connection.user, command.text) }, output);
    const reached: InventoryHost[] = [];
    const orphaned: { readonly host: InventoryHost; readonly work: StepWork }[] = [];
    const tell = new Map<InventoryHost, (isReached: boolean) => void>();
    const arrivals = new Map(hosts.map((host) => [host, new Promise<boolean>((told) => tell.set(host, told))]));
    const wholes = new Set<string>();
    const probed = Promise.all(probes.map((probe) => runProbe(probe, (host) => arrivals.get(host)!, on, here)));
    const found = await atMost(LOGINS, hosts, async (host): Promise<Finding[]> => {
        const work = host.steps.flatMap((step): StepWork[] => {
            const check = loadCheck(step.script);
            if (check === undefined) return [];
            // Several hosts may have a step that speaks for the service as a whole.
            const whole = JSON.stringify([step.parent, step.script]);
            if (check.anyHost && wholes.has(whole)) return [];
            wholes.add(whole);
            return [{ task: step, check }];
        });
        const login = await logIn(host, remote);
        tell.get(host)!(login.status === "ok");
        if (login.status === "ok") {
            reached.push(host);
            return [login, ...(await Promise.all(work.map((one) => run(host.name, one, on(host))))).flat()];
        }
        orphaned.push(...work.filter(({ check }) => check.anyHost).map((one) => ({ host, work: one })));
        const lost = work.filter(({ check }) => !check.anyHost);
        return [login, ...lost.map((one) => skipped(host.name, one, "not examined: no login to the host"))];
    });
    const adopted = await Promise.all(
        orphaned.map(async ({ host, work }) => {
            const other = reached.find(({ steps }) => steps.some((step) => canStandInFor(step, work)));
            return other === undefined
                ? [skipped(host.name, work, "not examined: no login to any of the service's hosts")]
                : run(other.name, work, on(other));
        }),
    );
    const all = [...findings, ...found.flat(), ...adopted.flat(), ...(await probed).flat()];
    return withoutConsequences(all, hosts, reached);
}

const NO_STEP: Task = { name: null, command: "", secrets: [] };

/** Runs a check of the cloud's resources wherever it is for, or on the best host that takes a login. */
async function runProbe(
    { check: name, from }: Probe,
    arrival: (host: InventoryHost) => Promise<boolean>,
    on: (host: InventoryHost) => Run,
    here: Run,
): Promise<Finding[]> {
    const check = loadCheck(name)!;
    const lost = (detail: string, host?: InventoryHost): Finding =>
        skipped(host?.name ?? null, { check, task: NO_STEP }, detail);
    if (!check.anyHost) {
        const silent: Finding[] = [];
        const answers: Finding[][] = [];
        await Promise.all(
            from.map(async ({ host, command }) => {
                if (host === undefined) return;
                if (await arrival(host))
                    answers.push(await run(host.name, { check, task: { ...NO_STEP, command } }, on(host)));
                else silent.push(lost("not examined: no login to the host", host));
            }),
        );
        return [...silent, ...saidOnce(answers)];
    }
    for (const { host, command, aside } of from) {
        const work = { check, task: { ...NO_STEP, command } };
        if (host === undefined)
            return canRunHere
                ? [...aside, ...(await run(null, work, here))]
                : [lost("not examined: what is of the internet is asked from this machine, and from Linux only")];
        if (await arrival(host)) return [...aside, ...(await run(host.name, work, on(host)))];
    }
    return from.slice(0, 1).map(() => lost("not examined: no login to any of the hosts that could ask"));
}

/** What all hosts that were asked say in the same words is wrong is no matter of theirs: one finding, of none of them. */
function saidOnce(answers: readonly (readonly Finding[])[]): Finding[] {
    const [first = [], ...others] = answers;
    const sameAs = (one: Finding) => (other: Finding) =>
        one.status === other.status && one.check === other.check && one.detail === other.detail;
    const common = first.filter(
        (one) => one.status === "failed" && others.length > 0 && others.every((said) => said.some(sameAs(one))),
    );
    return [
        ...common.map((one) => ({ ...one, host: null })),
        ...answers.flat().filter((one) => !common.some(sameAs(one))),
    ];
}

/** Tells a cause from what follows of it: hosts behind a bastion that is down, and peers that miss a host that is down. */
function withoutConsequences(
    findings: readonly Finding[],
    hosts: readonly InventoryHost[],
    reached: readonly InventoryHost[],
): Finding[] {
    const down = hosts.filter((host) => !reached.includes(host));
    return findings.map((finding): Finding => {
        if (finding.status !== "failed") return finding;
        const host = hosts.find(({ name }) => name === finding.host);
        const bastion =
            finding.check === LOGIN
                ? down.find(({ connection }) => connection.host === host?.connection.proxy?.host)
                : undefined;
        if (bastion !== undefined)
            return { ...finding, status: "skipped", detail: `${bastion.name}, the way to it, takes no login` };
        const missed = finding.peers ?? [];
        if (missed.length > 0 && missed.every((peer) => down.some(({ name }) => name === peer)))
            return { ...finding, status: "skipped", detail: `${missed.join(", ")} can't be reached at all` };
        return finding;
    });
}

async function logIn(host: InventoryHost, remote: Remote): Promise<Finding> {
    const login = { host: host.name, service: "host", step: null, check: LOGIN };
    const { user, host: address, proxy } = host.connection;
    const way = `${user}@${address}${proxy === undefined ? "" : ` through ${proxy.host}`}`;
    try {
        const nothing = { line: () => undefined, error: () => undefined };
        const code = await remote(host.connection, { text: "true", stdin: "", seconds: LOGIN_SECONDS }, nothing);
        if (code === 0) return { ...login, status: "ok", detail: way };
        return { ...login, status: "failed", detail: `${way}: the shell ends with status ${String(code)}` };
    } catch (error) {
        return { ...login, status: "failed", detail: `${way}: ${messageOf(error)}` };
    }
}

async function run(host: string | null, { task, check }: Work, execution: Run): Promise<Finding[]> {
    const common = { host: check.anyHost ? null : host, service: check.service, step: task.name };
    const asked: Interval = { from: Date.now() / 1000, to: 0 };
    const findings: Finding[] = [];
    let errors = "";
    const failure = (detail: string): Finding => ({ ...common, check: "examination", status: "failed", detail });
    try {
        const code = await execution(
            { text: task.command, stdin: checkText(check, task), seconds: CHECK_SECONDS },
            {
                line: (line) => {
                    try {
                        findings.push({ ...common, ...readObservation(line, { ...asked, to: Date.now() / 1000 }) });
                    } catch (error) {
                        findings.push(failure(`doctor/${check.name} printed what is no finding: ${messageOf(error)}`));
                    }
                },
                error: (text) => (errors += text),
            },
        );
        if (code !== 0)
            findings.push(failure(lastLine(errors) ?? `doctor/${check.name} ended with status ${String(code)}`));
    } catch (error) {
        findings.push(failure(`doctor/${check.name}: ${messageOf(error)}`));
    }
    return findings;
}

function skipped(host: string | null, { task, check }: Work, detail: string): Finding {
    return {
        host: check.anyHost ? null : host,
        service: check.service,
        step: task.name,
        check: "examination",
        status: "skipped",
        detail,
    };
}

/** Whether the host of a step knows a service as the host of `work` does: another service's, of the same kind, has other passwords. */
function canStandInFor({ script, parent }: Step, { task, check }: StepWork): boolean {
    return parent === task.parent && (check.needs ?? check.service) === (check.needs ? script : script.split("/")[0]);
}

/** What scripts/lib/errors.sh says of a failure stands first; what a program printed follows, indented. */
function lastLine(errors: string): string | undefined {
    return errors
        .trimEnd()
        .split("\n")
        .filter((line) => /^\S/.test(line))
        .pop();
}

/** `action` for every item, on `limit` of them at a time, results in order. */
async function atMost<T, R>(limit: number, items: readonly T[], action: (item: T) => Promise<R>): Promise<R[]> {
    const results: R[] = [];
    const queue = items.entries();
    const worker = async (): Promise<void> => {
        for (const [index, item] of queue) results[index] = await action(item);
    };
    await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
    return results;
}

/** Runs commands over SSH, with the host keys that the stack has pinned, on one connection per host. */
export class SshRemote {
    private readonly pool = new ConnectionPool();

    readonly run: Remote = async (connection, { text, stdin, seconds }, { line, error }) => {
        const stopped = new AbortController();
        const timer = setTimeout(() => stopped.abort(new Error(`no answer within ${seconds} s`)), seconds * 1000);
        const output = linesTo(line);
        try {
            const { code } = await this.pool.use(
                patient(connection),
                { signal: stopped.signal, status: () => undefined },
                (client) =>
                    execute(client, {
                        command: text,
                        variables: [],
                        stdin,
                        onStdout: output.take,
                        onStderr: (chunk) => error(chunk.toString()),
                        signal: stopped.signal,
                    }),
            );
            output.end();
            return code;
        } finally {
            clearTimeout(timer);
        }
    };

    close(): void {
        this.pool.close();
    }
}

/**
 * The stack dials for minutes, until a new host has booted; one that exists answers soon, or is down. Where the state has the key, the agent of
 * whoever runs the doctor has no say: one that is gone would keep it out of every host.
 */
export function patient({ proxy, ...connection }: Connection): Connection {
    const limited = <T extends Endpoint>(endpoint: T): T => ({
        ...endpoint,
        dialErrorLimit: 2,
        perDialTimeout: 15,
        ...(endpoint.privateKey !== undefined && { agentSocketPath: "" }),
    });
    return { ...limited(connection), ...(proxy !== undefined && { proxy: limited(proxy) }) };
}
