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
/** Of the machine's resolvers: further ones nobody asks. */
const MAX_RESOLVERS = 3;
/** Open queries; beyond that a host that floods the resolver harms itself only. */
const MAX_OPEN = 1_024;

export class DnsRelay {
    private readonly udp: dgram.Socket;
    private readonly tcp: net.Server;
    private readonly sockets = new Set<net.Socket>();
    private readonly open = new Set<dgram.Socket>();
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
        for (const socket of this.open) socket.close();
        this.open.clear();
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
        const servers = this.resolvers.list();
        const socket = dgram.createSocket(net.isIPv6(servers[0] ?? "") ? "udp6" : "udp4");
        this.open.add(socket);
        const end = (): void => {
            clearTimeout(timer);
            if (this.open.delete(socket)) socket.close();
        };
        const timer = setTimeout(end, PATIENCE);
        socket.on("message", (answer) => {
            if (this.open.has(socket)) this.udp.send(answer, peer.port, peer.address);
            end();
        });
        socket.on("error", end);
        const family = net.isIPv6(servers[0] ?? "") ? 6 : 4;
        // All at once: the first to answer wins, which is what resolvers in a list are for.
        for (const server of servers.slice(0, MAX_RESOLVERS))
            if (net.isIP(server) === family)
                socket.send(query, this.options.upstreamPort ?? 53, server, () => undefined);
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
