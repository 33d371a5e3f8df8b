/**
 * `lab ssh`: a real login over SSH with the key that the stack made, through the host's public address or through a
 * bastion of its VPC. The lab plants no key of its own: a host has the keys that it would have in the cloud. Where no
 * such login is possible (a key that the stack does not know, no way in) it enters the host's container instead.
 */
import { createHash } from "node:crypto";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { writePrivate } from "./files";
import type { State } from "./model/state";
import type { LabPaths } from "./paths";
import type { HostView } from "./view";

export interface LoginOptions {
    readonly paths: LabPaths;
    readonly state: State;
    readonly hosts: readonly HostView[];
    readonly host: HostView;
    /** Exports of the stacks that may have made the host's key, with their secrets. */
    readonly exportStacks: () => AsyncIterable<string>;
    /** Command that runs a command line inside the host without SSH. */
    readonly enter: (instanceId: string, command: readonly string[]) => Promise<readonly string[]>;
}

/** Logs in, or runs a command. @returns the exit code of what ran there */
export async function login(options: LoginOptions, command: readonly string[]): Promise<number> {
    // As with ssh itself, one word is a line for the shell there; several are a program and its arguments.
    const line = command.length === 1 ? command[0]! : command.map(quote).join(" ");
    const words = await sshLine(options);
    const enter = (): Promise<readonly string[]> =>
        options.enter(options.host.instanceId, ["bash", "-l", ...(line === "" ? [] : ["-c", line])]);
    const [program = "", ...args] = words ? [...words, ...(line === "" ? [] : [line])] : await enter();
    const child = spawn(program, args, { stdio: "inherit" });
    process.on("SIGINT", () => undefined);
    return new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (code) => resolve(code ?? 1));
    });
}

/** The words of an `ssh` command to the host, or undefined when there is no way to log in. */
async function sshLine(options: LoginOptions): Promise<string[] | undefined> {
    const { paths, host, hosts } = options;
    if (spawnSync("ssh", ["-V"], { stdio: "ignore" }).status !== 0) return undefined;
    const key = await keyOf(options, host);
    if (key === undefined) return undefined;
    if (host.publicAddress !== "") return [...ssh(paths, key, host), `root@${host.publicAddress}`];
    for (const bastion of hosts) {
        if (bastion.publicAddress === "" || bastion.vpc !== host.vpc || bastion.state !== "Running") continue;
        const bastionKey = await keyOf(options, bastion);
        if (bastionKey === undefined) continue;
        const proxy = [...ssh(paths, bastionKey, bastion), "-W", "%h:%p", `root@${bastion.publicAddress}`];
        return [
            ...ssh(paths, key, host),
            "-o",
            `ProxyCommand=${proxy.map(quote).join(" ")}`,
            `root@${host.privateAddress}`,
        ];
    }
    return undefined;
}

function ssh(paths: LabPaths, key: string, host: HostView): string[] {
    return [
        "ssh",
        "-i",
        key,
        ...["IdentitiesOnly=yes", "LogLevel=ERROR", "ConnectTimeout=10", "StrictHostKeyChecking=accept-new"].flatMap(
            (option) => ["-o", option],
        ),
        // Addresses are used again by other hosts, instance ids are not.
        "-o",
        `HostKeyAlias=${host.instanceId}`,
        "-o",
        `UserKnownHostsFile=${join(paths.ssh, "known_hosts")}`,
    ];
}

/** For the shell of the other side, or ProxyCommand's. */
function quote(word: string): string {
    return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;
}

/** File with the private key that opens a host; found in the stack's state by the public key of its key pair. */
async function keyOf({ paths, state, exportStacks }: LoginOptions, host: HostView): Promise<string | undefined> {
    const instance = state.instances[host.instanceId];
    const pair = Object.values(state.keyPairs).find(
        ({ name, regionId }) => name === instance?.keyPairName && regionId === instance.regionId,
    );
    if (!pair) return undefined;
    const publicKey = bare(pair.publicKey);
    const file = join(paths.ssh, `${createHash("sha256").update(publicKey).digest("hex").slice(0, 16)}.key`);
    if (existsSync(file)) return file;
    for await (const exported of exportStacks()) {
        const privateKey = findPrivateKey(JSON.parse(exported), publicKey);
        if (privateKey === undefined) continue;
        mkdirSync(paths.ssh, { recursive: true, mode: 0o700 });
        writePrivate(file, privateKey.endsWith("\n") ? privateKey : `${privateKey}\n`);
        return file;
    }
    return undefined;
}

/** Type and data of an OpenSSH key, without its comment. */
function bare(publicKey: string): string {
    return publicKey.trim().split(/\s+/).slice(0, 2).join(" ");
}

interface Exported {
    readonly deployment?: {
        readonly resources?: readonly { readonly type: string; readonly outputs?: Readonly<Record<string, unknown>> }[];
    };
}

/** The private key of the stack's `tls.PrivateKey` with this public key, from an export with secrets. */
export function findPrivateKey(exported: unknown, publicKey: string): string | undefined {
    for (const { type, outputs } of (exported as Exported).deployment?.resources ?? []) {
        if (type !== "tls:index/privateKey:PrivateKey") continue;
        if (bare(plain(outputs?.["publicKeyOpenssh"]) ?? "") !== publicKey) continue;
        return plain(outputs?.["privateKeyOpenssh"]) ?? plain(outputs?.["privateKeyPem"]);
    }
    return undefined;
}

/** A string, also one that an export shows as a decrypted secret. */
function plain(value: unknown): string | undefined {
    if (typeof value === "string") return value;
    if (typeof value !== "object" || value === null || !("plaintext" in value)) return undefined;
    const decoded: unknown = JSON.parse(String(value.plaintext));
    return typeof decoded === "string" ? decoded : undefined;
}
