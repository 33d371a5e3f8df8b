import { type ClientRequest, get as getHttp, type IncomingMessage } from "node:http";
import { get as getHttps, type RequestOptions } from "node:https";

/** Asks for a place by the protocol that its URL names. */
export function get(place: string, options: RequestOptions, take: (response: IncomingMessage) => void): ClientRequest {
    return (place.startsWith("https:") ? getHttps : getHttp)(place, options, take);
}

/** A request that takes as long as its client wants: it reads the answer slowly until it is told to finish. */
export class SlowDownload {
    private bytes = 0;
    private readonly timer: NodeJS.Timeout;
    private readonly ended: Promise<void>;

    private constructor(private readonly response: IncomingMessage) {
        this.timer = setInterval(() => this.count(response.read(16_384) as Buffer | null), 200);
        this.ended = new Promise((done, fail) => {
            response.on("end", done);
            response.on("error", fail);
        });
        this.ended.catch(() => clearInterval(this.timer));
    }

    private count(chunk: Buffer | null): void {
        this.bytes += chunk?.length ?? 0;
    }

    /**
     * @param place of something that doesn't fit into the buffers on the way.
     * @param ca what a certificate is verified with
     * @throws Error unless it is there
     */
    static start(place: string, ca?: string): Promise<SlowDownload> {
        return new Promise((done, fail) => {
            const take = (response: IncomingMessage): void => {
                if (response.statusCode === 200) done(new SlowDownload(response));
                else request.destroy(new Error(`${place}: status ${response.statusCode ?? 0}`));
            };
            const request = get(place, { agent: false, ...(ca !== undefined && { ca }) }, take);
            request.on("error", fail);
        });
    }

    /** Reads the rest. @returns how many bytes there were in all. @throws Error when the answer was cut off */
    async finish(): Promise<number> {
        clearInterval(this.timer);
        this.response.on("data", (chunk: Buffer) => this.count(chunk));
        await this.ended;
        return this.bytes;
    }
}
