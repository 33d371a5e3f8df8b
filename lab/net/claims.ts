/** Who claims the HaVips: hosts announce addresses by ARP, and the routers' tables of neighbours tell which. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Runner } from "../hosts/runner";
import type { HaVipPlan, RouterPlan } from "./plan";

export interface Claim {
    readonly haVipId: string;
    readonly nicId: string;
}

export interface ClaimsOptions {
    readonly runner: Runner;
    readonly log: (line: string) => void;
    readonly claimed: (claim: Claim) => void;
}

/** An address that a host announced, or that the router asked a host for. */
export interface Neighbour {
    readonly address: string;
    readonly device: string;
    /** Only announcements make an entry stale at once: what answers the router's own question is reachable. */
    readonly announced: boolean;
}

interface Watched {
    router: RouterPlan;
    readonly stop: () => void;
}

/** Milliseconds in which a watcher that was started begins to listen. */
const BEGINNING = 200;

/** Watches the routers of VPCs that have HaVips. Calls must not overlap. */
export class Claims {
    private readonly watched = new Map<string, Watched>();

    constructor(private readonly options: ClaimsOptions) {}

    /** Watches these routers and no others. */
    async follow(routers: readonly RouterPlan[]): Promise<void> {
        const wanted = new Map(
            routers
                .filter(({ haVips }) => haVips.some(({ candidates }) => candidates.size > 0))
                .map((router) => [router.namespace, router]),
        );
        for (const namespace of this.watched.keys()) if (!wanted.has(namespace)) this.forget(namespace);
        for (const router of wanted.values()) {
            const known = this.watched.get(router.namespace);
            if (known) {
                const changed = text(known.router.haVips) !== text(router.haVips);
                known.router = router;
                if (changed) await this.settle(router);
            } else await this.begin(router);
        }
    }

    /** Watches a name space no more, which is about to go. */
    forget(namespace: string): void {
        this.watched.get(namespace)?.stop();
        this.watched.delete(namespace);
    }

    close(): void {
        for (const namespace of [...this.watched.keys()]) this.forget(namespace);
    }

    private async begin(router: RouterPlan): Promise<void> {
        const { namespace } = router;
        const stop = this.options.runner.follow(
            ["ip", "-4", "-n", namespace, "monitor", "neigh"],
            (line) => {
                const neighbour = parseNeighbour(line);
                if (neighbour?.announced === true) this.take(namespace, neighbour);
            },
            () => {
                this.options.log(`the watch over the HaVips of ${namespace} ended`);
                this.watched.delete(namespace);
            },
        );
        this.watched.set(namespace, { router, stop });
        await sleep(BEGINNING);
        // What was announced while nobody listened. The losers' entries are removed as soon as somebody listens.
        for (const neighbour of await this.neighbours(namespace)) this.take(namespace, neighbour);
        await this.settle(router);
    }

    private take(namespace: string, { address, device }: Neighbour): void {
        const haVip = this.watched.get(namespace)?.router.haVips.find((each) => each.address === address);
        const nicId = haVip?.candidates.get(device);
        if (haVip && nicId !== undefined && haVip.holder !== device) this.options.claimed({ haVipId: haVip.id, nicId });
    }

    /**
     * The kernel tells of entries that are new, so those of interfaces that don't hold the address go. Where nobody holds it,
     * one that announced it before it might gets it.
     */
    private async settle({ namespace, haVips }: RouterPlan): Promise<void> {
        const lines: string[] = [];
        for (const neighbour of await this.neighbours(namespace)) {
            const haVip = haVips.find(({ address }) => address === neighbour.address);
            if (haVip?.candidates.has(neighbour.device) !== true || haVip.holder === neighbour.device) continue;
            if (haVip.holder === undefined) this.take(namespace, neighbour);
            else lines.push(`neighbour delete ${neighbour.address} dev ${neighbour.device}`);
        }
        if (lines.length > 0)
            await this.options.runner.attempt(["ip", "-n", namespace, "-force", "-batch", "-"], {
                input: `${lines.join("\n")}\n`,
            });
    }

    private async neighbours(namespace: string): Promise<Neighbour[]> {
        const { stdout } = await this.options.runner.attempt(["ip", "-4", "-n", namespace, "neighbour", "show"]);
        return stdout.split("\n").flatMap((line) => parseNeighbour(line) ?? []);
    }
}

function text(haVips: readonly HaVipPlan[]): string {
    return JSON.stringify(haVips.map((haVip) => ({ ...haVip, candidates: [...haVip.candidates] })));
}

/** A line of `ip neighbour`; undefined for one that says that nobody is there. */
export function parseNeighbour(line: string): Neighbour | undefined {
    const match = /^(\d\S+) dev (\S+) lladdr \S+(?: \S+)* (\S+)\s*$/.exec(line);
    return match ? { address: match[1]!, device: match[2]!, announced: match[3] === "STALE" } : undefined;
}
