import * as crypto from "node:crypto";
import * as net from "node:net";
import * as tls from "node:tls";
import { parseOpenSsh } from "../common/openssh";
import type { PluginFunction } from "../common/plugin";
import { check, type Checked, type Fields } from "../common/schema";
import { plain, Secret, type ValueMap } from "../common/values";
import { algorithmOf, decodePem, parsePrivateKey, publicKeyOutputs } from "./keys";
import { describe, parseCertificateDer } from "./x509";

/** The provider's `proxy` setting. */
export interface Proxy {
    readonly url?: string;
    readonly username?: string;
    readonly password?: string;
    readonly fromEnv?: boolean;
}

const exactlyOneOf =
    (fields: Fields, left: string, right: string) =>
    (args: ValueMap): Checked => {
        const checked = check(fields, args);
        const given = [left, right].filter((property) => checked.inputs[property] !== undefined);
        if (given.length !== 1) {
            const problem = given.length === 0 ? "No attribute specified" : "2 attributes specified";
            const reason = `Invalid Attribute Combination. ${problem} when one (and only one) of [${left}, ${right}] is required`;
            checked.failures.push({ property: left, reason });
        }
        return checked;
    };

export function getPublicKey(): PluginFunction {
    const fields: Fields = { privateKeyPem: { type: "string" }, privateKeyOpenssh: { type: "string" } };
    return {
        check: exactlyOneOf(fields, "privateKeyPem", "privateKeyOpenssh"),
        call: async (args) => {
            const { privateKeyPem, privateKeyOpenssh } = plain(args) as Record<string, string | undefined>;
            let key: crypto.KeyObject;
            try {
                key = privateKeyPem === undefined ? parseAny(privateKeyOpenssh!) : parsePrivateKey(privateKeyPem);
            } catch (error) {
                throw new Error(`Unable to parse private key: ${(error as Error).message}`);
            }
            const given = Object.entries(args).map(([name, value]) => [name, new Secret(plain(value))] as const);
            return { ...Object.fromEntries(given), algorithm: algorithmOf(key), ...publicKeyOutputs(key) };
        },
    };
}

function parseAny(text: string): crypto.KeyObject {
    try {
        return text.includes("OPENSSH PRIVATE KEY") ? parseOpenSsh(text) : parsePrivateKey(text);
    } catch (error) {
        throw new Error(`failed to parse openssh private key: ${(error as Error).message}`);
    }
}

const dialTimeout = 30_000;

function bypasses(host: string, noProxy: string): boolean {
    return (
        host === "localhost" ||
        host.startsWith("127.") ||
        host === "::1" ||
        noProxy
            .split(",")
            .map((entry) => entry.trim().replace(/^\*?\./, ""))
            .some((entry) => entry === "*" || (entry !== "" && (host === entry || host.endsWith(`.${entry}`))))
    );
}

function proxyFor(host: string, proxy: Proxy): URL | undefined {
    if (proxy.url !== undefined) {
        const url = new URL(proxy.url);
        url.username = proxy.username === undefined ? url.username : encodeURIComponent(proxy.username);
        url.password = proxy.password === undefined ? url.password : encodeURIComponent(proxy.password);
        return url;
    }
    const env = process.env;
    const text = env["HTTPS_PROXY"] ?? env["https_proxy"];
    const skip = proxy.fromEnv === false || bypasses(host, env["NO_PROXY"] ?? env["no_proxy"] ?? "");
    return skip || !text ? undefined : new URL(text.includes("://") ? text : `http://${text}`);
}

