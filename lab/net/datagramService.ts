/**
 * The process that balances a balancer's datagrams: in the balancer's own name space it checks the servers and keeps
 * the firewall's table to what it finds. `lab/net/balancers.ts` starts it, tells it over a socket what to balance,
 * asks it how servers are, and ends it. It outlives the lab's own process, as HAProxy does.
 */
import { createSocket } from "node:dgram";
import { request as requestHttp } from "node:http";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Runner } from "../hosts/runner";
import type { DesiredCheck } from "../model/desired";
import {
    CheckState,
    DATAGRAM_TABLE,
    DatagramAnswer,
    DatagramConfiguration,
    DatagramRequest,
    DatagramServer,
    afterCheck,
    datagramHealth,
    datagramServers,
    datagramTable,
    flowsOf,
    initialState,
    serverKey,
} from "./datagrams";
import { replaceTable } from "./plan";

type Http = NonNullable<DesiredCheck["http"]>;
type Udp = NonNullable<DesiredCheck["udp"]>;

class DatagramService {
    private configuration: DatagramConfiguration = { addresses: [], source: "", listeners: [] };
    /** The configuration that is in force, as text. */
    private applied = "";
    private states = new Map<string, CheckState>();
    /** Servers that new flows go to, as the firewall has it. */
    private serving: ReadonlySet<string> = new Set();
    private checks = new AbortController();
    /** The firewall changes in turn. */
    private turn: Promise<unknown> = Promise.resolve();

    constructor(private readonly runner = new Runner()) {}

    health(): DatagramAnswer["health"] {
        return datagramHealth(this.configuration, (one) => this.serving.has(serverKey(one)));
    }

    /** Balances so from now on. Flows stay with their servers, except those of listeners that are no more. */
    async apply(configuration: DatagramConfiguration): Promise<void> {
        const before = this.configuration;
        const text = JSON.stringify(configuration);
        if (this.applied === text) return;
        this.checks.abort();
        this.checks = new AbortController();
        const servers = datagramServers(configuration);
        this.states = new Map(
            servers.map((one) => {
                const { check } = one.listener.pool;
                const known = check && this.states.get(serverKey(one));
                return [serverKey(one), known ?? initialState(check)];
            }),
        );
        this.configuration = configuration;
        const ports = new Set(configuration.listeners.map(({ port }) => port));
        await this.enforce(before.listeners.flatMap(({ port }) => (ports.has(port) ? [] : flowsOf(before, port))));
        this.applied = text;
        for (const one of servers) if (one.listener.pool.check) void this.watch(one, one.listener.pool.check);
    }

    /** Brings the firewall to what the checks say. @param ended flows that a change leaves without their server. */
    private async enforce(ended: readonly string[][] = []): Promise<void> {
        const enforced = this.turn.then(async () => {
            const up = new Set(
                datagramServers(this.configuration)
                    .map(serverKey)
                    .filter((key) => this.states.get(key)?.up),
            );
            const table = datagramTable(this.configuration, (one) => up.has(serverKey(one)));
            // UDP has no end: a flow lasts as long as the listener that is the most patient lets it.
            const idle = Math.max(1, ...this.configuration.listeners.map(({ idleSeconds }) => idleSeconds));
            const timeouts = ["timeout", "timeout_stream"].map(
                (name) => `net.netfilter.nf_conntrack_udp_${name}=${idle}`,
            );
            await this.runner.script(`
nft -f - <<'END_OF_TABLE'
${replaceTable(DATAGRAM_TABLE, table)}
END_OF_TABLE
sysctl -qw ${timeouts.join(" ")}
`);
            // conntrack fails when there is nothing to delete.
            for (const flow of ended) await this.runner.attempt(["conntrack", ...flow]);
            // Only now, because who is told of a change relies on it.
            this.serving = up;
        });
        this.turn = enforced.catch(() => undefined);
        await enforced;
    }

