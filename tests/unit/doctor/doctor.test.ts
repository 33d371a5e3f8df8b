import { generateKeyPairSync } from "node:crypto";
import { loadCheck } from "../../../doctor/checks";
import { parseOptions } from "../../../doctor/cli";
import { type Remote, examine, patient } from "../../../doctor/examine";
import { type Finding, readObservation } from "../../../doctor/findings";
import { readInventory } from "../../../doctor/inventory";
import { formatReport, makeReport } from "../../../doctor/report";
import { prepare } from "../../../toolchain/plugins/command/dial";

const SECRET = "4dabf18193072939515e22adb298388d";
const secret = (value: unknown): object => ({
    [SECRET]: "1b47061264138c4ac30d75fd1eb44270",
    plaintext: JSON.stringify(value),
});

/** A step's resource, as a state has it. */
function step(host: string, script: string, name: string, address = `10.0.0.${host.length}`, proxy?: string): object {
    return {
        urn: `urn:pulumi:dev::p::command:remote:Command::${name}`,
        type: "command:remote:Command",
        inputs: {
            create: `STEP=${script}@12345678 PARAM_PORT='7000' bash --norc -s`,
            stdin: secret(`shopt -s extglob\n{\nSECRET_PASSWORD='s3cret'\nSTEP_SOURCES=''\nbody`),
            connection: secret({ host: address, user: "ops", ...(proxy !== undefined && { proxy: { host: proxy } }) }),
        },
    };
}

const state = (...resources: object[]): object => ({ deployment: { resources } });

const cluster = state(
    step("bastion-1", "host/ready", "bastion-1-ready", "198.51.100.1"),
    step("node-1", "host/ready", "node-1-ready", "10.0.0.1", "198.51.100.1"),
    step("node-1", "redis/node", "redis-node-1", "10.0.0.1", "198.51.100.1"),
    step("node-1", "redis/cluster", "redis-cluster", "10.0.0.1", "198.51.100.1"),
    step("node-2", "host/ready", "node-2-ready", "10.0.0.2", "198.51.100.1"),
    step("node-2", "redis/node", "redis-node-2", "10.0.0.2", "198.51.100.1"),
    { urn: "urn:pulumi:dev::p::alicloud:vpc/network:Network::main", type: "alicloud:vpc/network:Network" },
);

