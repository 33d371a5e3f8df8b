/** Several balancers on one machine, whose programs are stood in for. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Finished, type RunOptions, Runner } from "../../../lab/hosts/runner";
import type { DesiredBalancer } from "../../../lab/model/desired";
import { Balancers } from "../../../lab/net/balancers";

let folder: string;
beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "lab-balancers-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Lets HAProxy refuse the configurations of some balancers. */
class StubbedRunner extends Runner {
    readonly started: string[] = [];
    readonly ended: string[] = [];
    /** Processes of each balancer. */
    pids: readonly number[] = [];
    /** What OpenSSL is told by the last one. */
    tls = "";

    constructor(private readonly refused: readonly string[] = []) {
        super();
    }

    override async attempt(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
        const file = argv[argv.indexOf("-f") + 1]!;
        if (argv[0] === "kill") this.ended.push(...argv.slice(1));
        if (argv.includes("pids")) return { code: 0, stdout: this.pids.join("\n"), stderr: "" };
        if (!argv.includes("haproxy")) return { code: 0, stdout: "", stderr: "" };
        if (this.refused.some((id) => file.includes(id))) return { code: 1, stdout: "", stderr: `no ${file}` };
        this.tls = readFileSync(options.env?.["OPENSSL_CONF"] ?? "", "utf8");
        this.started.push(path.basename(path.dirname(file)));
        return { code: 0, stdout: "", stderr: "" };
    }
}

const balancer = (id: string): DesiredBalancer => ({
    id,
    addresses: ["127.77.0.9"],
    vpcId: "vpc",
    listeners: [
        {
            id: `${id}/tcp/80`,
            protocol: "tcp",
            port: 80,
            idleSeconds: 15,
            requestSeconds: 60,
            forwardedFor: false,
            headers: [],
            gzip: false,
            proxyProtocol: false,
            rules: [],
            pool: { servers: [], scheduler: "weighted" },
        },
    ],
});

const balancers = (runner: Runner): Balancers =>
    new Balancers({
        runner,
        folder,
        place: (id) => ({
            id,
            namespace: id,
            router: "vpc",
            device: id,
            addresses: ["198.19.0.9"],
            source: "100.64.0.9",
            gateway: "198.19.0.1",
        }),
    });

test("one whose configuration is refused keeps no other from its own, and is told of in the end", async () => {
    const runner = new StubbedRunner(["lb-1"]);
    await expect(balancers(runner).apply([balancer("lb-1"), balancer("lb-2")])).rejects.toThrow(/no .*lb-1/);
    expect(runner.started).toEqual(["lb-2"]);
    // A process of an earlier run may be at work there.
    expect(existsSync(path.join(folder, "lb-1"))).toBe(true);
});

test("several that are refused are told of together", async () => {
    const runner = new StubbedRunner(["lb-1", "lb-3"]);
    const failure: unknown = await balancers(runner)
        .apply(["lb-1", "lb-2", "lb-3"].map(balancer))
        .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AggregateError);
    expect(String(failure)).toMatch(/lb-1[\s\S]*lb-3/);
    expect(runner.started).toEqual(["lb-2"]);
});

test("former processes go on for their connections, and of too many the oldest ends", async () => {
    const program = path.join(folder, "haproxy");
    writeFileSync(program, "#!/bin/sh\nread forever\n", { mode: 0o700 });
    const runner = new StubbedRunner();
    const processes: ChildProcess[] = [];
    try {
        for (let count = 0; count < 11; count += 1) {
            processes.push(spawn(program));
            // Starts are told apart by hundredths of a second.
            await sleep(20);
        }
        const pids = processes.map(({ pid }) => pid!);
        runner.pids = pids.slice(1).reverse();
        await balancers(runner).apply([balancer("lb-1")]);
        expect(runner.ended).toEqual([]);
        runner.pids = [...pids].reverse();
        await balancers(runner).apply([balancer("lb-2")]);
        expect(runner.ended).toEqual([String(pids[0])]);
    } finally {
        for (const process of processes) process.kill("SIGKILL");
    }
});

test("certificates with keys of 1024 bits are let through, as the cloud does", async () => {
    const runner = new StubbedRunner();
    await balancers(runner).apply([balancer("lb-1")]);
    expect(runner.tls).toContain("CipherString = DEFAULT@SECLEVEL=0");
});
