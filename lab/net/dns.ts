/** The VPCs' resolver: asks the machine's own resolvers on behalf of hosts, which have no way out of their own. */
import * as dgram from "node:dgram";
import * as net from "node:net";
import { listenOn } from "./listen";
import type { Transport } from "./privateZones";
import { Resolvers } from "./resolvers";

/** Answers a query itself, or leaves it to the machine's resolvers. `asker` is an outer address. */
export type Answerer = (query: Buffer, asker: string, transport: Transport) => Buffer | undefined;

export interface DnsOptions {
    readonly address: string;
    readonly preferredPort: number;
    /** Private zones, when there are any. */
    readonly answer?: Answerer;
    readonly resolvers?: Resolvers;
    /** Port of the machine's resolvers. */
    readonly upstreamPort?: number;
}

const PATIENCE = 5_000;
/** Before the next resolver is asked, too. */
const TURN = 1_000;
/** Response codes after which the next one is asked, as by hosts' own resolvers: SERVFAIL, NOTIMP, REFUSED. */
const CANNOT_TELL: readonly number[] = [2, 4, 5];
/** Of the machine's resolvers: further ones nobody asks. */
const MAX_RESOLVERS = 3;
/** Open queries; beyond that a host that floods the resolver harms itself only. */
const MAX_OPEN = 1_024;

export class DnsRelay {
    private readonly udp: dgram.Socket;
    private readonly tcp: net.Server;
    private readonly sockets = new Set<net.Socket>();
    /** What ends each query that is open. */
    private readonly open = new Set<() => void>();
    private readonly resolvers: Resolvers;
    port = 0;

    constructor(private readonly options: DnsOptions) {
        this.resolvers = options.resolvers ?? new Resolvers();
        this.udp = dgram.createSocket("udp4");
        this.udp.on("message", (query, peer) => this.relayDatagram(query, peer));
        this.tcp = net.createServer((socket) => this.relayStream(socket));
    }

    /** Listens on one port for both protocols. */
    async start(): Promise<void> {
        const { address, preferredPort } = this.options;
        this.port = await listenOn(this.tcp, address, preferredPort);
        await new Promise<void>((resolve, reject) => {
            this.udp.once("error", reject);
            this.udp.bind(this.port, address, () => {
                this.udp.off("error", reject);
                // A host that went away is no reason to end.
                this.udp.on("error", () => undefined);
                resolve();
            });
        });
    }

    async close(): Promise<void> {
        for (const socket of this.sockets) socket.destroy();
        for (const end of this.open) end();
        this.udp.close();
        await new Promise((resolve) => this.tcp.close(resolve));
    }

    private relayDatagram(query: Buffer, peer: dgram.RemoteInfo): void {
        const own = this.options.answer?.(query, peer.address, "udp");
        if (own) {
            this.udp.send(own, peer.port, peer.address);
            return;
        }
        if (this.open.size >= MAX_OPEN) return;
        const servers = this.resolvers.list().filter((server) => net.isIP(server) !== 0);
        const sockets = new Set<dgram.Socket>();
        /** Asked, and neither silent for good nor unable to tell. */
        const expected = new Set<dgram.Socket>();
        let refusal: Buffer | undefined;
        let turn: NodeJS.Timeout | undefined;
        const end = (answer?: Buffer): void => {
            clearTimeout(patience);
            clearTimeout(turn);
            if (!this.open.delete(end)) return;
            for (const socket of sockets) socket.close();
            if (answer) this.udp.send(answer, peer.port, peer.address);
        };
        /** In their order: a later one is for when an earlier one can't tell, and knows nothing of names that the first alone has. */
        const ask = ([server, ...others]: readonly string[]): void => {
            clearTimeout(turn);
            if (server === undefined) {
                if (expected.size === 0) end(refusal);
                return;
            }
            const socket = dgram.createSocket(net.isIPv6(server) ? "udp6" : "udp4");
            sockets.add(socket);
            expected.add(socket);
            let isLatest = true;
            const next = (): void => {
                if (isLatest) ask(others);
                else if (expected.size === 0) end(refusal);
                isLatest = false;
            };
            const fail = (answer?: Buffer): void => {
                refusal ??= answer;
                expected.delete(socket);
                next();
            };
            socket.on("message", (answer) => {
                if (CANNOT_TELL.includes((answer[3] ?? 0) & 15)) fail(answer);
                else end(answer);
            });
            socket.on("error", () => fail());
            socket.connect(this.options.upstreamPort ?? 53, server, () => {
                if (this.open.has(end)) socket.send(query);
            });
            if (others.length > 0) turn = setTimeout(next, TURN);
        };
        const patience = setTimeout(() => end(refusal), PATIENCE);
        this.open.add(end);
        ask(servers.slice(0, MAX_RESOLVERS));
    }

    private relayStream(socket: net.Socket): void {
        let upstream: net.Socket | undefined;
        let answered = false;
        /** Queries for the next resolver, should this one not answer. */
        const held: Buffer[] = [];
        const close = (side: net.Socket): void => {
            side.destroy();
            this.sockets.delete(side);
        };
        const end = (): void => {
            close(socket);
            if (upstream) close(upstream);
        };
        const watch = (side: net.Socket, patience: number, over: () => void): void => {
            this.sockets.add(side);
            side.setTimeout(patience);
            for (const event of ["timeout", "error", "close"]) side.on(event, over);
        };
        /** One after the other, until one answers. */
        const connect = ([server, ...others]: readonly string[]): void => {
            const side = net.connect(this.options.upstreamPort ?? 53, server);
            upstream = side;
            watch(side, PATIENCE, () => {
                close(side);
                if (side !== upstream) return;
                if (answered || socket.destroyed || others.length === 0) end();
                else connect(others);
            });
            side.once("data", (first: Buffer) => {
                answered = true;
                held.length = 0;
                side.setTimeout(PATIENCE * 2);
                socket.write(first);
                side.pipe(socket);
            });
            for (const query of held) side.write(query);
        };
        watch(socket, PATIENCE * 2, end);
        let received = Buffer.alloc(0);
        socket.on("data", (data: Buffer) => {
            received = Buffer.concat([received, data]);
            while (received.length >= 2 && received.length >= 2 + received.readUInt16BE()) {
                const length = 2 + received.readUInt16BE();
                const framed = received.subarray(0, length);
                received = received.subarray(length);
                const own = this.options.answer?.(framed.subarray(2), socket.remoteAddress ?? "", "tcp");
                if (own) socket.write(Buffer.concat([Buffer.from([own.length >> 8, own.length & 0xff]), own]));
                else {
                    if (!answered) held.push(framed);
                    if (upstream) upstream.write(framed);
                    else connect(this.resolvers.list().slice(0, MAX_RESOLVERS));
                }
            }
        });
    }
}
