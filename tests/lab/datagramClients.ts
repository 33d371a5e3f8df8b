/** Clients that send datagrams, and who answers them. */
import { createSocket, type Socket } from "node:dgram";

const ANSWER_TIMEOUT_MS = 1000;

/** Ports of all clients there were: a balancer takes one that comes again within its idle time for the flow before. */
const used = new Set<number>();

/** A client of an address, from a port that none had before it. */
export async function openClient(address: string, port: number): Promise<Socket> {
    const client = createSocket("udp4");
    await new Promise<void>((done) => client.connect(port, address, done));
    // An error is that nobody listens there, which one learns by the answer that doesn't come.
    client.on("error", () => undefined);
    const own = client.address().port;
    if (!used.has(own)) {
        used.add(own);
        return client;
    }
    const next = await openClient(address, port);
    client.close();
    return next;
}

/** The answer to a datagram; undefined when there is none within a second, or the port is closed. */
export function say(client: Socket, text = "who"): Promise<string | undefined> {
    return new Promise((done) => {
        const take = (message: Buffer): void => end(message.toString());
        const fail = (): void => end();
        const end = (answer?: string): void => {
            clearTimeout(timer);
            client.off("message", take).off("error", fail);
            done(answer);
        };
        const timer = setTimeout(end, ANSWER_TIMEOUT_MS);
        client.on("message", take).on("error", fail);
        client.send(text);
    });
}

/** Who answers clients, one after the other, by the first word of their answers. Who gets none counts for "nobody". */
export async function datagramsAnsweredBy(
    address: string,
    port: number,
    count: number,
): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (let i = 0; i < count; i += 1) {
        const client = await openClient(address, port);
        const answer = (await say(client))?.split(" ")[0] ?? "nobody";
        counts[answer] = (counts[answer] ?? 0) + 1;
        client.close();
    }
    return counts;
}
