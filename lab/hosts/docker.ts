/** The few calls of the Docker Engine API that the lab needs, over the engine's socket: no process per call. */
import * as http from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Readable } from "node:stream";
import { startOf } from "../process";

/** The engine refused a call. */
export class DockerError extends Error {
    constructor(
        readonly status: number,
        message: string,
    ) {
        super(message);
    }
}

/** What the lab reads of a container. */
export interface Container {
    readonly Id: string;
    readonly Name: string;
    readonly State: {
        readonly Running: boolean;
        readonly Status: string;
        readonly Pid: number;
        readonly ExitCode: number;
        readonly StartedAt: string;
        readonly OOMKilled: boolean;
    };
    readonly Config: { readonly Labels: Readonly<Record<string, string>> };
}

/** One line of the engine's event stream. */
export interface ContainerEvent {
    readonly Action: string;
    readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
    readonly timeNano: number;
}

/** What the lab reads of the engine's own description. */
export interface EngineInfo {
    /** Name of the machine that it runs on. */
    readonly Name: string;
    readonly ServerVersion: string;
    readonly Driver: string;
    readonly CgroupVersion?: string;
    readonly CgroupDriver: string;
    readonly DockerRootDir: string;
    readonly NCPU: number;
    readonly CPUCfsQuota: boolean;
    readonly CPUShares: boolean;
    readonly MemoryLimit: boolean;
    readonly SwapLimit: boolean;
    readonly SecurityOptions?: readonly string[];
}

/** Path of the engine's socket. */
export function dockerSocket(): string {
    const host = process.env["DOCKER_HOST"] ?? "";
    return host.startsWith("unix://") ? host.slice("unix://".length) : "/var/run/docker.sock";
}

/** That an engine's containers are not processes of this machine's, and the remedy. @param sign by which that is known. */
export function engineElsewhere(socketPath: string, sign: string): string {
    return (
        `The Docker behind ${socketPath} runs elsewhere (${sign}), and the lab can't wire what is no process of this machine: ` +
        "install and start Docker here and name its socket in DOCKER_HOST (unix://…), or run the lab where that one runs."
    );
}

export class Docker {
    private readonly agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
    private version: string | undefined;

    constructor(readonly socketPath: string = dockerSocket()) {}

    /** Why the engine can't be used, or undefined when it answers. */
    async problem(): Promise<"absent" | "forbidden" | "silent" | undefined> {
        if (!existsSync(this.socketPath)) return "absent";
        try {
            await this.negotiate();
            return undefined;
        } catch (error) {
            const code = (error as NodeJS.ErrnoException).code;
            return code === "EACCES" ? "forbidden" : code === "ECONNREFUSED" || code === "ENOENT" ? "absent" : "silent";
        }
    }

    /**
     * Tells one run of the engine from another: it is a new one after a restart of the engine or of the machine. Undefined where the engine's
     * process is not known.
     */
    engineRun(): string | undefined {
        try {
            // The engine puts its process id beside its socket.
            const pid = readFileSync(this.socketPath.replace(/\.sock$/, ".pid"), "utf8").trim();
            const start = startOf(Number(pid));
            // Times of start are counted from the machine's.
            const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
            return start === undefined ? undefined : `${boot} ${pid} ${start}`;
        } catch {
            return undefined;
        }
    }

    /** Whether the engine takes new connections. One that ends refuses them before it stops its containers, and serves those that it has. */
    async isListening(): Promise<boolean> {
        try {
            await read(await this.raw("GET", "/_ping", {}, undefined, AbortSignal.timeout(30_000)));
            return true;
        } catch {
            return false;
        }
    }

    async info(): Promise<EngineInfo> {
        return (await this.call("GET", "/info")) as EngineInfo;
    }

    async imageId(reference: string): Promise<string | undefined> {
        const image = await this.orAbsent(this.call("GET", `/images/${encodeURIComponent(reference)}/json`));
        return (image as { Id: string } | undefined)?.Id;
    }

    /** Makes an image of one layer out of a tar stream. */
    async importImage(tar: Readable, repository: string, tag: string): Promise<void> {
        const response = await this.request(
            "POST",
            `/images/create?fromSrc=-&repo=${encodeURIComponent(repository)}&tag=${encodeURIComponent(tag)}`,
            { "content-type": "application/x-tar" },
            tar,
        );
        const text = await read(response);
        const failure = /"error":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
        if ((response.statusCode ?? 500) >= 300 || failure !== undefined)
            throw new DockerError(response.statusCode ?? 500, failure ?? text.trim());
    }

    /** Removes images of a repository whose tag begins with a prefix, but for one, and but for those in use. */
    async removeOldImages(repository: string, prefix: string, current: string): Promise<void> {
        const filters = encodeURIComponent(JSON.stringify({ reference: [`${repository}:${prefix}*`] }));
        const found = (await this.call("GET", `/images/json?filters=${filters}`)) as { RepoTags: string[] | null }[];
        for (const tag of found.flatMap(({ RepoTags }) => RepoTags ?? []))
            if (tag !== `${repository}:${current}`)
                await this.call("DELETE", `/images/${encodeURIComponent(tag)}`).catch(() => undefined);
    }

    async create(name: string, specification: object): Promise<string> {
        const made = await this.call("POST", `/containers/create?name=${encodeURIComponent(name)}`, specification);
        return (made as { Id: string }).Id;
    }

