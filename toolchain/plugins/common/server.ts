import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { type IResourceProviderServer, ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import type { Change } from "./diff";
import { Engine } from "./engine";
import type { Operation, Plugin, Resource } from "./plugin";
import type { Checked } from "./schema";
import { decode, encode } from "./values";

type Call<Request> = grpc.ServerUnaryCall<Request, unknown>;
type Handler<Request, Response> = (call: Call<Request>, callback: grpc.sendUnaryData<Response>) => void;

// The engine's own limit; a command's output or an asset may be large.
const maxMessage = 400 * 1024 * 1024;

export interface RunningServer {
    readonly port: number;
    /** Cancels what runs, waits for it to let go, and closes. */
    stop(): Promise<void>;
}

class Refusal extends Error {
    constructor(
        readonly code: grpc.status,
        message: string,
    ) {
        super(message);
    }
}

function failures(checked: Checked): messages.CheckFailure[] {
    return checked.failures.map(({ property, reason }) => {
        const failure = new messages.CheckFailure();
        failure.setProperty(property);
        failure.setReason(reason);
        return failure;
    });
}

function detailedKind({ kind, replace }: Change): messages.PropertyDiff.Kind {
    const { Kind } = messages.PropertyDiff;
    switch (kind) {
        case "add":
            return replace ? Kind.ADD_REPLACE : Kind.ADD;
        case "delete":
            return replace ? Kind.DELETE_REPLACE : Kind.DELETE;
        case "update":
            return replace ? Kind.UPDATE_REPLACE : Kind.UPDATE;
    }
}

function diffResponse(changes: Change[]): messages.DiffResponse {
    const response = new messages.DiffResponse();
    const { DiffChanges } = messages.DiffResponse;
    response.setChanges(changes.length > 0 ? DiffChanges.DIFF_SOME : DiffChanges.DIFF_NONE);
    response.setHasdetaileddiff(true);
    for (const change of changes) {
        const detail = new messages.PropertyDiff();
        detail.setKind(detailedKind(change));
        response.getDetaileddiffMap().set(change.path, detail);
    }
    const property = (change: Change) => change.path.split(/[.[]/)[0]!;
    response.setDiffsList([...new Set(changes.map(property))]);
    response.setReplacesList([...new Set(changes.filter((change) => change.replace).map(property))]);
    return response;
}

/** The gRPC face of a plugin: turns the engine's calls into calls on `Plugin`. */
class PluginServer {
    private readonly cancelled = new AbortController();
    private readonly running = new Set<Promise<unknown>>();

    constructor(
        private readonly plugin: Plugin,
        private readonly engine: Engine,
    ) {}

    cancel(): void {
        this.cancelled.abort(new Error("context canceled"));
    }

    async drained(): Promise<void> {
        await Promise.allSettled(this.running);
        await this.plugin.close();
        this.engine.close();
    }

    implementation(): Partial<IResourceProviderServer> {
        return {
            getPluginInfo: this.simple(() => {
                const info = new PluginInfo();
                info.setVersion(this.plugin.version);
                return info;
            }),
            getSchema: this.simple(() => {
                const response = new messages.GetSchemaResponse();
                response.setSchema(
                    JSON.stringify({
                        name: this.plugin.name,
                        version: this.plugin.version,
                        resources: Object.fromEntries(Object.keys(this.plugin.resources).map((token) => [token, {}])),
                        functions: Object.fromEntries(Object.keys(this.plugin.functions).map((token) => [token, {}])),
                    }),
                );
                return response;
            }),
            attach: this.simple((request) => {
                this.engine.connect(request.getAddress());
                return new Empty();
            }),
            cancel: this.simple(() => {
                this.cancel();
                return new Empty();
            }),
            checkConfig: this.simple((request) => {
                const checked = this.plugin.checkConfig(decode(request.getNews()));
                const response = new messages.CheckResponse();
                response.setInputs(encode(checked.inputs));
                response.setFailuresList(failures(checked));
                return response;
            }),
            diffConfig: this.simple(() => diffResponse([])),
            configure: this.simple((request) => {
                this.plugin.configure(decode(request.getArgs()));
                const response = new messages.ConfigureResponse();
                response.setAcceptsecrets(this.plugin.acceptSecrets);
                response.setSupportspreview(true);
                response.setAcceptresources(true);
                return response;
            }),
            check: this.operation(async (request, operation) => {
                const checked = this.resource(request.getUrn()).check(decode(request.getNews()), operation);
                const response = new messages.CheckResponse();
                response.setInputs(encode(checked.inputs));
                response.setFailuresList(failures(checked));
                return response;
            }),
            diff: this.operation(async (request) => {
                const state = decode(request.getOlds());
                const newInputs = decode(request.getNews());
                const oldInputs = request.hasOldInputs() ? decode(request.getOldInputs()) : state;
                return diffResponse(
                    this.resource(request.getUrn()).diff({ id: request.getId(), state, oldInputs, newInputs }),
                );
            }),
            create: this.operation(async (request, operation) => {
                const inputs = decode(request.getProperties());
                const created = await this.resource(request.getUrn()).create(inputs, operation);
                const response = new messages.CreateResponse();
                response.setId(operation.preview ? "" : created.id);
                response.setProperties(encode(created.outputs));
                return response;
            }),
            read: this.operation(async (request) => {
                const read = await this.resource(request.getUrn()).read(
                    request.getId(),
                    decode(request.getProperties()),
                    decode(request.getInputs()),
                );
                const response = new messages.ReadResponse();
                response.setId(read.id);
                response.setProperties(encode(read.outputs));
                response.setInputs(encode(read.inputs));
                return response;
            }),
            update: this.operation(async (request, operation) => {
                const state = decode(request.getOlds());
                const inputs = decode(request.getNews());
                const outputs = await this.resource(request.getUrn()).update(state, inputs, operation);
                const response = new messages.UpdateResponse();
                response.setProperties(encode(outputs));
                return response;
            }),
            delete: this.operation(async (request, operation) => {
                await this.resource(request.getUrn()).delete(decode(request.getProperties()), operation);
                return new Empty();
            }),
            invoke: this.operation(async (request, operation) => {
                const target = this.plugin.functions[request.getTok()];
                if (target === undefined) {
                    throw new Refusal(grpc.status.NOT_FOUND, `function '${request.getTok()}' not found`);
                }
                const checked = target.check(decode(request.getArgs()));
                const response = new messages.InvokeResponse();
                if (checked.failures.length > 0) {
                    response.setFailuresList(failures(checked));
                } else {
                    response.setReturn(encode(await target.call(checked.inputs, operation)));
                }
                return response;
            }),
        };
    }

    private resource(urn: string): Resource {
        // Only the last of the `$`-separated types is the resource's own; the others are its parents'.
        const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
        const resource = this.plugin.resources[type];
        if (resource === undefined) {
            throw new Refusal(grpc.status.NOT_FOUND, `resource type '${type}' not found`);
        }
        return resource;
    }

    private simple<Request, Response>(action: (request: Request) => Response): Handler<Request, Response> {
        return (call, callback) => {
            try {
                callback(null, action(call.request));
            } catch (error) {
                callback(statusOf(error));
            }
        };
    }

    private operation<Request extends object, Response>(
        action: (request: Request, operation: Operation) => Promise<Response>,
    ): Handler<Request, Response> {
        return (call, callback) => {
            const request = call.request as Partial<messages.CreateRequest>;
            const urn = request.getUrn?.() ?? "";
            const own = new AbortController();
            const seconds = request.getTimeout?.() ?? 0;
            const timer =
                seconds > 0
                    ? setTimeout(() => own.abort(new Error("context deadline exceeded")), seconds * 1_000)
                    : undefined;
            call.on("cancelled", () => own.abort(new Error("context canceled")));
            const operation: Operation = {
                urn,
                name: urn.split("::").slice(3).join("::"),
                preview: request.getPreview?.() ?? false,
                log: this.engine.logFor(urn),
                signal: AbortSignal.any([this.cancelled.signal, own.signal]),
            };
            const done = (async () => {
                try {
                    const response = await action(call.request, operation);
                    await operation.log.flush();
                    callback(null, response);
                } catch (error) {
                    await operation.log.flush();
                    callback(statusOf(error));
                } finally {
                    clearTimeout(timer);
                }
            })();
            this.running.add(done);
            void done.finally(() => this.running.delete(done));
        };
    }
}

function statusOf(error: unknown): Partial<grpc.StatusObject> {
    return {
        code: error instanceof Refusal ? error.code : grpc.status.UNKNOWN,
        details: error instanceof Error ? error.message : String(error),
    };
}

/** Serves a plugin on a free port of the loopback interface. */
export async function startServer(plugin: Plugin, engineAddress?: string): Promise<RunningServer> {
    const engine = new Engine(engineAddress);
    const implementation = new PluginServer(plugin, engine);
    const server = new grpc.Server({
        "grpc.max_receive_message_length": maxMessage,
        "grpc.max_send_message_length": maxMessage,
    });
    server.addService(ResourceProviderService, implementation.implementation() as grpc.UntypedServiceImplementation);
    const port = await new Promise<number>((resolve, reject) => {
        server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
            error ? reject(error) : resolve(bound),
        );
    });
    return {
        port,
        stop: async () => {
            implementation.cancel();
            await implementation.drained();
            server.forceShutdown();
        },
    };
}

/** The body of a plugin's executable: serves until the engine goes away. */
export async function main(plugin: Plugin): Promise<void> {
    const engineAddress = process.argv
        .slice(2)
        .filter((argument) => !argument.startsWith("-"))
        .at(-1);
    const server = await startServer(plugin, engineAddress);
    let stopping = false;
    const stop = () => {
        if (stopping) {
            return;
        }
        stopping = true;
        // Whatever hangs must not keep an orphan alive.
        setTimeout(() => process.exit(1), 5_000).unref();
        void server.stop().finally(() => process.exit(0));
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        process.on(signal, stop);
    }
    // An engine that was killed sends no signal; its children are then adopted by another process.
    const parent = process.ppid;
    setInterval(() => {
        if (process.ppid !== parent) {
            stop();
        }
    }, 500).unref();
    process.stdout.write(`${server.port}\n`);
}
