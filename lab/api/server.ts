/** HTTP and HTTPS on one loopback port: the provider forces HTTPS for some calls whatever its `protocol` says. */
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { messageOf } from "../../toolchain/errors";
import { equal } from "./credentials";
import { Dispatcher } from "./dispatch";
import { parseFault } from "./faults";
import { ServerCertificate } from "./certificate";

export interface ApiServerOptions {
    readonly dispatcher: Dispatcher;
    readonly certificate: ServerCertificate;
    /** 0 for any free one. */
    readonly port: number;
    /** Guards the lab's own controls below `/_lab/`. */
    readonly controlKey: string;
    /** What `GET /_lab/status` answers to who has no key: nothing that is secret. */
    readonly about?: Readonly<Record<string, unknown>>;
    /** Further controls, by name below `/_lab/`; they answer JSON. */
    readonly controls?: Readonly<Record<string, (body: string) => unknown>>;
}

const TLS_HANDSHAKE = 0x16;
/** How long a request may go on after the lab was told to stop. */
const CLOSE_GRACE_MS = 2_000;
const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** Some clients send every parameter in the URL, which counts as headers: 32 KiB of user data, encoded and escaped, may have 128 there. */
const MAX_HEADER_BYTES = 256 * 1024;

/** The running server. */
export class ApiServer {
    private constructor(
        private readonly listener: net.Server,
        private readonly plain: http.Server,
        private readonly secure: https.Server,
        private readonly sockets: ReadonlySet<net.Socket>,
        private readonly running: ReadonlySet<http.ServerResponse>,
        readonly port: number,
    ) {}

    /** Starts to listen on 127.0.0.1 and, where the machine has it, on ::1. */
    static async listen(options: ApiServerOptions): Promise<ApiServer> {
        const running = new Set<http.ServerResponse>();
        const handle = (request: http.IncomingMessage, response: http.ServerResponse): void => {
            running.add(response);
            response.once("close", () => running.delete(response));
            serve(options, request, response).catch(() => response.destroy());
        };
        const settings = { keepAliveTimeout: 75_000, requestTimeout: 60_000, maxHeaderSize: MAX_HEADER_BYTES };
        const plain = http.createServer(settings, handle);
        const secure = https.createServer(
            {
                ...settings,
                key: options.certificate.key,
                // With the authority, for clients that only know its fingerprint.
                cert: `${options.certificate.certificate}\n${options.certificate.authority}`,
            },
            handle,
        );
        const sockets = new Set<net.Socket>();
        const listener = net.createServer({ noDelay: true }, (socket) => {
            sockets.add(socket);
            socket.on("close", () => sockets.delete(socket));
            socket.on("error", () => socket.destroy());
            socket.once("data", (first) => {
                socket.pause();
                socket.unshift(first);
                const server = first[0] === TLS_HANDSHAKE ? secure : plain;
                server.emit("connection", socket);
                process.nextTick(() => socket.resume());
            });
        });
        await new Promise<void>((resolve, reject) => {
            listener.once("error", reject);
            listener.listen({ host: "127.0.0.1", port: options.port }, () => {
                listener.off("error", reject);
                resolve();
            });
        });
        const { port } = listener.address() as net.AddressInfo;
        return new ApiServer(listener, plain, secure, sockets, running, port);
    }

    /** Stops listening, lets what runs finish for a moment, then closes every connection. */
    async close(): Promise<void> {
        const closed = new Promise<void>((resolve) => this.listener.close(() => resolve()));
        const deadline = Date.now() + CLOSE_GRACE_MS;
        while (this.running.size > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
        for (const socket of this.sockets) socket.destroy();
        await closed;
        // They never listened themselves, but may keep a timer for slow requests.
        this.plain.close();
        this.secure.close();
    }
}

async function serve(
    options: ApiServerOptions,
    request: http.IncomingMessage,
    response: http.ServerResponse,
): Promise<void> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > MAX_BODY_BYTES) {
            send(response, 413, { Code: "RequestEntityTooLarge", Message: "The request is too large." });
            request.destroy();
            return;
        }
        chunks.push(chunk);
    }
    const body = Buffer.concat(chunks);
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    const path = mark < 0 ? url : url.slice(0, mark);
    if (path.startsWith("/_lab/")) {
        await control(options, request, response, path.slice("/_lab/".length), body.toString());
        return;
    }
    const headers: Record<string, string | undefined> = {};
    for (const [name, value] of Object.entries(request.headers))
        headers[name] = Array.isArray(value) ? value.join(",") : value;
    const result = await options.dispatcher.handle({
        method: request.method ?? "GET",
        path: path === "" ? "/" : path,
        query: mark < 0 ? "" : url.slice(mark + 1),
        headers,
        body,
    });
    response.writeHead(result.status, {
        ...result.headers,
        "content-length": Buffer.byteLength(result.body),
    });
    response.end(result.body);
}

/** The lab's own controls; everything but the status needs the account's secret. */
async function control(
    options: ApiServerOptions,
    request: http.IncomingMessage,
    response: http.ServerResponse,
    name: string,
    body: string,
): Promise<void> {
    if (name === "status" && request.method === "GET") {
        send(response, 200, { ...options.about });
        return;
    }
    const key = request.headers["x-lab-key"];
    if (typeof key !== "string" || !equal(key, options.controlKey)) {
        send(response, 403, { Code: "Forbidden", Message: "The header x-lab-key must hold the lab's secret key." });
        return;
    }
    try {
        if (name === "throttle" && request.method === "POST") {
            options.dispatcher.faults.add(parseFault(body));
            send(response, 200, {});
        } else if (name === "throttle" && request.method === "DELETE") {
            options.dispatcher.faults.clear();
            send(response, 200, {});
        } else {
            const run = options.controls?.[name];
            if (!run) send(response, 404, { Code: "NotFound", Message: `The lab has no control "${name}".` });
            else send(response, 200, (await run(body)) ?? {});
        }
    } catch (error) {
        send(response, 400, { Code: "Failed", Message: messageOf(error) });
    }
}

function send(response: http.ServerResponse, status: number, body: unknown): void {
    const text = JSON.stringify(body);
    response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
    response.end(text);
}
