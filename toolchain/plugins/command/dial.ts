import * as crypto from "node:crypto";
import * as net from "node:net";
import type { Duplex } from "node:stream";
import { type AnyAuthMethod, Client, type ConnectConfig, type ParsedKey, utils } from "ssh2";
import { marshalOpenSsh } from "../common/openssh";
import { abortReason, FinalError, messageOf } from "./retry";
import type { Endpoint } from "./settings";

// Found dead within a minute, without keeping a busy host from answering late.
const keepAliveInterval = 15_000;
const keepAliveMisses = 3;

/** An endpoint with its keys parsed: what is wrong here no further attempt can heal. */
export interface PreparedEndpoint {
    readonly endpoint: Endpoint;
    readonly config: ConnectConfig;
}

/** Like net.JoinHostPort: what Go programs print, so that messages read the same. */
function address(endpoint: Endpoint): string {
    return `${endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
}

function parsePrivateKey(text: string, passphrase: string | undefined): ParsedKey {
    let readable = text;
    if (/-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/.test(text)) {
        // ssh2 reads no PKCS#8; the official plugin does.
        try {
            readable = marshalOpenSsh(crypto.createPrivateKey({ key: text, passphrase }));
        } catch {
            throw new FinalError("ssh: private key can't be read: not a valid PKCS#8 key, or its password is wrong");
        }
    }
    const parsed = utils.parseKey(readable, passphrase) as ParsedKey | ParsedKey[] | Error;
    const key = Array.isArray(parsed) ? parsed[0] : parsed;
    if (key instanceof Error || key === undefined) {
        throw new FinalError(`ssh: ${keyProblem(key, passphrase)}`);
    }
    if (!key.isPrivateKey()) {
        throw new FinalError("ssh: privateKey holds a public key");
    }
    return key;
}

function keyProblem(error: Error | undefined, passphrase: string | undefined): string {
    const text = error?.message ?? "no key found";
    if (/no passphrase given/i.test(text)) {
        return "this private key is passphrase protected: privateKeyPassword is missing";
    }
    if (passphrase !== undefined && /integrity|bad passphrase|bad decrypt|decrypt/i.test(text)) {
        return "x509: decryption password incorrect: privateKeyPassword does not open this private key";
    }
    return `private key can't be read: ${text}`;
}

function pinnedHostKey(text: string): { type: string; blob: Buffer } {
    const [type, encoded] = text.trim().split(/\s+/);
    const blob = Buffer.from(encoded ?? "", "base64");
    const typeInBlob = blob.length > 4 ? blob.subarray(4, 4 + blob.readUInt32BE(0)).toString("latin1") : undefined;
    if (type === undefined || typeInBlob !== type) {
        throw new FinalError("failed to parse host key: expected '<type> <base64>', as in an authorized_keys file");
    }
    return { type, blob };
}

