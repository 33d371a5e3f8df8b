/** A lab's API in this process: a store in memory, a machine that only counts, a real server on a free port. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Action, ActionTable } from "../../../lab/api/action";
import { ServerCertificate, ensureCertificate } from "../../../lab/api/certificate";
import { commonActions } from "../../../lab/api/common";
import { Credentials } from "../../../lab/api/credentials";
import { CallRecord, Dispatcher, WireRequest } from "../../../lab/api/dispatch";
import { ApiServer } from "../../../lab/api/server";
import { percentEncode, signV1, stringToSignV1 } from "../../../lab/api/signature";
import { Store } from "../../../lab/model/store";

export const ACCESS_KEY_ID = "LTAItestkey";
export const ACCESS_KEY_SECRET = "testsecret";
export const ACCOUNT_ID = "1234567890123456";

export interface Harness {
    readonly store: Store;
    readonly dispatcher: Dispatcher;
    readonly calls: CallRecord[];
    /** How often the model was handed to the machine. */
    readonly passes: () => number;
    /** Moves the lab's clock. */
    readonly advance: (milliseconds: number) => void;
    /** Signs (version 1) and dispatches without a socket. */
    readonly call: (
        parameters: Readonly<Record<string, string>>,
        options?: { secret?: string; method?: string; headers?: Record<string, string> },
    ) => Promise<{ status: number; text: string; json: Record<string, unknown> }>;
}

/** A dispatcher over the given actions and the common ones. */
export function harness(actions: readonly Action[] = [], endpoint: () => string = () => "127.0.0.1:8070"): Harness {
    const store = new Store();
    const calls: CallRecord[] = [];
    let passes = 0;
    let offset = 0;
    const clock = (): number => Date.now() + offset;
    const credentials = new Credentials(ACCESS_KEY_ID, ACCESS_KEY_SECRET, ACCOUNT_ID, clock);
    const dispatcher = new Dispatcher({
        store,
        credentials,
        actions: new ActionTable([...commonActions({ credentials, endpoint }), ...actions]),
        reconcile: async () => {
            passes += 1;
        },
        log: (record) => void calls.push(record),
        clock,
        strict: true,
    });
    let nonce = 0;
    return {
        store,
        dispatcher,
        calls,
        passes: () => passes,
        advance: (milliseconds) => {
            offset += milliseconds;
        },
        call: async (given, { secret = ACCESS_KEY_SECRET, method = "POST", headers = {} } = {}) => {
            const parameters: Record<string, string> = {
                Version: "2015-04-01",
                Format: "JSON",
                Timestamp: new Date(clock()).toISOString().replace(/\.\d+Z$/, "Z"),
                SignatureMethod: "HMAC-SHA1",
                SignatureVersion: "1.0",
                SignatureNonce: `n${(nonce += 1)}`,
                AccessKeyId: ACCESS_KEY_ID,
                ...given,
            };
            parameters["Signature"] ??= signV1(secret, stringToSignV1(method, Object.entries(parameters)));
            const encoded = Object.entries(parameters)
                .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
                .join("&");
            const request: WireRequest = {
                method,
                path: "/",
                query: method === "GET" ? encoded : "",
                headers: {
                    host: "127.0.0.1:8070",
                    "content-type": "application/x-www-form-urlencoded",
                    ...headers,
                },
                body: Buffer.from(method === "GET" ? "" : encoded),
            };
            const { status, body } = await dispatcher.handle(request);
            return {
                status,
                text: body,
                json: body.startsWith("{") ? (JSON.parse(body) as Record<string, unknown>) : {},
            };
        },
    };
}

export interface ServedHarness extends Harness {
    readonly server: ApiServer;
    readonly certificate: ServerCertificate;
    readonly endpoint: string;
    readonly close: () => Promise<void>;
}

/** The same behind a real server. */
export async function servedHarness(actions: readonly Action[] = []): Promise<ServedHarness> {
    const folder = mkdtempSync(join(tmpdir(), "lab-api-"));
    const certificate = await ensureCertificate(folder);
    let endpoint = "";
    const base = harness(actions, () => endpoint);
    const server = await ApiServer.listen({
        dispatcher: base.dispatcher,
        certificate,
        port: 0,
        controlKey: ACCESS_KEY_SECRET,
        about: { name: "test" },
    });
    endpoint = `127.0.0.1:${server.port}`;
    return {
        ...base,
        server,
        certificate,
        endpoint,
        close: async () => {
            await server.close();
            rmSync(folder, { recursive: true, force: true });
        },
    };
}
