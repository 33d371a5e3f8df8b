/** `npm run lab -- <command>`; see `help` below and docs/lab.md. */
import { spawn } from "node:child_process";
import {
    existsSync,
    readFileSync,
    rmSync,
    rmdirSync,
    statSync,
    watchFile,
    unwatchFile,
    openSync,
    readSync,
    closeSync,
    readdirSync,
} from "node:fs";
import { freemem } from "node:os";
import { dirname, join } from "node:path";
import { isAlive as isHolderAlive, withLock } from "../toolchain/lock.cjs";
import { root } from "../toolchain/folders";
import { policyPackArguments } from "../toolchain/policyPack";
import { formatDuration, note, step, summary } from "../toolchain/progress.cjs";
import { foreground } from "../toolchain/run";
import { LAB_STACK, projectName } from "../toolchain/stacks";
import { table } from "../toolchain/table";
import { Toolchain, ensureToolchain } from "../toolchain/toolchain";
import { LabError, control, isGone, startDaemon, stopDaemon } from "./control";
import { DaemonRecord, asItRuns, labCode, runningDaemon } from "./record";
import { readJson, writePrivate } from "./files";
import type { LabIdentity } from "./identity";
import { createMachine, ensureEngine, ensureImage, findIndex, liftBan, stopEngine } from "./machine";
import { shellCommands } from "./environment";
import { alicloudSearch } from "./orphans";
import { LabPaths, UsageError, labPaths } from "./paths";
import { findProblems } from "./preflight";
import { capturePulumi, pulumiEnvironment } from "./pulumi";
import { STARTER, endProcesses, recover } from "./recover";
import { rpcClient } from "./rpc";
import { loginCommand } from "./ssh";
import { inLabProject, writeProject } from "./stack";
import { HostView, chosenRegion, labView } from "./view";

const help = `Usage: npm run lab -- <command>

  up                     everything: the cloud, the stack \`${LAB_STACK}\`, its hosts and services (the default)
  start                  only the cloud, as it was left; empty the first time. For any client
  stop                   stops the cloud and its hosts; \`start\` and \`up\` bring them back
  status [--json]        endpoint, region, hosts. Exit code 0: runs, 3: does not run
  ssh HOST [COMMAND…]    logs in to a host (by name, instance id or address), or runs a command there
  logs [-f]              what the API answered, and what went wrong; -f goes on
  env [--json]           environment for other clients: eval "$(npm run --silent lab -- env)"
  pulumi ARGUMENTS…      Pulumi on this lab's stack: npm run lab -- pulumi stack output
  doctor [--all|--json]  examines the stack's hosts and services. Exit code 1: something is wrong
  down                   removes everything of this lab: hosts, networks, state, processes
  help                   this

LAB_NAME (default "lab") and LAB_PORT (default 8070) choose the lab: two with different values run side by side.
`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_NOT_RUNNING = 3;

async function main(argv: readonly string[]): Promise<number> {
    const [command = "up", ...rest] = argv;
    if (["help", "--help", "-h"].includes(command)) {
        process.stdout.write(help);
        return 0;
    }
    const paths = labPaths();
    switch (command) {
        case "up":
            accept(rest);
            return up(paths);
        case "start":
            accept(rest);
            return start(paths);
        case "stop":
            accept(rest);
            return stop(paths);
        case "status":
            accept(rest, "--json");
            return status(paths, rest.includes("--json"));
        case "ssh":
            return login(paths, rest);
        case "logs":
            accept(rest, "-f");
            return logs(paths, rest.includes("-f"));
        case "env":
            accept(rest, "--json");
            return env(paths, rest.includes("--json"));
        case "pulumi":
            return pulumi(asItRuns(paths), rest[0] === "--" ? rest.slice(1) : rest);
        case "doctor":
            return doctor(asItRuns(paths), rest);
        case "down":
            accept(rest);
            return down(paths);
        default:
            throw new UsageError(`There is no command "${command}".\n\n${help}`);
    }
}

function accept(given: readonly string[], ...known: readonly string[]): void {
    const unknown = given.filter((word) => !known.includes(word));
    if (unknown.length > 0) throw new UsageError(`Unknown: ${unknown.join(" ")}\n\n${help}`);
}

async function preflight(paths: LabPaths, stack: boolean): Promise<void> {
    const problems = await findProblems(paths, { stack });
    if (problems.length > 0) throw new LabError(problems.join("\n"));
}

