/**
 * `lab ssh`: a real login over SSH with the key that the stack made, through the host's public address or through a
 * bastion of its VPC. The lab plants no key of its own: a host has the keys that it would have in the cloud. Where no
 * such login is possible (a key that the stack does not know, no way in) it enters the host's container instead.
 */
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { shellWord } from "../toolchain/commandLine";
import { LabError } from "./control";
import { writePrivate } from "./files";
import { enterCommand } from "./machine";
import { ownsKernel } from "./model/sizes";
import type { State } from "./model/state";
import { type LabPaths, UsageError } from "./paths";
import { exportStack, recordedStacks, type RecordedResource, type RecordedStack } from "./pulumi";
import { runningDaemon } from "./record";
import { chooseHost, hostViews, loadState, type HostView } from "./view";

interface Login {
    readonly paths: LabPaths;
    readonly state: State;
    readonly hosts: readonly HostView[];
    /** Read once: a stack's file has megabytes, and a way in through a bastion asks for two keys. */
    readonly stacks: readonly RecordedStack[];
    readonly host: HostView;
}

/**
 * The command line that logs in to a host, or runs something there. Its first word is the program.
 * @param words the host (its name, instance id or address), and what to run there
 * @param terminal whether it will have a terminal
 * @throws UsageError for a host that there is not, LabError for one that can't be reached
 */
export async function loginCommand(
    paths: LabPaths,
    words: readonly string[],
    terminal = process.stdin.isTTY && process.stdout.isTTY,
): Promise<readonly string[]> {
    const [wanted, ...rest] = words;
    const command = rest[0] === "--" ? rest.slice(1) : rest;
    const state = loadState(paths);
    const hosts = hostViews(state, existsSync(paths.halted));
    const names = hosts.map(({ name }) => name).join(", ");
    if (wanted === undefined) throw new UsageError(`Which host? ${names === "" ? "There is none." : names}`);
    const host = chooseHost(hosts, wanted);
    if (!host) throw new UsageError(`There is no host "${wanted}". ${names === "" ? "There is none at all." : names}`);
    if (!runningDaemon(paths)) throw new LabError(`The lab "${paths.name}" does not run: \`npm run lab -- start\`.`);
    if (host.state !== "Running") throw new LabError(`${host.name} is ${host.state}.`);
    const reachedBySshOnly = ownsKernel(state.instances[host.instanceId]?.instanceType ?? "");
    // As with ssh itself, one word is a line for the shell there; several are a program and its arguments.
    const line = command.length === 1 ? command[0]! : command.map(shellWord).join(" ");
    const ssh = await sshLine({ paths, state, hosts, host, stacks: recordedStacks(paths) });
    if (ssh) return line === "" ? ssh : [...ssh, line];
    if (reachedBySshOnly)
        throw new LabError(
            `${host.name} has a kernel of its own, which only SSH reaches: with a key pair that a stack of the lab made, and through a bastion or an EIP.`,
        );
    return enterCommand(paths.name, host.instanceId, ["bash", "-l", ...(line === "" ? [] : ["-c", line])], terminal);
}

/** The words of an `ssh` command to the host, or undefined when there is no way to log in. */
async function sshLine(options: Login): Promise<string[] | undefined> {
    const { host, hosts, stacks } = options;
    if (spawnSync("ssh", ["-V"], { stdio: "ignore" }).status !== 0) return undefined;
    const keys = await keysOf(options, host);
    if (keys === undefined) return undefined;
    if (host.publicAddress !== "") return [...ssh(keys, host), `root@${host.publicAddress}`];
    for (const bastion of bastionsOf(host, hosts, stacks)) {
        const bastionKeys = await keysOf(options, bastion);
        if (bastionKeys === undefined) continue;
        const proxy = [...ssh(bastionKeys, bastion), "-W", "%h:%p", `root@${bastion.publicAddress}`];
        return [
            ...ssh(keys, host),
            "-o",
            `ProxyCommand=${proxy.map(shellWord).join(" ")}`,
            `root@${host.privateAddress}`,
        ];
    }
    return undefined;
}

/**
 * The hosts of a host's VPC through which it may be reached, those of its own stack first: a VPC may hold several stacks, whose security
 * groups let only their own bastion in.
 */
export function bastionsOf(
    host: HostView,
    hosts: readonly HostView[],
    stacks: readonly RecordedStack[],
): readonly HostView[] {
    const own = new Set(
        stacks
            .map(({ resources }) => new Set(resources.map(({ outputs }) => outputs?.["id"])))
            .filter((ids) => ids.has(host.instanceId))
            .flatMap((ids) => [...ids]),
    );
    const inReach = hosts.filter(
        ({ publicAddress, vpc, state }) => publicAddress !== "" && vpc === host.vpc && state === "Running",
    );
    const isOwn = ({ instanceId }: HostView): boolean => own.has(instanceId);
    return [...inReach.filter(isOwn), ...inReach.filter((bastion) => !isOwn(bastion))];
}

function ssh({ login, known, pinned }: KeyFiles, host: HostView): string[] {
    const trust = `StrictHostKeyChecking=${pinned ? "yes" : "accept-new"}`;
    return [
        ...["ssh", "-i", login],
        ...["IdentitiesOnly=yes", "LogLevel=ERROR", "ConnectTimeout=10", trust].flatMap((option) => ["-o", option]),
        // Addresses are used again by other hosts, instance ids are not.
        ...["-o", `HostKeyAlias=${host.instanceId}`, "-o", `UserKnownHostsFile=${known}`],
    ];
}