function fingerprint(blob: Buffer): string {
    return `SHA256:${crypto.createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

async function checkAgent(path: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
        const socket = net.connect(path);
        socket.once("connect", () => {
            socket.destroy();
            resolve();
        });
        socket.once("error", (error) => reject(new FinalError(`dial unix ${path}: ${error.message}`)));
    });
}

/** Parses keys and collects the ways to authenticate, in the official plugin's order: key, password, agent. */
export async function prepare(endpoint: Endpoint): Promise<PreparedEndpoint> {
    const username = endpoint.user;
    const methods: AnyAuthMethod[] = [];
    if (endpoint.privateKey !== undefined) {
        const key = parsePrivateKey(endpoint.privateKey, endpoint.privateKeyPassword);
        methods.push({ type: "publickey", username, key });
    }
    if (endpoint.password !== undefined) {
        const password = endpoint.password;
        methods.push({ type: "password", username, password });
        methods.push({
            type: "keyboard-interactive",
            username,
            prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(() => password)),
        });
    }
    const agent = endpoint.agentSocketPath ?? process.env["SSH_AUTH_SOCK"];
    if (agent) {
        await checkAgent(agent);
        methods.push({ type: "agent", username, agent });
    }
    const pinned = endpoint.hostKey === undefined ? undefined : pinnedHostKey(endpoint.hostKey);
    return {
        endpoint,
        config: {
            username,
            authHandler: [{ type: "none", username }, ...methods],
            readyTimeout: endpoint.perDialTimeout * 1_000,
            keepaliveInterval: keepAliveInterval,
            keepaliveCountMax: keepAliveMisses,
            ...(pinned && {
                algorithms: {
                    serverHostKey: (pinned.type === "ssh-rsa"
                        ? ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"]
                        : [pinned.type]) as never,
                },
            }),
        },
    };
}

function connectTcp(endpoint: Endpoint, signal: AbortSignal): Promise<net.Socket> {
    return new Promise((resolve, reject) => {
        const socket = net.connect({ host: endpoint.host, port: endpoint.port });
        const seconds = endpoint.perDialTimeout;
        const timer = seconds > 0 ? setTimeout(() => fail(new Error("i/o timeout")), seconds * 1_000) : undefined;
        const settle = () => {
            clearTimeout(timer);
            signal.removeEventListener("abort", onAbort);
        };
        const fail = (error: Error) => {
            settle();
            socket.destroy();
            reject(new Error(`dial tcp ${address(endpoint)}: ${error.message}`));
        };
        const onAbort = () => fail(abortReason(signal));
        signal.addEventListener("abort", onAbort);
        socket.once("error", fail);
        socket.once("connect", () => {
            settle();
            socket.off("error", fail);
            socket.setNoDelay(true);
            resolve(socket);
        });
    });
}

function forwardThrough(proxy: Client, endpoint: Endpoint): Promise<Duplex> {
    return new Promise((resolve, reject) => {
        try {
            proxy.forwardOut("127.0.0.1", 0, endpoint.host, endpoint.port, (error, channel) =>
                error ? reject(new Error(`dial ${address(endpoint)} from proxy: ${error.message}`)) : resolve(channel),
            );
        } catch (error) {
            reject(new Error(`dial ${address(endpoint)} from proxy: ${messageOf(error)}`));
        }
    });
}

/** One attempt to connect and authenticate, directly or through the connection to a proxy. */
export async function dial(prepared: PreparedEndpoint, signal: AbortSignal, proxy?: Client): Promise<Client> {
    const { endpoint, config } = prepared;
    const stream = proxy ? await forwardThrough(proxy, endpoint) : await connectTcp(endpoint, signal);
    const pinned = endpoint.hostKey === undefined ? undefined : pinnedHostKey(endpoint.hostKey);
    const client = new Client();
    let mismatch: FinalError | undefined;
    let onAbort: (() => void) | undefined;
    try {
        await new Promise<void>((resolve, reject) => {
            const fail = (error: Error) => reject(handshakeError(error));
            onAbort = () => reject(abortReason(signal));
            signal.addEventListener("abort", onAbort);
            client.once("ready", resolve);
            client.once("error", fail);
            client.once("close", () => fail(new Error("connection closed by the server")));
            client.connect({
                ...config,
                sock: stream,
                hostVerifier: (offered: Buffer) => {
                    if (pinned !== undefined && !pinned.blob.equals(offered)) {
                        mismatch = new FinalError(
                            `ssh: handshake failed: ssh: host key mismatch: ${address(endpoint)} offered ` +
                                `${fingerprint(offered)}, expected ${fingerprint(pinned.blob)}`,
                        );
                    }
                    return mismatch === undefined;
                },
            });
        });
    } catch (error) {
        // ssh2 can report more than one error for a connection that fails; an unheard one would end the process.
        client.on("error", () => undefined);
        client.destroy();
        stream.destroy();
        throw mismatch ?? wrongType(error, pinned?.type, endpoint) ?? error;
    } finally {
        if (onAbort) {
            signal.removeEventListener("abort", onAbort);
        }
    }
    client.removeAllListeners("error");
    client.on("error", () => undefined);
    return client;
}

function handshakeError(error: Error & { level?: string }): Error {
    if (error.level === "client-authentication") {
        return new Error("ssh: handshake failed: ssh: unable to authenticate, no supported methods remain");
    }
    return new Error(`ssh: handshake failed: ${error.message}`);
}

// A server without a key of the pinned type is not the expected one either.
function wrongType(error: unknown, type: string | undefined, endpoint: Endpoint): FinalError | undefined {
    if (type !== undefined && /no matching host key/i.test(messageOf(error))) {
        return new FinalError(
            `ssh: handshake failed: ssh: host key mismatch: ${address(endpoint)} has no host key of type ${type}`,
        );
    }
    return undefined;
}
