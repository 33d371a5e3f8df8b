/** Calls to a server of this machine's. */
import * as http from "node:http";

export interface PostOptions {
    readonly headers?: Readonly<Record<string, string>>;
    readonly body: string;
    /** Milliseconds after which it is given up. Default: never. */
    readonly timeout?: number;
}

export interface PostAnswer {
    readonly status: number;
    /** What the answer's JSON says. */
    readonly body: unknown;
}

/** Posts to a server that answers JSON. */
export async function post(url: string, { headers = {}, body, timeout }: PostOptions): Promise<PostAnswer> {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
        const request = http.request(
            url,
            {
                method: "POST",
                // Not `fetch`, nor the agent that all share: with NODE_USE_ENV_PROXY both ask a proxy, to which 127.0.0.1 is itself.
                agent: false,
                headers: { ...headers, "content-length": Buffer.byteLength(body) },
                ...(timeout !== undefined && { signal: AbortSignal.timeout(timeout) }),
            },
            resolve,
        );
        request.on("error", reject);
        request.end(body);
    });
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    return { status: response.statusCode ?? 500, body: JSON.parse(Buffer.concat(chunks).toString()) as unknown };
}