    async start(id: string): Promise<void> {
        await this.call("POST", `/containers/${id}/start`);
    }

    /** Asks the container to stop and kills it when it has not after `seconds`. */
    async stop(id: string, seconds: number): Promise<void> {
        await this.orAbsent(this.call("POST", `/containers/${id}/stop?t=${seconds}`));
    }

    async update(id: string, limits: object): Promise<void> {
        await this.call("POST", `/containers/${id}/update`, limits);
    }

    /** Removes a container with its volumes, running or not. */
    async remove(id: string): Promise<void> {
        for (let attempt = 0; ; attempt += 1) {
            try {
                await this.orAbsent(this.call("DELETE", `/containers/${id}?force=true&v=true`));
                return;
            } catch (error) {
                // 409: somebody else is removing it; 500: a mount that is busy for a moment.
                if (attempt >= 20 || !(error instanceof DockerError)) throw error;
                await sleep(250);
            }
        }
    }

    async inspect(id: string): Promise<Container | undefined> {
        return (await this.orAbsent(this.call("GET", `/containers/${id}/json`))) as Container | undefined;
    }

    /** Ids of all containers, running or not, that carry a label. */
    async list(label: string): Promise<string[]> {
        const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
        const found = (await this.call("GET", `/containers/json?all=true&filters=${filters}`)) as { Id: string }[];
        return found.map(({ Id }) => Id);
    }

    /** How many containers run: of those that carry a label, or of all. */
    async running(label?: string): Promise<number> {
        const filters = encodeURIComponent(JSON.stringify(label === undefined ? {} : { label: [label] }));
        return ((await this.call("GET", `/containers/json?filters=${filters}`)) as unknown[]).length;
    }

    /** What the container's terminal showed since a time. */
    async logs(id: string, since: string): Promise<string> {
        const seconds = Math.floor(new Date(since).getTime() / 1000);
        const response = await this.request("GET", `/containers/${id}/logs?stdout=true&stderr=true&since=${seconds}`);
        const text = await read(response);
        if (response.statusCode !== 200) throw new DockerError(response.statusCode ?? 500, text);
        return text;
    }

    /** Follows the events of containers that carry a label until the signal aborts; ends when the engine goes away. */
    async events(label: string, signal: AbortSignal, started: () => void, each: (event: ContainerEvent) => void) {
        const filters = encodeURIComponent(
            JSON.stringify({ type: ["container"], label: [label], event: ["start", "die", "destroy"] }),
        );
        const response = await this.request("GET", `/events?filters=${filters}`, {}, undefined, signal);
        started();
        let rest = "";
        for await (const chunk of response as AsyncIterable<Buffer>) {
            const lines = (rest + chunk.toString()).split("\n");
            rest = lines.pop() ?? "";
            for (const line of lines) if (line.trim() !== "") each(JSON.parse(line) as ContainerEvent);
        }
    }

    close(): void {
        this.agent.destroy();
    }

    private async orAbsent(call: Promise<unknown>): Promise<unknown> {
        try {
            return await call;
        } catch (error) {
            if (error instanceof DockerError && error.status === 404) return undefined;
            throw error;
        }
    }

    /** Newer engines refuse old API versions and old ones new versions, hence the version that the engine names. */
    private async negotiate(): Promise<string> {
        if (this.version === undefined) {
            const response = await this.raw("GET", "/_ping", {}, undefined);
            await read(response);
            this.version = String(response.headers["api-version"] ?? "1.41");
        }
        return this.version;
    }

    private async call(method: string, path: string, body?: object): Promise<unknown> {
        const response = await this.request(method, path, { "content-type": "application/json" }, body);
        const text = await read(response);
        const status = response.statusCode ?? 500;
        if (status >= 400) {
            let message = text.trim();
            try {
                message = (JSON.parse(text) as { message: string }).message;
            } catch {
                // Not every failure is JSON; the text is the message then.
            }
            throw new DockerError(status, message);
        }
        return text === "" ? undefined : (JSON.parse(text) as unknown);
    }

    private async request(
        method: string,
        path: string,
        headers: http.OutgoingHttpHeaders = {},
        body?: object | Readable,
        signal?: AbortSignal,
    ): Promise<http.IncomingMessage> {
        return this.raw(method, `/v${await this.negotiate()}${path}`, headers, body, signal);
    }

    private async raw(
        method: string,
        path: string,
        headers: http.OutgoingHttpHeaders,
        body: object | Readable | undefined,
        signal?: AbortSignal,
    ): Promise<http.IncomingMessage> {
        const streaming = body !== undefined && "pipe" in body;
        const text = body === undefined || streaming ? undefined : JSON.stringify(body);
        return new Promise((resolve, reject) => {
            const request = http.request(
                {
                    socketPath: this.socketPath,
                    method,
                    path,
                    // Long answers must not keep other calls waiting for a connection.
                    agent: signal || streaming ? false : this.agent,
                    headers: {
                        host: "docker",
                        ...headers,
                        ...(text !== undefined && { "content-length": Buffer.byteLength(text) }),
                    },
                    ...(signal && { signal }),
                },
                resolve,
            );
            request.on("error", reject);
            if (streaming) {
                body.on("error", (error: Error) => request.destroy(error));
                body.pipe(request);
            } else request.end(text);
        });
    }
}

async function read(response: http.IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
}
