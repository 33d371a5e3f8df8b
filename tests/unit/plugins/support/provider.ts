import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { type LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import type { Plugin } from "../../../../toolchain/plugins/common/plugin";
import { type RunningServer, startServer } from "../../../../toolchain/plugins/common/server";
import { decode, encode, type ValueMap } from "../../../../toolchain/plugins/common/values";

export interface LogLine {
    readonly severity: "debug" | "info" | "warning" | "error";
    readonly text: string;
    readonly ephemeral: boolean;
    readonly urn: string;
}

export interface Difference {
    readonly changed: boolean;
    readonly replaces: string[];
    readonly details: Record<string, string>;
}

const kinds = Object.fromEntries(Object.entries(messages.PropertyDiff.Kind).map(([name, kind]) => [kind, name]));
const severities = Object.fromEntries(Object.entries(LogSeverity).map(([name, value]) => [value, name.toLowerCase()]));

/** Plays the engine: speaks the engine's protocol to a plugin and keeps what the plugin logs. */
export class ProviderUnderTest {
    readonly log: LogLine[] = [];
    private readonly engine = new grpc.Server();
    private server: RunningServer | undefined;
    private client!: ResourceProviderClient;
    engineAddress = "";

    static async start(plugin: Plugin): Promise<ProviderUnderTest> {
        const provider = await ProviderUnderTest.engineOnly();
        provider.server = await startServer(plugin, provider.engineAddress);
        provider.connect(provider.server.port);
        await provider.configure();
        return provider;
    }

    static async engineOnly(): Promise<ProviderUnderTest> {
        const provider = new ProviderUnderTest();
        provider.engine.addService(EngineService, {
            log: (call: grpc.ServerUnaryCall<LogRequest, Empty>, callback: grpc.sendUnaryData<Empty>) => {
                provider.log.push({
                    severity: severities[call.request.getSeverity()] as LogLine["severity"],
                    text: call.request.getMessage(),
                    ephemeral: call.request.getEphemeral(),
                    urn: call.request.getUrn(),
                });
                callback(null, new Empty());
            },
        });
        const port = await new Promise<number>((resolve, reject) =>
            provider.engine.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
                error ? reject(error) : resolve(bound),
            ),
        );
        provider.engineAddress = `127.0.0.1:${port}`;
        return provider;
    }

    connect(port: number): void {
        this.client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
            "grpc.max_receive_message_length": 400 * 1024 * 1024,
        });
    }

    async stop(): Promise<void> {
        this.client.close();
        await this.server?.stop();
        this.engine.forceShutdown();
    }

    private call<Response>(method: keyof ResourceProviderClient, request: unknown): Promise<Response> {
        type Callback = (error: grpc.ServiceError | null, response: Response) => void;
        const client = this.client as unknown as Record<string, (request: unknown, callback: Callback) => void>;
        return new Promise((resolve, reject) => {
            client[method]!(request, (error, response) => {
                if (error) {
                    reject(new Error(error.details));
                } else {
                    resolve(response);
                }
            });
        });
    }

    urn(type: string, name: string): string {
        return `urn:pulumi:test::project::some:parent:Component$${type}::${name}`;
    }

    async configure(config: ValueMap = {}): Promise<messages.ConfigureResponse> {
        const request = new messages.ConfigureRequest();
        request.setArgs(encode(config));
        return this.call<messages.ConfigureResponse>("configure", request);
    }

    async version(): Promise<string> {
        const info = await this.call<{ getVersion(): string }>("getPluginInfo", new Empty());
        return info.getVersion();
    }

    async check(type: string, inputs: ValueMap): Promise<{ inputs: ValueMap; failures: string[] }> {
        const request = new messages.CheckRequest();
        request.setUrn(this.urn(type, "checked"));
        request.setNews(encode(inputs));
        const response = await this.call<messages.CheckResponse>("check", request);
        return {
            inputs: decode(response.getInputs()),
            failures: response.getFailuresList().map((failure) => `${failure.getProperty()}: ${failure.getReason()}`),
        };
    }

    async diff(type: string, state: ValueMap, oldInputs: ValueMap, newInputs: ValueMap): Promise<Difference> {
        const request = new messages.DiffRequest();
        request.setUrn(this.urn(type, "compared"));
        request.setId("id");
        request.setOlds(encode(state));
        request.setOldInputs(encode(oldInputs));
        request.setNews(encode(newInputs));
        const response = await this.call<messages.DiffResponse>("diff", request);
        const details: Record<string, string> = {};
        response.getDetaileddiffMap().forEach((detail: messages.PropertyDiff, path: string) => {
            details[path] = kinds[detail.getKind()]!;
        });
        return {
            changed: response.getChanges() === messages.DiffResponse.DiffChanges.DIFF_SOME,
            replaces: response.getReplacesList(),
            details,
        };
    }

    /** As the engine does it: checks the inputs first, and creates from what the check returns. */
    async create(
        type: string,
        inputs: ValueMap,
        options: { name?: string; preview?: boolean; timeout?: number } = {},
    ): Promise<{ id: string; outputs: ValueMap; inputs: ValueMap }> {
        const checked = await this.check(type, inputs);
        if (checked.failures.length > 0) {
            throw new Error(checked.failures.join("\n"));
        }
        const request = new messages.CreateRequest();
        request.setUrn(this.urn(type, options.name ?? "created"));
        request.setProperties(encode(checked.inputs));
        request.setPreview(options.preview ?? false);
        request.setTimeout(options.timeout ?? 0);
        const response = await this.call<messages.CreateResponse>("create", request);
        return { id: response.getId(), outputs: decode(response.getProperties()), inputs: checked.inputs };
    }

    async update(type: string, state: ValueMap, inputs: ValueMap, preview = false): Promise<ValueMap> {
        const checked = await this.check(type, inputs);
        const request = new messages.UpdateRequest();
        request.setUrn(this.urn(type, "updated"));
        request.setId("id");
        request.setOlds(encode(state));
        request.setNews(encode(checked.inputs));
        request.setPreview(preview);
        const response = await this.call<messages.UpdateResponse>("update", request);
        return decode(response.getProperties());
    }

    async read(type: string, state: ValueMap, inputs: ValueMap): Promise<ValueMap> {
        const request = new messages.ReadRequest();
        request.setUrn(this.urn(type, "read"));
        request.setId("id");
        request.setProperties(encode(state));
        request.setInputs(encode(inputs));
        const response = await this.call<messages.ReadResponse>("read", request);
        return decode(response.getProperties());
    }

    async delete(type: string, state: ValueMap): Promise<void> {
        const request = new messages.DeleteRequest();
        request.setUrn(this.urn(type, "deleted"));
        request.setId("id");
        request.setProperties(encode(state));
        await this.call<Empty>("delete", request);
    }

    async invoke(token: string, args: ValueMap): Promise<ValueMap> {
        const request = new messages.InvokeRequest();
        request.setTok(token);
        request.setArgs(encode(args));
        const response = await this.call<messages.InvokeResponse>("invoke", request);
        const failures = response.getFailuresList().map((failure) => failure.getReason());
        if (failures.length > 0) {
            throw new Error(failures.join("\n"));
        }
        return decode(response.getReturn());
    }

    async cancel(): Promise<void> {
        await this.call<Empty>("cancel", new Empty());
    }
}

/** Rejected promises as their message, so that a test can compare it. */
export async function failureOf(action: Promise<unknown>): Promise<string> {
    try {
        await action;
    } catch (error) {
        return (error as Error).message;
    }
    throw new Error("expected a failure");
}
