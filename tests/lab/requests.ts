/** What a balancer's clients see of it, from outside the VPC. */
import type { IncomingMessage } from "node:http";
import type { LookupFunction } from "node:net";

import { endWithFile, eventually, outputs } from "./lab";
import { get, SlowDownload } from "./slowDownload";

export interface Answer {
    readonly status: number;
    readonly body: string;
    readonly location: string | undefined;
}

/** A site behind a balancer, each host of which answers with its name under `/who`. */
export class Site {
    /**
     * @param ca what the site's certificate is verified with
     * @param address where it is, when the name in its URL is one that only the cloud's resolvers know
     */
    constructor(
        readonly url: string,
        private readonly ca: string,
        private readonly address?: string,
    ) {}

    /** Begins a request for something large, which only some hosts have: others are asked in vain first. */
    async download(place: string): Promise<SlowDownload> {
        const url = `${this.url}${place}`;
        return (await eventually(`an answer from ${url}`, 20, () => SlowDownload.start(url, this.ca))).value;
    }

    /** A request on a connection of its own. @throws Error when there is no answer */
    ask(place = `${this.url}/`): Promise<Answer> {
        const { address } = this;
        const lookup: LookupFunction = (_host, options, done) =>
            options.all === true ? done(null, [{ address: address!, family: 4 }]) : done(null, address!, 4);
        const options = { agent: false, timeout: 20_000, ...(address !== undefined && { lookup }) } as const;
        return new Promise((done, fail) => {
            const take = (response: IncomingMessage): void => {
                let body = "";
                response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
                response.on("error", fail);
                response.on("end", () =>
                    done({ status: response.statusCode ?? 0, body: body.trim(), location: response.headers.location }),
                );
            };
            const request = get(place, { ...options, ca: this.ca }, take);
            request.on("timeout", () => request.destroy(new Error("no answer within 20 s")));
            request.on("error", fail);
        });
    }

    /** Which host answered each of some requests, one after the other. */
    async askedHosts(requests: number): Promise<Record<string, number>> {
        const counts: Record<string, number> = {};
        for (let i = 0; i < requests; i += 1) {
            const { body } = await this.ask(`${this.url}/who`);
            counts[body] = (counts[body] ?? 0) + 1;
        }
        return counts;
    }

    /** Waits until a host answers. Beside other clients nobody can say which request comes to whom. */
    answerFrom(host: string): Promise<unknown> {
        return eventually(`an answer from ${host}`, 20, async () =>
            (await this.ask(`${this.url}/who`)).body === host ? true : undefined,
        );
    }
}

/** The shared stack's site, by the stack's outputs. */
export async function siteOf(stack: string): Promise<Site> {
    const { loadBalancerUrl, loadBalancerCaCertificate } = (await outputs(stack)) as Record<string, string>;
    return new Site(loadBalancerUrl!, loadBalancerCaCertificate!);
}

export const sharedSite = (): Promise<Site> => siteOf("lab");

/** Clients that ask all the time, slower than the web servers' limit, until they are told to stop. */
export class Load {
    private running = true;
    private readonly requests: { readonly began: number; readonly problem: string | undefined }[] = [];
    private readonly clients: Promise<void>[];

    constructor(
        private readonly site: Site,
        clients = 3,
    ) {
        this.clients = Array.from({ length: clients }, () => this.client());
        endWithFile(() => this.stop());
    }

    private async client(): Promise<void> {
        while (this.running) {
            const began = Date.now();
            const problem = await this.site.ask().then(
                ({ status }) => (status === 200 ? undefined : `status ${status}`),
                (error: unknown) => String(error),
            );
            this.requests.push({ began, problem });
            await new Promise((wake) => setTimeout(wake, 100));
        }
    }

    /** What went wrong with requests that began since a time. */
    problemsSince(time: number): string[] {
        return this.requests.flatMap(({ began, problem }) => (problem === undefined || began < time ? [] : [problem]));
    }

    countSince(time: number): number {
        return this.requests.filter(({ began }) => began >= time).length;
    }

    async stop(): Promise<void> {
        this.running = false;
        await Promise.all(this.clients);
    }
}
