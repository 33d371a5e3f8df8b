import { randomUUID } from "node:crypto";
import { percentEncode, signV1, stringToSignV1 } from "./api/signature";
import { post } from "./post";

/** Products by their API version, as far as this small client needs them. */
export const versions = {
    Alb: "2020-06-16",
    Ecs: "2014-05-26",
    NAS: "2017-06-26",
    Nlb: "2022-04-30",
    Slb: "2014-05-15",
    Vpc: "2016-04-28",
    cas: "2020-04-07",
    pvtz: "2018-01-01",
} as const;

/** An error answer of the cloud. */
export class RpcError extends Error {
    constructor(
        readonly code: string,
        message: string,
        readonly status: number,
    ) {
        super(`${code}: ${message}`);
    }
}

/** Asks an RPC product of the cloud. */
export type Rpc = (
    product: keyof typeof versions,
    action: string,
    parameters: Readonly<Record<string, string>>,
) => Promise<Record<string, unknown>>;

/** A client of an endpoint (`http://127.0.0.1:8070`), for a key pair. */
export function rpcClient(endpoint: string, accessKeyId: string, accessKeySecret: string): Rpc {
    return async (product, action, given) => {
        const parameters: Record<string, string> = {
            ...given,
            Action: action,
            Version: versions[product],
            Format: "JSON",
            Timestamp: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
            SignatureMethod: "HMAC-SHA1",
            SignatureVersion: "1.0",
            SignatureNonce: randomUUID(),
            AccessKeyId: accessKeyId,
        };
        parameters["Signature"] = signV1(accessKeySecret, stringToSignV1("POST", Object.entries(parameters)));
        const { status, body } = await post(endpoint, {
            headers: { "content-type": "application/x-www-form-urlencoded" },
            body: Object.entries(parameters)
                .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
                .join("&"),
            timeout: 60_000,
        });
        const answer = body as Record<string, unknown>;
        if (status !== 200) throw new RpcError(String(answer["Code"]), String(answer["Message"]), status);
        return answer;
    };
}
