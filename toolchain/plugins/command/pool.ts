import type { Client } from "ssh2";
import { dial, prepare } from "./dial";
import { abortReason, dialWithRetry, FinalError, messageOf } from "./retry";
import { ConnectionGone, SessionRefused } from "./session";
import type { Connection, Endpoint } from "./settings";

// sshd's default MaxSessions. A server that allows fewer says so by refusing, and is then believed.
const sessionsPerConnection = 10;
// Forwarded connections are no sessions; this only spreads the work of a busy proxy over several of its processes.
const forwardsPerConnection = 25;
const idleMilliseconds = 10_000;
const attemptsOnOtherConnections = 3;

export interface Caller {
    readonly signal: AbortSignal;
    /** Told of every dial that failed and is tried again. */
    readonly status: (text: string) => void;
}

interface Waiter extends Caller {
    readonly grant: (held: Held) => void;
    readonly fail: (error: Error) => void;
}

interface Held {
    readonly client: Client;
    /** Lets go of what the connection itself stands on: the connection to its proxy. */
    readonly release: () => void;
    capacity: number;
    active: number;
    served: number;
    retired: boolean;
    idle?: NodeJS.Timeout;
}

type Dialler = (caller: Caller) => Promise<{ client: Client; release: () => void }>;

interface Rules {
    readonly places: number;
    readonly keepIdle: boolean;
}

/** The connections to one server with one set of settings, and who waits for a place on one of them. */
class SharedConnections {
    private readonly held = new Set<Held>();
    private readonly waiting: Waiter[] = [];
    private readonly dialling = new Set<AbortController>();
    private places: number;
    private lastFailure: unknown;
    private closed = false;

    constructor(
        private readonly dialler: Dialler,
        private readonly rules: Rules,
    ) {
        this.places = rules.places;
    }

    get empty(): boolean {
        return this.held.size === 0 && this.waiting.length === 0 && this.dialling.size === 0;
    }

    acquire({ signal, status }: Caller): Promise<Held> {
        return new Promise((resolve, reject) => {
            const leave = () => {
                signal.removeEventListener("abort", onAbort);
                this.waiting.splice(this.waiting.indexOf(waiter), 1);
            };
            const waiter: Waiter = {
                signal,
                status,
                grant: (held) => {
                    leave();
                    resolve(held);
                },
                fail: (error) => {
                    leave();
                    reject(error);
                },
            };
            const onAbort = () => {
                const reason = abortReason(signal).message;
                waiter.fail(
                    // Which dial failed, and how, is what the user needs when time runs out.
                    new Error(this.lastFailure ? `${reason}: last dial: ${messageOf(this.lastFailure)}` : reason),
                );
                if (this.waiting.length === 0) {
                    this.dialling.forEach((dialling) => dialling.abort());
                }
            };
            this.waiting.push(waiter);
            if (signal.aborted || this.closed) {
                onAbort();
                return;
            }
            signal.addEventListener("abort", onAbort);
            this.serve();
        });
    }

    release(held: Held): void {
        held.active--;
        this.serve();
        if (held.active > 0) {
            return;
        }
        if (held.retired || !this.rules.keepIdle) {
            this.retire(held);
        } else {
            held.idle = setTimeout(() => this.retire(held), idleMilliseconds);
        }
    }

    /** No new session goes to this connection; it closes when the last one has ended. */
    retire(held: Held): void {
        clearTimeout(held.idle);
        held.retired = true;
        if (held.active === 0 && this.held.delete(held)) {
            held.client.end();
            held.release();
        }
    }

    /** The server opens no more sessions on one connection than this one has besides the one just refused. */
    saturated(held: Held): void {
        held.capacity = Math.max(1, held.active - 1);
        this.places = Math.min(this.places, held.capacity);
    }

    close(): void {
        this.closed = true;
        this.dialling.forEach((dialling) => dialling.abort());
        this.held.forEach((held) => {
            held.active = 0;
            this.retire(held);
        });
    }

    private serve(): void {
        for (const held of this.held) {
            while (!held.retired && held.active < held.capacity && this.waiting.length > 0) {
                clearTimeout(held.idle);
                held.active++;
                held.served++;
                this.waiting[0]!.grant(held);
            }
        }
        if (this.waiting.length > this.dialling.size * this.places && !this.closed) {
            void this.dial();
        }
    }

    private async dial(): Promise<void> {
        const dialling = new AbortController();
        const served = [...this.waiting];
        this.dialling.add(dialling);
        try {
            const { client, release } = await this.dialler({
                signal: dialling.signal,
                status: (text) => this.waiting.forEach((waiter) => waiter.status(text)),
            });
            const held: Held = { client, release, capacity: this.places, active: 1, served: 0, retired: this.closed };
            client.once("close", () => this.retire(held));
            this.held.add(held);
            this.dialling.delete(dialling);
            this.lastFailure = undefined;
            this.release(held);
        } catch (error) {
            this.dialling.delete(dialling);
            // Who came later has attempts of its own left; who can wait for a place on another connection does so.
            if (this.held.size === 0 || error instanceof FinalError) {
                this.waiting
                    .filter((waiter) => served.includes(waiter))
                    .forEach((waiter) => waiter.fail(error as Error));
                this.serve();
            }
        }
    }