describe("the inventory", () => {
    test("has every host with its steps, parameters in the command and secrets apart", () => {
        const { hosts, findings } = readInventory(cluster);
        expect(hosts.map(({ name, steps }) => [name, steps.map(({ script }) => script)])).toEqual([
            ["bastion-1", ["host/ready"]],
            ["node-1", ["host/ready", "redis/node", "redis/cluster"]],
            ["node-2", ["host/ready", "redis/node"]],
        ]);
        expect(hosts[1]?.steps[1]?.secrets).toEqual(["SECRET_PASSWORD='s3cret'"]);
        expect(hosts[1]?.connection).toMatchObject({ host: "10.0.0.1", user: "ops" });
        expect(findings).toMatchObject([{ check: "updates", status: "ok" }]);
    });

    test("tells of an update that was cut off", () => {
        const leaving = { ...step("node-9", "redis/node", "redis-node-9"), delete: true };
        const cut = {
            deployment: { resources: [leaving], pending_operations: [{ resource: leaving, type: "creating" }] },
        };
        expect(readInventory(cut)).toMatchObject({
            hosts: [],
            findings: [{ status: "warning", detail: expect.stringContaining("creating redis-node-9") as string }],
        });
    });

    const node3 = { urn: "urn:pulumi:dev::p::multihost:host:Host::node-3", type: "multihost:host:Host" };
    const ready3 = { ...step("node-3", "host/ready", "node-3-ready", "10.0.0.3"), parent: node3.urn };
    const redis3 = step("node-3", "redis/node", "redis-node-3", "10.0.0.3");

    test("tells of an update that failed, which leaves nothing in the state", () => {
        const last = { kind: "update", result: "failed" };
        expect(readInventory(cluster, last).findings).toEqual([
            {
                host: null,
                service: "stack",
                step: null,
                check: "updates",
                status: "failed",
                detail: "the last update failed: run `pulumi up`",
            },
        ]);
        expect(readInventory(cluster, { kind: "refresh", result: "failed" }).findings[0]?.detail).toContain(
            "last refresh",
        );
        expect(readInventory(cluster, { kind: "destroy", result: "failed" }).findings[0]?.detail).toContain(
            "`pulumi destroy` again",
        );
        expect(readInventory(cluster, { ...last, result: "succeeded" }).findings).toMatchObject([{ status: "ok" }]);
        expect(readInventory(cluster, "unknown").findings).toMatchObject([{ status: "warning" }]);
    });

    test("tells an update that is running from one that was cut off", () => {
        const running = { kind: "update", result: "in-progress" };
        const half = {
            deployment: { resources: [node3, redis3], pending_operations: [{ resource: ready3, type: "creating" }] },
        };
        expect(readInventory(half, running).findings).toMatchObject([
            { status: "warning", detail: expect.stringContaining("an update is running") as string },
            { host: "node-3", status: "warning" },
            { step: "redis-node-3", status: "warning" },
        ]);
        expect(readInventory(half).findings[0]?.detail).toContain("was cut off");
    });

    test("names hosts that were not made ready, and steps that no host is known for", () => {
        expect(readInventory(state(node3, ready3, redis3)).findings).toMatchObject([{ check: "updates" }]);
        expect(readInventory(state(node3)).findings[1]).toMatchObject({
            host: "node-3",
            service: "host",
            check: "ready",
            status: "failed",
        });
        expect(readInventory(state(node3, redis3)).findings[2]).toMatchObject({
            host: null,
            service: "redis",
            step: "redis-node-3",
            status: "skipped",
        });
        expect(readInventory(state(redis3)).findings[1]).toMatchObject({ step: "redis-node-3", status: "failed" });
        // What replaces a host is ready, and the host waits for being deleted.
        expect(readInventory(state({ ...node3, delete: true })).findings).toHaveLength(1);
    });

    test("takes what is to be made anew on another machine for gone", () => {
        const gone = { pendingReplacement: true };
        expect(readInventory(state(node3, { ...ready3, ...gone }, { ...redis3, ...gone }))).toMatchObject({
            hosts: [],
            findings: [{ check: "updates" }, { host: "node-3", check: "ready", status: "failed" }],
        });
    });

    test("knows a host by either of its SSH keys while they are exchanged, and no other machine at its address", () => {
        const known = (resource: object, hostKey: string, machine?: string): object => {
            const { inputs } = resource as { inputs: Record<string, unknown> };
            const connection = secret({ host: "10.0.0.3", user: "ops", hostKey });
            return { ...resource, inputs: { ...inputs, connection, ...(machine && { triggers: [machine] }) } };
        };
        const inventory = readInventory(
            state(
                node3,
                known(ready3, "next", "i-3"),
                known(redis3, "former", "i-3"),
                known(step("node-3", "redis/cluster", "redis-cluster"), "former"),
                known(step("node-3", "web/node", "site-web-3"), "former", "i-2"),
            ),
        );
        expect(inventory.hosts.map(({ steps }) => steps.map(({ name }) => name))).toEqual([
            ["node-3-ready", "redis-node-3", "redis-cluster"],
        ]);
        expect(inventory.findings).toMatchObject([{ check: "updates" }, { step: "site-web-3", status: "failed" }]);
    });

    test("refuses a state whose secrets are encrypted", () => {
        const encrypted = step("a", "host/ready", "a-ready") as { inputs: Record<string, unknown> };
        encrypted.inputs["stdin"] = { [SECRET]: "x", ciphertext: "v1:…" };
        expect(() => readInventory(state(encrypted))).toThrow(/--show-secrets/);
    });
});

