import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

export type Severity = "debug" | "info" | "warning" | "error";

const severities = {
    debug: LogSeverity.DEBUG,
    info: LogSeverity.INFO,
    warning: LogSeverity.WARNING,
    error: LogSeverity.ERROR,
};

/** Messages of one operation, shown by the engine beside its resource. */
export interface Log {
    /** A message that stays in the log of the update. */
    message(severity: Severity, text: string): void;
    /** A passing status line: what the operation is doing right now. */
    status(text: string): void;
    /** Resolves when everything said so far has reached the engine. */
    flush(): Promise<void>;
}

/** The engine's log service. Without an address (a plugin started by hand) messages go nowhere. */
export class Engine {
    private client: EngineClient | undefined;

    constructor(address: string | undefined) {
        this.connect(address);
    }

    connect(address: string | undefined): void {
        this.client?.close();
        // The engine is on this machine, and grpc-js would ask a proxy even for that.
        const options = { "grpc.enable_http_proxy": 0 };
        this.client = address ? new EngineClient(address, grpc.credentials.createInsecure(), options) : undefined;
    }

    logFor(urn: string): Log {
        // One request at a time keeps messages in order; what piles up meanwhile travels together.
        let pending: { severity: Severity; text: string; ephemeral: boolean }[] = [];
        let sending: Promise<void> | undefined;

        const drain = async () => {
            while (pending.length > 0) {
                const batch = pending;
                pending = [];
                for (let index = 0; index < batch.length;) {
                    const { severity, text, ephemeral } = batch[index++]!;
                    const texts = [text];
                    for (let size = text.length; ephemeral && batch[index]?.ephemeral && size < maxBatch; index++) {
                        texts.push(batch[index]!.text);
                        size += batch[index]!.text.length + 1;
                    }
                    await this.send(urn, severity, texts.join("\n"), ephemeral);
                }
            }
            sending = undefined;
        };
        const say = (severity: Severity, text: string, ephemeral: boolean) => {
            if (this.client === undefined) {
                return;
            }
            pending.push({ severity, text, ephemeral });
            sending ??= drain();
        };
        return {
            message: (severity, text) => say(severity, text, false),
            status: (text) => say("info", text, true),
            flush: () => sending ?? Promise.resolve(),
        };
    }

    close(): void {
        this.client?.close();
        this.client = undefined;
    }

    private send(urn: string, severity: Severity, text: string, ephemeral: boolean): Promise<void> {
        const request = new LogRequest();
        request.setSeverity(severities[severity]);
        request.setMessage(text);
        request.setUrn(urn);
        request.setEphemeral(ephemeral);
        return new Promise((resolve) => {
            if (this.client === undefined) {
                resolve();
                return;
            }
            // A log line that the engine won't take must not fail the operation, nor hold it up for long.
            this.client.log(request, new grpc.Metadata(), { deadline: Date.now() + 5_000 }, () => resolve());
        });
    }
}

const maxBatch = 32 * 1024;