    private async watch(one: DatagramServer, check: DesiredCheck): Promise<void> {
        const { signal } = this.checks;
        // Aborted means that the configuration is another by now.
        const ended = (): boolean => signal.aborted;
        while (!ended()) {
            const next = sleep(check.intervalSeconds * 1000, undefined, { signal }).catch(() => undefined);
            const succeeded = await probe(one, check);
            if (ended()) return;
            await this.note(one, check, succeeded).catch((error: unknown) => {
                process.stderr.write(`${String(error)}\n`);
            });
            await next;
        }
    }

    private async note(one: DatagramServer, check: DesiredCheck, succeeded: boolean): Promise<void> {
        const before = this.states.get(serverKey(one)) ?? initialState(check);
        const after = afterCheck(before, succeeded, check);
        this.states.set(serverKey(one), after);
        if (after.up === before.up) return;
        // Clients of those that are down go on with another instead of waiting for them.
        const down = datagramServers(this.configuration).filter(
            (other) => other.listener === one.listener && !this.states.get(serverKey(other))?.up,
        );
        await this.enforce(down.flatMap(({ listener, server }) => flowsOf(this.configuration, listener.port, server)));
    }
}

function probe({ server }: DatagramServer, { http, udp, port, timeoutSeconds }: DesiredCheck): Promise<boolean> {
    const place = { host: server.address, port: port ?? server.port };
    const timeout = timeoutSeconds * 1000;
    if (udp) return answersDatagram(place, udp, timeout);
    return http ? answersHttp(place, http, timeout) : takesConnection(place, timeout);
}

interface Place {
    readonly host: string;
    readonly port: number;
}

/** A host whose port is closed says so by ICMP; one that says nothing is healthy unless an answer is expected. */
function answersDatagram({ host, port }: Place, { request, expect }: Udp, timeout: number): Promise<boolean> {
    return new Promise((resolve) => {
        const socket = createSocket("udp4");
        const end = (healthy: boolean): void => {
            clearTimeout(timer);
            socket.removeAllListeners().on("error", () => undefined);
            socket.close();
            resolve(healthy);
        };
        const timer = setTimeout(() => end(expect === undefined), timeout);
        socket.on("error", () => end(false));
        socket.on("message", (message) => end(expect === undefined || message.toString() === expect));
        socket.on("connect", () => socket.send(request));
        socket.connect(port, host);
    });
}

function takesConnection(place: Place, timeout: number): Promise<boolean> {
    return new Promise((resolve) => {
        const socket = connect({ ...place, timeout });
        const end = (healthy: boolean): void => {
            socket.destroy();
            resolve(healthy);
        };
        socket.on("connect", () => end(true));
        socket.on("timeout", () => end(false));
        socket.on("error", () => end(false));
    });
}

function answersHttp(place: Place, { method, path, host, classes }: Http, timeout: number): Promise<boolean> {
    return new Promise((resolve) => {
        const headers = { Host: host ?? place.host };
        const asked = requestHttp({ ...place, method, path, headers, agent: false, timeout }, (response) => {
            response.destroy();
            resolve(classes.includes(Math.floor((response.statusCode ?? 0) / 100)));
        });
        asked.on("timeout", () => asked.destroy(new Error("no answer in time")));
        asked.on("error", () => resolve(false));
        asked.end();
    });
}

function serve(socketPath: string): void {
    const service = new DatagramService();
    const answer = async (text: string): Promise<DatagramAnswer> => {
        const { apply } = JSON.parse(text) as DatagramRequest;
        if (apply) await service.apply(apply);
        return { health: service.health() ?? [] };
    };
    const server = createServer({ allowHalfOpen: true }, (connection) => {
        let text = "";
        connection.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        connection.on("error", () => undefined);
        connection.on("end", () => {
            void answer(text)
                .catch((error: unknown): DatagramAnswer => ({ problem: String(error).split("\n")[0]! }))
                .then((said) => connection.end(JSON.stringify(said)));
        });
    });
    server.listen(socketPath);
}

if (require.main === module) serve(process.argv[2]!);