    /** Remembers why a dial failed, for those whose time runs out meanwhile. */
    failed(error: unknown): void {
        this.lastFailure = error;
    }
}

function keyOf(endpoint: Connection | Endpoint): string {
    return JSON.stringify(
        endpoint,
        Object.keys({ ...endpoint, ...("proxy" in endpoint ? endpoint.proxy : {}) }).sort(),
    );
}

/**
 * SSH connections shared by the operations of one plugin process: as many sessions on one connection as its server
 * allows, further connections beyond that, and one connection to a proxy for many hosts behind it.
 */
export class ConnectionPool {
    private readonly hosts = new Map<string, SharedConnections>();
    private readonly proxies = new Map<string, SharedConnections>();

    /** Runs `action` on a connection, and again on another one when it turns out that this one can't serve it. */
    async use<T>(connection: Connection, caller: Caller, action: (client: Client) => Promise<T>): Promise<T> {
        for (let attempt = 1; ; attempt++) {
            const shared = this.hostConnections(connection);
            const held = await shared.acquire(caller);
            try {
                return await action(held.client);
            } catch (error) {
                const first = held.served === 1;
                if (error instanceof SessionRefused && held.active > 1) {
                    shared.saturated(held);
                    continue;
                }
                if (error instanceof SessionRefused || error instanceof ConnectionGone) {
                    held.retired = true;
                    if (!first && attempt < attemptsOnOtherConnections) {
                        continue;
                    }
                }
                throw error;
            } finally {
                shared.release(held);
            }
        }
    }

    close(): void {
        [...this.hosts.values(), ...this.proxies.values()].forEach((shared) => shared.close());
    }

    private hostConnections(connection: Connection): SharedConnections {
        const { proxy, ...endpoint } = connection;
        return this.shared(this.hosts, keyOf(connection), (self) => ({
            dialler: async (caller) => {
                const prepared = await prepare(endpoint);
                if (proxy === undefined) {
                    const client = await dialWithRetry("Dial", endpoint.dialErrorLimit, caller, self().failed, () =>
                        dial(prepared, caller.signal),
                    );
                    return { client, release: () => undefined };
                }
                try {
                    return await dialWithRetry("Dial from proxy", endpoint.dialErrorLimit, caller, self().failed, () =>
                        this.dialThrough(proxy, caller, (client) => dial(prepared, caller.signal, client)),
                    );
                } catch (error) {
                    const text = `proxy: ${messageOf(error)}`;
                    throw error instanceof FinalError ? new FinalError(text) : new Error(text);
                }
            },
            // A login's groups, limits and environment are fixed when it is made. What one command changes in them
            // must count for the next, so an ordinary user's connection is shared only by commands that overlap.
            rules: { places: sessionsPerConnection, keepIdle: endpoint.user === "root" },
        }));
    }

    private async dialThrough(
        proxy: Endpoint,
        caller: Caller,
        dialTarget: (proxy: Client) => Promise<Client>,
    ): Promise<{ client: Client; release: () => void }> {
        const shared = this.proxyConnections(proxy);
        const held = await shared.acquire(caller).catch((error: unknown) => {
            // The proxy's own dial errors have been counted already.
            throw new FinalError(messageOf(error));
        });
        try {
            const client = await dialTarget(held.client);
            return { client, release: () => shared.release(held) };
        } catch (error) {
            shared.release(held);
            throw error;
        }
    }

    private proxyConnections(proxy: Endpoint): SharedConnections {
        return this.shared(this.proxies, keyOf(proxy), (self) => ({
            dialler: async (caller) => {
                const prepared = await prepare(proxy);
                const client = await dialWithRetry("Dial proxy", proxy.dialErrorLimit, caller, self().failed, () =>
                    dial(prepared, caller.signal),
                );
                return { client, release: () => undefined };
            },
            rules: { places: forwardsPerConnection, keepIdle: true },
        }));
    }

    private shared(
        all: Map<string, SharedConnections>,
        key: string,
        make: (self: () => { failed: (error: unknown) => void }) => { dialler: Dialler; rules: Rules },
    ): SharedConnections {
        const known = all.get(key);
        if (known !== undefined) {
            return known;
        }
        // Settings change over a long update (a host is replaced): what nobody uses any more is forgotten.
        all.forEach((other, otherKey) => other.empty && all.delete(otherKey));
        const { dialler, rules } = make(() => ({ failed: (error) => created.failed(error) }));
        const created = new SharedConnections(dialler, rules);
        all.set(key, created);
        return created;
    }
}