/** Engine, image and daemon. */
async function bringUpCloud(paths: LabPaths): Promise<DaemonRecord> {
    const running = runningDaemon(paths);
    // It may have ended under a lab that runs, whose hosts run again as soon as it is back.
    await ensureEngine();
    if (running?.code === labCode()) return running;
    await ensureImage();
    if (!running) return step("Start the cloud", { about: "5 s" }, () => startDaemon(paths, chosenRegion()));
    // One that was started before an update of the project answers as it was then. The hosts go on meanwhile.
    return step("Start the cloud in its new version", { about: "5 s" }, async () => {
        await stopDaemon(paths);
        return startDaemon(paths, running.region);
    });
}

async function start(paths: LabPaths): Promise<number> {
    await preflight(paths, false);
    const daemon = await serially(paths, () => bringUpCloud(paths));
    const identity = readJson(paths.identity) as LabIdentity;
    const endpoint = `127.0.0.1:${daemon.port}`;
    const name = paths.name === "lab" ? "" : `LAB_NAME=${paths.name} LAB_PORT=${daemon.port} `;
    process.stdout.write(`The cloud "${paths.name}" answers.

  Endpoint    http://${endpoint} and https://${endpoint} (one port, every product)
  Region      ${daemon.region} unless a request names another
  Access key  ${identity.accessKeyId}
  Secret key  ${identity.accessKeySecret}
  Account     ${identity.accountId}

Any client (sets keys, endpoints and trust in the lab's certificate):
  eval "$(${name}npm run --silent lab -- env)"

Terraform, official provider, with that environment: \`terraform apply\` needs no provider block but
  provider "alicloud" {
    endpoints { sts = "${endpoint}" }
  }

Python SDK: Config(access_key_id=…, access_key_secret=…, endpoint="${endpoint}", protocol="HTTP")

Pulumi: set alicloud:endpoints and alicloud:protocol as Pulumi.lab.yaml does, or run the stack here:
  ${name}npm run lab
`);
    return 0;
}

/** One command at a time changes a lab. */
function serially<T>(paths: LabPaths, action: () => Promise<T>): Promise<T> {
    return withLock(`${paths.folder}.lock`, { what: `the lab "${paths.name}"` }, action);
}

async function up(paths: LabPaths): Promise<number> {
    const started = Date.now();
    const memoryBefore = availableMemory();
    const cold = !runningDaemon(paths);
    await preflight(paths, true);
    return serially(paths, async () => {
        const [daemon, toolchain] = await bothOrNeither(bringUpCloud(paths), ensureToolchain());
        writeProject(paths);
        const environment = pulumiEnvironment(paths, toolchain);
        const quiet = (args: readonly string[]): Promise<string> => capturePulumi(paths, toolchain, environment, args);
        if (!existsSync(join(paths.pulumi, ".pulumi", "stacks", projectName(), `${LAB_STACK}.json`)))
            await step("Make the stack", { about: "3 s" }, () => quiet(["stack", "select", "--create", LAB_STACK]));
        const repaired = await mend(paths, daemon, quiet);
        const code = await runUp(paths, toolchain, environment, repaired);
        if (code !== 0) {
            note(
                `The stack is not complete (after ${formatDuration(Date.now() - started)}). \`npm run lab\` goes on from here, \`npm run lab -- logs\` shows what the cloud answered.`,
            );
            return code;
        }
        await summarize(paths, quiet, started, cold ? memoryBefore - availableMemory() : undefined);
        return 0;
    });
}

/** Both results; when one fails, its error comes at once, but only after the other has come to rest. */
async function bothOrNeither<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
    const results = await Promise.allSettled([first, second]);
    for (const result of results) if (result.status === "rejected") throw result.reason;
    return results.map((result) => (result as PromiseFulfilledResult<unknown>).value) as [A, B];
}

/** Deals with what a run that was cut off left behind. */
async function mend(
    paths: LabPaths,
    daemon: DaemonRecord,
    quiet: (args: readonly string[]) => Promise<string>,
): Promise<boolean> {
    const identity = readJson(paths.identity) as LabIdentity;
    const rpc = rpcClient(`http://127.0.0.1:${daemon.port}`, identity.accessKeyId, identity.accessKeySecret);
    return step("Look for what an earlier run left half done", { about: "2 s" }, (report) =>
        recover({
            backend: paths.pulumi,
            project: projectName(),
            stack: LAB_STACK,
            scratch: paths.folder,
            pulumi: quiet,
            search: alicloudSearch(rpc, daemon.region),
            note,
            report,
        }),
    );
}

