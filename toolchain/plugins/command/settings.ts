import type { Field, Fields } from "../common/schema";
import { plain, type Value, type ValueMap } from "../common/values";

/** How to reach and enter one SSH server. */
export interface Endpoint {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password?: string;
    readonly privateKey?: string;
    readonly privateKeyPassword?: string;
    readonly agentSocketPath?: string;
    /** Failed dials tolerated before giving up; -1 for no limit. */
    readonly dialErrorLimit: number;
    /** Seconds one dial may take; 0 for no limit. */
    readonly perDialTimeout: number;
    /** The only host key accepted, as in an authorized_keys file. Without one any key is accepted. */
    readonly hostKey?: string;
}

export interface Connection extends Endpoint {
    readonly proxy?: Endpoint;
}

const defaults = { user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 };

const endpointFields: Fields = {
    user: { type: "string", default: defaults.user },
    password: { type: "string", secret: true },
    host: { type: "string", required: true },
    port: { type: "number", default: defaults.port },
    privateKey: { type: "string", secret: true },
    privateKeyPassword: { type: "string", secret: true },
    agentSocketPath: { type: "string" },
    dialErrorLimit: { type: "integer", default: defaults.dialErrorLimit },
    perDialTimeout: { type: "integer", default: defaults.perDialTimeout },
    hostKey: { type: "string" },
};

export const connectionField: Field = {
    type: "object",
    required: true,
    secret: true,
    fields: { ...endpointFields, proxy: { type: "object", fields: endpointFields } },
};

/** The connection in a checked `connection` property; state of an older version may lack the defaults. */
export function connectionOf(value: Value | undefined): Connection {
    const settings = plain(value ?? {}) as ValueMap & Partial<Connection>;
    const proxy = settings.proxy as Partial<Endpoint> | undefined;
    return {
        ...defaults,
        ...(settings as Partial<Connection> & { host: string }),
        proxy: proxy ? { ...defaults, ...(proxy as Partial<Endpoint> & { host: string }) } : undefined,
    };
}

/** What must never be repeated in a message, of a connection. */
export function credentialsOf(connection: Connection): string[] {
    return [connection, connection.proxy]
        .flatMap((endpoint) => [endpoint?.password, endpoint?.privateKey, endpoint?.privateKeyPassword])
        .filter((text): text is string => text !== undefined);
}