describe("an examination", () => {
    const line = (finding: Partial<Finding>): string =>
        JSON.stringify({ check: "x", status: "ok", detail: "fine", ...finding });
    const down =
        (...hosts: string[]): Remote =>
        async (connection, { text }, { line: say }) => {
            if (hosts.includes(connection.host) || hosts.includes(connection.proxy?.host ?? ""))
                throw new Error("timed out");
            if (text !== "true") say(line({}));
            return 0;
        };
    const by = (findings: readonly Finding[], status: string): (string | null)[] =>
        [...new Set(findings.filter((finding) => finding.status === status).map(({ host }) => host))].sort();

    test("asks every host, and the service as a whole from one of them", async () => {
        const findings = await examine(readInventory(cluster), down());
        expect(by(findings, "failed")).toEqual([]);
        expect(findings.filter(({ host }) => host === null).map(({ service }) => service)).toEqual(["stack", "redis"]);
    });

    test("goes on without a host that is down, and asks the service from another one", async () => {
        const findings = await examine(readInventory(cluster), down("10.0.0.1"));
        expect(by(findings, "failed")).toEqual(["node-1"]);
        expect(findings.filter(({ status }) => status === "failed")).toMatchObject([
            { check: "login", service: "host" },
        ]);
        expect(findings.find(({ step: name }) => name === "redis-cluster")).toMatchObject({ host: null, status: "ok" });
        expect(by(findings, "ok")).toContain("node-2");
    });

    test("asks a service from a host of its own, and a volume from one of its servers", async () => {
        const of = (component: string, resource: object): object => ({ ...resource, parent: component });
        const inventory = readInventory(
            state(
                ...["1", "2", "3", "4"].map((n) => step("", "host/ready", `node-${n}-ready`, `10.0.0.${n}`)),
                of("one", step("", "redis/cluster", "one-cluster", "10.0.0.1")),
                of("other", step("", "redis/node", "other-node-2", "10.0.0.2")),
                of("one", step("", "redis/node", "one-node-3", "10.0.0.3")),
                of("files", step("", "storage/gluster-volume", "files-volume", "10.0.0.1")),
                of("files", step("", "storage/gluster-volume", "files-volume-standby", "10.0.0.4")),
                of("files", step("", "storage/gluster-client", "files-node-2-mount", "10.0.0.2")),
                of("files", step("", "storage/gluster-server", "files-node-4", "10.0.0.4")),
            ),
        );
        const asked: string[] = [];
        const remote: Remote = async (connection, command, output) => {
            const [script] = /(redis\/cluster|storage\/gluster-volume)@/.exec(command.text) ?? [];
            if (script !== undefined) asked.push(`${script}${connection.host}`);
            return down("10.0.0.1")(connection, command, output);
        };
        await examine(inventory, remote);
        expect(asked.sort()).toEqual(["redis/cluster@10.0.0.3", "storage/gluster-volume@10.0.0.4"]);

        const findings = await examine(inventory, down("10.0.0.1", "10.0.0.3", "10.0.0.4"));
        const skipped = findings.filter(({ status }) => status === "skipped").map(({ step: name }) => name);
        expect(skipped).toEqual(expect.arrayContaining(["one-cluster", "files-volume"]));
    });

    test("runs a check that another host takes over as that host's own user", async () => {
        const asRoot = (resource: object): object => {
            const { inputs } = resource as { inputs: Record<string, unknown> };
            return { ...resource, inputs: { ...inputs, connection: secret({ host: "10.0.0.1", user: "root" }) } };
        };
        const inventory = readInventory(
            state(
                asRoot(step("node-1", "host/ready", "node-1-ready", "10.0.0.1")),
                asRoot(step("node-1", "redis/cluster", "redis-cluster", "10.0.0.1")),
                step("node-2", "host/ready", "node-2-ready", "10.0.0.2"),
                step("node-2", "redis/node", "redis-node-2", "10.0.0.2"),
            ),
        );
        const begins = async (...dead: string[]): Promise<(string | undefined)[]> => {
            const texts: string[] = [];
            await examine(inventory, (connection, command, output) => {
                if (command.text.includes("STEP=redis/cluster@")) texts.push(command.text);
                return down(...dead)(connection, command, output);
            });
            return texts.map((text) => text.split("STEP=")[0]);
        };
        expect(await begins("10.0.0.1")).toEqual(["sudo -n env "]);
        expect(await begins()).toEqual([""]);
    });

    test("names the bastion, and not every host behind it", async () => {
        const findings = await examine(readInventory(cluster), down("198.51.100.1"));
        expect(by(findings, "failed")).toEqual(["bastion-1"]);
        expect(findings.find(({ host, check }) => host === "node-1" && check === "login")).toMatchObject({
            status: "skipped",
            detail: expect.stringContaining("bastion-1") as string,
        });
    });

    test("blames a check that fails itself or prints nonsense, and reveals nothing", async () => {
        const broken: Remote = async (_, { text }, { line: say, error }) => {
            if (text === "true") return 0;
            say("hello");
            error("redis/node.sh line 7: no such file\n    the program's own words\n");
            return 3;
        };
        const findings = await examine(readInventory(cluster), broken);
        const failed = findings.filter(({ host, status }) => host === "node-2" && status === "failed");
        expect(failed.some(({ detail }) => detail.includes("no finding"))).toBe(true);
        expect(failed.some(({ detail }) => detail === "redis/node.sh line 7: no such file")).toBe(true);
        expect(JSON.stringify(findings)).not.toContain("s3cret");
    });

    test("a peer that is down is no finding of those that miss it", async () => {
        const missing: Remote = async (connection, { text }, { line: say }) => {
            if (connection.host === "10.0.0.1") throw new Error("timed out");
            if (text !== "true") say(line({ check: "logins", status: "failed", peers: ["node-1"] }));
            return 0;
        };
        const findings = await examine(readInventory(cluster), missing);
        expect(by(findings, "failed")).toEqual(["node-1"]);
    });
});