async function runUp(
    paths: LabPaths,
    toolchain: Toolchain,
    environment: NodeJS.ProcessEnv,
    refresh: boolean,
): Promise<number> {
    const args = [
        "--cwd",
        paths.project,
        "up",
        "--yes",
        "--stack",
        LAB_STACK,
        "--skip-preview",
        "--suppress-permalink=true",
        ...policyPackArguments(),
    ];
    if (refresh) args.push("--refresh");
    const terminal = process.stdout.isTTY;
    const runPulumi = (): Promise<number> =>
        foreground(
            spawn(toolchain.pulumi, args, {
                env: { ...environment, [STARTER]: String(process.pid) },
                stdio: "inherit",
            }),
        );
    // On a terminal Pulumi draws its own progress, and two would tear each other.
    if (terminal) return runPulumi();
    // A step that ends badly must throw to be shown as such.
    let code = EXIT_FAILED;
    await step("Run the stack", { about: "3 min from nothing" }, async () => {
        code = await runPulumi();
        if (code !== 0) throw new LabError("The stack is not complete.");
    }).catch((error: unknown) => {
        if (!(error instanceof LabError)) throw error;
    });
    return code;
}

function availableMemory(): number {
    const match = /^MemAvailable:\s+(\d+) kB$/m.exec(
        existsSync("/proc/meminfo") ? readFileSync("/proc/meminfo", "utf8") : "",
    );
    return match ? Number(match[1]) * 1024 : freemem();
}

async function summarize(
    paths: LabPaths,
    quiet: (args: readonly string[]) => Promise<string>,
    started: number,
    memory: number | undefined,
): Promise<void> {
    const outputs = JSON.parse(await quiet(["stack", "output", "--json", "--stack", LAB_STACK])) as Record<
        string,
        unknown
    >;
    const lab = labView(paths);
    process.stdout.write(`\n${hostTable(lab.hosts)}\n\n`);
    const rows: [string, string][] = [
        ["Endpoint", lab.endpoint],
        ["Log in", `npm run lab -- ssh ${lab.hosts[0]?.name ?? "HOST"}`],
    ];
    if ("redisUrl" in outputs)
        rows.push(["Redis URL", "npm run --silent lab -- pulumi stack output redisUrl --show-secrets"]);
    rows.push(
        ["Everything else", "npm run --silent lab -- pulumi stack output"],
        ["Remove it all", "npm run lab -- down"],
    );
    rows.push(["Time", formatDuration(Date.now() - started)]);
    if (memory !== undefined && memory > 0) rows.push(["Memory", `${(memory / 2 ** 30).toFixed(1)} GiB`]);
    summary(`The lab "${paths.name}" is up.`, rows);
}

function hostTable(hosts: readonly HostView[]): string {
    const rows = table([
        ["HOST", "STATE", "PRIVATE", "PUBLIC", "ZONE", "INSTANCE"],
        ...hosts.map((host) => [
            host.name,
            host.state,
            host.privateAddress,
            host.publicAddress === "" ? "-" : host.publicAddress,
            host.zone,
            host.instanceId,
        ]),
    ]);
    const notes = hosts
        .filter(({ standIn }) => standIn)
        .map(({ name, image }) => `${name}: Debian 12 runs in the place of ${image}.`);
    return [rows, ...notes].join("\n");
}

function status(paths: LabPaths, json: boolean): number {
    const lab = labView(paths);
    if (json) process.stdout.write(`${JSON.stringify(lab, undefined, 2)}\n`);
    else if (lab.state === "absent")
        process.stdout.write(`There is no lab "${paths.name}". \`npm run lab\` makes it.\n`);
    else {
        const what = lab.state === "running" ? `runs: ${lab.endpoint}, region ${lab.region}` : "is stopped";
        process.stdout.write(`The lab "${paths.name}" ${what}\n`);
        if (lab.hosts.length > 0) process.stdout.write(`\n${hostTable(lab.hosts)}\n`);
    }
    return lab.state === "running" ? 0 : EXIT_NOT_RUNNING;
}

async function stop(paths: LabPaths): Promise<number> {
    if (!existsSync(paths.identity)) {
        note(`There is no lab "${paths.name}".`);
        return 0;
    }
    if (existsSync(paths.halted) && !runningDaemon(paths)) {
        note(`The lab "${paths.name}" is stopped already.`);
        return 0;
    }
    return serially(paths, async () => {
        // One that crashed left its hosts running: only a daemon knows how to stop them.
        const daemon = runningDaemon(paths) ?? (await bringUpCloud(paths));
        await step("Stop the hosts and the cloud", { about: "15 s" }, async () => {
            await control(paths, daemon, "halt");
            if (!(await isGone(daemon))) await stopDaemon(paths);
            writePrivate(paths.halted, new Date().toISOString());
        });
        return 0;
    });
}