/** Files that a login works with. */
interface KeyFiles {
    /** The private key that opens the host. */
    readonly login: string;
    /** The hosts' own public keys. */
    readonly known: string;
    /** Whether this host's was known before anyone dialled it. */
    readonly pinned: boolean;
}

async function keysOf(login: Login, host: HostView): Promise<KeyFiles | undefined> {
    const ofSteps = await keysOfSteps(login, host);
    if (ofSteps !== undefined) return ofSteps;
    const ofPair = await keyOfPair(login, host);
    return ofPair === undefined
        ? undefined
        : { login: ofPair, known: join(login.paths.ssh, "known_hosts"), pinned: false };
}

/** Those with which a stack itself logs in: after a rotation it is no longer that of the cloud's key pair, nor what the host showed before. */
async function keysOfSteps({ paths, stacks }: Login, { instanceId }: HostView): Promise<KeyFiles | undefined> {
    for (const { name, resources } of stacks) {
        const encrypted = connectionTo(resources, instanceId);
        if (encrypted === undefined) continue;
        // Encrypted anew, and so other files, whenever it changes.
        const login = keyFile(paths, JSON.stringify(encrypted));
        const known = login.replace(/key$/, "known_hosts");
        if (existsSync(login) && existsSync(known)) return { login, known, pinned: true };
        const found = findLogin(JSON.parse((await exportStack(paths, name)) ?? "{}"), instanceId);
        if (found === undefined) continue;
        writeKey(login, found.privateKey);
        writePrivate(known, `${instanceId} ${found.hostKey}\n`);
        return { login, known, pinned: true };
    }
    return undefined;
}

/** With which private key steps on an instance are run, and which key it has to show, from an export with secrets. */
export function findLogin(
    exported: unknown,
    instanceId: string,
): { readonly privateKey: string; readonly hostKey: string } | undefined {
    const connection = plain(connectionTo((exported as Exported).deployment?.resources ?? [], instanceId));
    const { privateKey, hostKey } = (connection ?? {}) as { privateKey?: unknown; hostKey?: unknown };
    const found = { privateKey: plainText(privateKey), hostKey: plainText(hostKey) };
    return found.privateKey === undefined || found.hostKey === undefined
        ? undefined
        : { privateKey: found.privateKey, hostKey: found.hostKey };
}

/** How steps on an instance are run, as a stack's state has it. */
function connectionTo(resources: readonly RecordedResource[], instanceId: string): unknown {
    const step = resources.find(
        ({ type, outputs }) =>
            type === "command:remote:Command" && (outputs?.["triggers"] as unknown[] | undefined)?.[0] === instanceId,
    );
    return step?.outputs?.["connection"];
}

/** The one that belongs to the instance's key pair in the cloud. */
async function keyOfPair({ paths, state, stacks }: Login, host: HostView): Promise<string | undefined> {
    const instance = state.instances[host.instanceId];
    const pair = Object.values(state.keyPairs).find(
        ({ name, regionId }) => name === instance?.keyPairName && regionId === instance.regionId,
    );
    if (!pair) return undefined;
    const publicKey = bare(pair.publicKey);
    const file = keyFile(paths, publicKey);
    if (existsSync(file)) return file;
    for (const { name, resources } of stacks) {
        const made = resources.some(({ outputs }) => {
            const known = outputs?.["publicKeyOpenssh"];
            return typeof known === "string" ? bare(known) === publicKey : known !== undefined;
        });
        if (!made) continue;
        const privateKey = findPrivateKey(JSON.parse((await exportStack(paths, name)) ?? "{}"), publicKey);
        if (privateKey !== undefined) return writeKey(file, privateKey);
    }
    return undefined;
}

function keyFile(paths: LabPaths, identity: string): string {
    return join(paths.ssh, `${createHash("sha256").update(identity).digest("hex").slice(0, 16)}.key`);
}

function writeKey(file: string, privateKey: string): string {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writePrivate(file, privateKey.endsWith("\n") ? privateKey : `${privateKey}\n`);
    return file;
}

/** Type and data of an OpenSSH key, without its comment. */
function bare(publicKey: string): string {
    return publicKey.trim().split(/\s+/).slice(0, 2).join(" ");
}

interface Exported {
    readonly deployment?: { readonly resources?: readonly RecordedResource[] };
}

/** The private key of the stack's `tls.PrivateKey` with this public key, from an export with secrets. */
export function findPrivateKey(exported: unknown, publicKey: string): string | undefined {
    for (const { type, outputs } of (exported as Exported).deployment?.resources ?? []) {
        if (type !== "tls:index/privateKey:PrivateKey") continue;
        if (bare(plainText(outputs?.["publicKeyOpenssh"]) ?? "") !== publicKey) continue;
        return plainText(outputs?.["privateKeyOpenssh"]) ?? plainText(outputs?.["privateKeyPem"]);
    }
    return undefined;
}

/** A value, also one that an export shows as a decrypted secret. */
function plain(value: unknown): unknown {
    if (typeof value !== "object" || value === null || !("plaintext" in value)) return value;
    return JSON.parse(String(value.plaintext)) as unknown;
}

/** Likewise, if it is text. */
function plainText(value: unknown): string | undefined {
    const text = plain(value);
    return typeof text === "string" ? text : undefined;
}