function connectThrough(proxy: URL, target: string): Promise<net.Socket> {
    if (proxy.protocol !== "http:") {
        throw new Error(`proxies of scheme '${proxy.protocol.slice(0, -1)}' are not supported here, only http`);
    }
    return new Promise((resolve, reject) => {
        const socket = net.connect(Number(proxy.port || 80), proxy.hostname.replace(/^\[|\]$/g, ""));
        const fail = (message: string) => {
            socket.destroy();
            reject(new Error(`proxyconnect tcp: ${message}`));
        };
        const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
        const authorization =
            proxy.username === ""
                ? ""
                : `Proxy-Authorization: Basic ${Buffer.from(credentials).toString("base64")}\r\n`;
        let answer = "";
        const onData = (chunk: Buffer) => {
            answer += chunk.toString("latin1");
            if (!answer.includes("\r\n\r\n")) {
                return;
            }
            socket.off("data", onData);
            const status = answer.split("\r\n")[0]!;
            if (/^HTTP\/1\.[01] 200\b/.test(status)) {
                socket.removeAllListeners("error");
                resolve(socket);
            } else {
                fail(status);
            }
        };
        socket.once("error", (error) => fail(error.message));
        socket.once("connect", () =>
            socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${authorization}\r\n`),
        );
        socket.on("data", onData);
    });
}

async function fetchChain(url: URL, verify: boolean, proxy: Proxy): Promise<Buffer[]> {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const port = Number(url.port || 443);
    const target = `${url.hostname}:${port}`;
    const through = url.protocol === "https:" ? proxyFor(host, proxy) : undefined;
    const socket = through && (await connectThrough(through, target));
    return new Promise((resolve, reject) => {
        const connection = tls.connect({
            ...(socket ? { socket } : { host, port }),
            ...(net.isIP(host) ? {} : { servername: host }),
            host,
            rejectUnauthorized: verify,
            timeout: dialTimeout,
        });
        const fail = (message: string) => {
            connection.destroy();
            reject(new Error(`unable to execute TLS connection towards ${target}: ${message}`));
        };
        connection.once("error", (error: Error) => fail(error.message));
        connection.once("timeout", () => fail("i/o timeout"));
        connection.once("secureConnect", () => {
            const chain: Buffer[] = [];
            type Link = Partial<tls.DetailedPeerCertificate> | undefined;
            let link = connection.getPeerCertificate(true) as Link;
            // The root names itself as its issuer.
            for (let raw = link?.raw; raw && !chain.some((known) => raw!.equals(known)); raw = link?.raw) {
                chain.push(raw);
                link = link?.issuerCertificate;
            }
            connection.destroy();
            resolve(chain);
        });
    });
}

function urlProblem(value: unknown): string | undefined {
    let url: URL;
    try {
        url = new URL(value as string);
    } catch {
        return `Invalid URL. Parsing URL ${JSON.stringify(value)} failed`;
    }
    return ["https:", "tls:"].includes(url.protocol)
        ? undefined
        : `Invalid URL scheme. URL ${JSON.stringify(value)} expected to use scheme from [https tls], got: ${url.protocol.slice(0, -1)}`;
}

export function getCertificate(proxy: () => Proxy): PluginFunction {
    const fields: Fields = {
        url: { type: "string", problem: urlProblem },
        content: { type: "string" },
        verifyChain: { type: "boolean" },
    };
    const checkOne = exactlyOneOf(fields, "content", "url");
    return {
        check: (args) => {
            const checked = checkOne(args);
            if (checked.inputs["content"] !== undefined && checked.inputs["verifyChain"] !== undefined) {
                const reason =
                    'Invalid Attribute Combination. Attribute "content" cannot be specified when "verifyChain" is specified';
                checked.failures.push({ property: "verifyChain", reason });
            }
            return checked;
        },
        call: async (args) => {
            const given = plain(args) as { url?: string; content?: string; verifyChain?: boolean };
            const verifyChain = given.verifyChain ?? true;
            let chain: Buffer[];
            if (given.content !== undefined) {
                const block = decodePem(given.content);
                if (block === undefined) {
                    throw new Error("Failed to decoded PEM: Value is not a valid PEM encoding of a certificate");
                }
                if (block.label !== "CERTIFICATE") {
                    throw new Error(
                        `Unexpected PEM preamble: Certificate PEM should be "CERTIFICATE", got "${block.label}"`,
                    );
                }
                chain = [block.bytes];
            } else {
                const url = new URL(given.url!);
                if (url.protocol === "tls:" && url.port === "") {
                    throw new Error(`URL malformed: Port missing from URL: ${given.url}`);
                }
                chain = await fetchChain(url, verifyChain, proxy()).catch((error: unknown) => {
                    throw new Error(`Failed to identify fetch peer certificates: ${(error as Error).message}`);
                });
            }
            const certificates = chain.reverse().map((bytes) => describe(parseCertificateDer(bytes)));
            const id = crypto.createHash("sha1").update(JSON.stringify(certificates)).digest("hex");
            return { ...args, verifyChain, certificates, id };
        },
    };
}
