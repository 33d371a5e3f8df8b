/**
 * A bucket in object storage that speaks S3 as Alibaba Cloud's OSS does: moto's server keeps the objects, and the door in front of it
 * refuses what OSS refuses. Its name is known to those only who come through its proxy, so nobody reaches the real one by accident.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import {
    createServer as createPlainServer,
    type IncomingMessage,
    request,
    type Server,
    type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, createServer as createSocketServer, type Server as SocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./lab";
import { type Python, pythonWith } from "./python";

const moto = ["moto[s3]==5.2.5", "flask==3.1.3", "flask-cors==6.0.5"];
const region = "cn-hangzhou";
const endpoint = `s3.oss-${region}.test`;
/** The store asks for a signature and doesn't look at it. */
const someone = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

async function listen(server: SocketServer): Promise<number> {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
    const server = createSocketServer();
    const port = await listen(server);
    server.close();
    return port;
}

export class Oss {
    /** What it has refused, by OSS' error codes. */
    readonly refused: string[] = [];
    private door: Server | undefined;
    private proxy: Server | undefined;
    private proxyPort = 0;

    private constructor(
        readonly bucket: string,
        private readonly folder: string,
        private readonly python: Python,
        private readonly store: ChildProcess,
        private readonly port: number,
    ) {}

    /** Starts it with an empty bucket that keeps old versions. */
    static async start(bucket: string): Promise<Oss> {
        const [python, port] = [await pythonWith(...moto), await freePort()];
        const folder = mkdtempSync(join(tmpdir(), "multihost-oss-"));
        const store = spawn(join(python.bin, "moto_server"), ["-H", "127.0.0.1", "-p", String(port)], {
            stdio: "ignore",
        });
        const oss = new Oss(bucket, folder, python, store, port);
        try {
            await eventually("the store answers", 60, () => fetch(oss.address("")));
            await oss.ask("PUT", "");
            await oss.ask(
                "PUT",
                "?versioning",
                "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
            );
            await oss.open();
            return oss;
        } catch (error) {
            await oss.stop();
            throw error;
        }
    }

    /** How Pulumi is told of it. */
    get url(): string {
        return `s3://${this.bucket}?endpoint=${endpoint}&region=${region}`;
    }

    /** With it clients find the endpoint, and trust it beside what they trust already. */
    environment(trusted: string): NodeJS.ProcessEnv {
        const bundle = join(this.folder, "bundle.pem");
        writeFileSync(bundle, `${readFileSync(trusted, "utf8")}\n${readFileSync(this.certificate, "utf8")}`);
        return { HTTPS_PROXY: `http://127.0.0.1:${this.proxyPort}`, SSL_CERT_FILE: bundle, AWS_CA_BUNDLE: bundle };
    }

    /** Names of the objects below a folder. */
    async keys(prefix: string): Promise<string[]> {
        const list = await this.ask("GET", `?list-type=2&prefix=${prefix}`);
        return [...list.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key!);
    }

    read(key: string): Promise<string> {
        return this.ask("GET", `/${key}`);
    }

    write(key: string, text: string): Promise<string> {
        return this.ask("PUT", `/${key}`, text);
    }

    /** What an object was before its last change. */
    async before(key: string): Promise<string> {
        const list = await this.ask("GET", `?versions&prefix=${key}`);
        const versions = [...list.matchAll(/<Version>[\s\S]*?<\/Version>/g)]
            .map(([version]) => version)
            .filter((version) => version.includes(`<Key>${key}</Key>`) && version.includes("<IsLatest>false<"));
        // The newest comes first.
        const [, id] = /<VersionId>([^<]*)</.exec(versions[0] ?? "") ?? [];
        if (id === undefined) throw new Error(`${key} has no older version.`);
        return this.ask("GET", `/${key}?versionId=${id}`);
    }

    async stop(): Promise<void> {
        this.proxy?.close();
        this.door?.close();
        this.door?.closeAllConnections();
        if (this.store.exitCode === null && this.store.kill()) await once(this.store, "exit");
        this.python.remove();
        rmSync(this.folder, { recursive: true, force: true });
    }

    private get certificate(): string {
        return join(this.folder, "certificate.pem");
    }

    private address(path: string): string {
        return `http://127.0.0.1:${this.port}/${this.bucket}${path}`;
    }

    /** Asks the store itself. @throws Error when it refuses */
    private async ask(method: string, path: string, body?: string): Promise<string> {
        const answer = await fetch(this.address(path), {
            method,
            headers: { authorization: someone },
            ...(body !== undefined && { body }),
        });
        const text = await answer.text();
        if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
        return text;
    }

    private async open(): Promise<void> {
        const key = join(this.folder, "key.pem");
        const names = `subjectAltName=DNS:${endpoint},DNS:*.${endpoint}`;
        execFileSync(
            "openssl",
            [
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "2",
            ].concat(["-subj", `/CN=${endpoint}`, "-addext", names, "-keyout", key, "-out", this.certificate]),
            { stdio: "ignore" },
        );
        const identity = { key: readFileSync(key), cert: readFileSync(this.certificate) };
        this.door = createTlsServer(identity, (asked, answer) => this.answer(asked, answer));
        const door = await listen(this.door);
        this.proxy = createPlainServer();
        this.proxy.on("connect", ({ url = "" }: IncomingMessage, client) => {
            client.on("error", () => client.destroy());
            if (!url.endsWith(`${endpoint}:443`)) {
                client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
                return;
            }
            const server = connect(door, "127.0.0.1", () => {
                client.write("HTTP/1.1 200 Connection established\r\n\r\n");
                server.pipe(client).pipe(server);
            });
            server.on("error", () => client.destroy());
            client.on("close", () => server.destroy());
        });
        this.proxyPort = await listen(this.proxy);
    }

    private answer(asked: IncomingMessage, answer: ServerResponse): void {
        const { headers, method, url = "/" } = asked;
        const chunked =
            headers["content-encoding"]?.includes("aws-chunked") === true ||
            String(headers["x-amz-content-sha256"]).startsWith("STREAMING-");
        const [status, code] =
            headers.host !== `${this.bucket}.${endpoint}`
                ? [403, "SecondLevelDomainForbidden"]
                : chunked
                  ? [400, "InvalidArgument"]
                  : [200, ""];
        if (status !== 200) {
            this.refused.push(code);
            asked.resume();
            answer.writeHead(status, { "content-type": "application/xml" });
            answer.end(`<Error><Code>${code}</Code><Message>Refused as OSS does.</Message></Error>`);
            return;
        }
        const inner = request(
            {
                port: this.port,
                host: "127.0.0.1",
                method,
                path: `/${this.bucket}${url}`,
                headers: { ...headers, host: `127.0.0.1:${this.port}` },
            },
            (stored) => {
                answer.writeHead(stored.statusCode!, stored.headers);
                stored.pipe(answer);
            },
        );
        inner.on("error", () => answer.destroy());
        asked.pipe(inner);
    }
}