test("an agent that is gone keeps the doctor out of no host whose key the state has", async () => {
    const former = process.env["SSH_AUTH_SOCK"];
    process.env["SSH_AUTH_SOCK"] = "/no/such/agent";
    try {
        const privateKey = generateKeyPairSync("ed25519")
            .privateKey.export({ type: "pkcs8", format: "pem" })
            .toString();
        const endpoint = { host: "10.0.0.1", port: 22, user: "root", dialErrorLimit: 10, perDialTimeout: 15 };
        const { proxy, ...connection } = patient({ ...endpoint, privateKey, proxy: { ...endpoint, privateKey } });
        for (const one of [connection, proxy!]) expect((await prepare(one)).config.authHandler).toHaveLength(2);
        await expect(prepare(patient(endpoint))).rejects.toThrow("/no/such/agent");
    } finally {
        if (former === undefined) delete process.env["SSH_AUTH_SOCK"];
        else process.env["SSH_AUTH_SOCK"] = former;
    }
});

describe("what a host says of itself", () => {
    const asked = { from: 1_000, to: 1_002 };

    test("is judged by this machine's clock", () => {
        const clock = (time: number): string => readObservation(JSON.stringify({ check: "clock", time }), asked).status;
        expect([clock(1_001), clock(1_006), clock(1_060), clock(900)]).toEqual(["ok", "ok", "failed", "failed"]);
        expect(readObservation('{"check":"clock","time":900}', asked).detail).toContain("100 s behind");
    });

    test("has to have a name, a status and a detail", () => {
        for (const wrong of ["{}", '{"check":"a"}', '{"check":"a","status":"fine","detail":"x"}', "[]", "x"])
            expect(() => readObservation(wrong, asked)).toThrow();
    });
});

test("a report shows the worst of every host and service first, and everything when asked", () => {
    const finding = (status: Finding["status"], host: string | null, detail: string): Finding => ({
        host,
        service: "redis",
        step: null,
        check: "memory",
        status,
        detail,
    });
    const findings = [
        finding("ok", "node-1", "12 %"),
        finding("failed", "node-2", "full"),
        finding("warning", null, "soon"),
    ];
    const report = makeReport("dev", new Date(0), new Date(1500), findings);
    expect(report).toMatchObject({
        healthy: false,
        seconds: 1.5,
        counts: { ok: 1, warning: 1, failed: 1, skipped: 0 },
    });
    const brief = formatReport(report, false);
    expect(brief.indexOf("full")).toBeLessThan(brief.indexOf("soon"));
    expect(brief).not.toContain("12 %");
    expect(brief).toContain("Stack dev: 1 ok, 1 warning, 1 failed, in 1.5 s.");
    expect(formatReport(report, true)).toContain("12 %");
    expect(makeReport("dev", new Date(0), new Date(0), [finding("warning", null, "soon")]).healthy).toBe(true);
});

test("every word of the command line is known, or refused", () => {
    for (const env of [{}, { PULUMI_STACK: "" }])
        expect(parseOptions([], env)).toEqual({ stack: "lab", all: false, json: false });
    expect(parseOptions(["--stack=prod", "--json"], { PULUMI_STACK: "dev" })).toMatchObject({
        stack: "prod",
        json: true,
    });
    for (const [words, message] of [
        [["--verbose"], "--verbose"],
        [["--all", "--json"], "exclude each other"],
        [["--stack", "--all"], "--stack"],
        [["--stack", ""], "--stack is empty"],
        [["--stack="], "--stack is empty"],
        [["prod"], "prod"],
    ] as const)
        expect(() => parseOptions(words, {})).toThrow(message);
});

test("a step without a check of its own is left out, and a check knows who can run it", () => {
    expect(loadCheck("mesh/none")).toBeUndefined();
    expect(loadCheck("redis/cluster")).toMatchObject({ service: "redis", anyHost: true });
    expect(loadCheck("redis/node")).toMatchObject({ service: "redis", anyHost: false });
    expect(loadCheck("dns/names")).toMatchObject({ service: "dns", anyHost: false });
    expect(loadCheck("balancer/listeners")).toMatchObject({ service: "balancer", anyHost: true });
    expect(loadCheck("storage/gluster-volume")).toMatchObject({ anyHost: true, needs: "storage/gluster-server" });
});