async function down(paths: LabPaths): Promise<number> {
    return serially(paths, async () => {
        await step(`Remove the lab "${paths.name}"`, { about: "20 s" }, async (report) => {
            report("its processes");
            await endProcesses(paths.pulumi);
            await stopDaemon(paths);
            await liftBan();
            report("hosts and networks");
            // Without a folder there never was a lab, or an earlier run of this command removed all of it.
            if (existsSync(paths.folder) || findIndex(paths.name) !== undefined) {
                await ensureEngine();
                const machine = await createMachine({ name: paths.name, folder: paths.machine, log: report });
                await machine.destroy();
                await machine.close();
                report("files");
                rmSync(paths.folder, { recursive: true, force: true });
                await stopEngine(() => otherLabs(paths));
            }
        });
        return 0;
    }).finally(() => removeIfEmpty(dirname(paths.folder)));
}

/** Whether another lab exists on this machine, or is being made. */
function otherLabs(paths: LabPaths): boolean {
    const folder = dirname(paths.folder);
    return readdirSync(folder).some((entry) => {
        if (entry === paths.name || entry === `${paths.name}.lock`) return false;
        return !entry.endsWith(".lock") || isHolderAlive(readFileSync(join(folder, entry), "utf8").trim());
    });
}

function removeIfEmpty(folder: string): void {
    for (const candidate of [folder, dirname(folder)]) {
        try {
            rmdirSync(candidate);
        } catch {
            // Another lab lives there, or it is gone.
            return;
        }
    }
}

async function login(paths: LabPaths, words: readonly string[]): Promise<number> {
    const [program = "", ...args] = await loginCommand(paths, words);
    const child = spawn(program, args, { stdio: "inherit" });
    return foreground(child);
}

async function pulumi(paths: LabPaths, args: readonly string[]): Promise<number> {
    const toolchain = await ensureToolchain();
    const environment = pulumiEnvironment(paths, toolchain);
    writeProject(paths);
    const child = spawn(toolchain.pulumi, inLabProject(args, paths.project), {
        env: { PULUMI_STACK: LAB_STACK, ...environment, [STARTER]: String(process.pid) },
        stdio: "inherit",
    });
    return foreground(child);
}

/** A process of its own: the doctor knows the components, which nothing here does. */
async function doctor(paths: LabPaths, args: readonly string[]): Promise<number> {
    if (!runningDaemon(paths)) throw new LabError(`The lab "${paths.name}" does not run: \`npm run lab -- start\`.`);
    const program = [join(root, "toolchain", "bootstrap.mjs"), "doctor/cli.ts", "--stack", LAB_STACK, ...args];
    const child = spawn(process.execPath, program, { env: { ...process.env, LAB_NAME: paths.name }, stdio: "inherit" });
    return foreground(child);
}

function env(paths: LabPaths, json: boolean): number {
    const environment = readJson(paths.env) as Record<string, string> | undefined;
    if (!environment || !runningDaemon(paths))
        throw new LabError(`The lab "${paths.name}" does not run: start it with \`npm run lab -- start\`.`);
    process.stdout.write(json ? `${JSON.stringify(environment, undefined, 2)}\n` : shellCommands(environment));
    return 0;
}

async function logs(paths: LabPaths, follow: boolean): Promise<number> {
    if (!existsSync(paths.log)) throw new LabError(`The lab "${paths.name}" has no log.`);
    // Whoever reads it may have seen enough: `logs | head`.
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code !== "EPIPE") throw error;
        process.exit(0);
    });
    let offset = 0;
    const copy = (): void => {
        const { size } = statSync(paths.log);
        if (size < offset) offset = 0;
        const handle = openSync(paths.log, "r");
        const buffer = Buffer.alloc(64 * 1024);
        try {
            for (;;) {
                const count = readSync(handle, buffer, 0, buffer.length, offset);
                if (count === 0) break;
                process.stdout.write(buffer.subarray(0, count));
                offset += count;
            }
        } finally {
            closeSync(handle);
        }
    };
    copy();
    if (!follow) return 0;
    watchFile(paths.log, { interval: 200 }, () => {
        if (existsSync(paths.log)) copy();
        // The lab was removed.
        else unwatchFile(paths.log);
    });
    return new Promise((resolve) => {
        process.once("SIGINT", () => {
            unwatchFile(paths.log);
            resolve(0);
        });
    });
}

if (require.main === module) {
    main(process.argv.slice(2))
        .then((code) => {
            process.exitCode = code;
        })
        .catch((error: unknown) => {
            // Messages are written for people; whoever wants to know where one comes from asks for it.
            const debug = process.env["LAB_DEBUG"] === "1";
            process.stderr.write(
                `${error instanceof Error ? (debug ? (error.stack ?? error.message) : error.message) : String(error)}\n`,
            );
            process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
        });
}
