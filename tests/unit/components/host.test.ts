import { problemsOf, Recorder, valueOf } from "./recorder";

const recorder = new Recorder();

import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

import { Host, type HostArgs } from "../../../components";
import { assembleScript, sha256 } from "../../../components/scripts";

const step = "command:remote:Command";
const script = assembleScript("test/step", [{ file: "test/step.sh", text: "main() { :; }\n" }]);
const machine = (name = "a", more: Partial<HostArgs> = {}, opts = recorder.watched): Host =>
    new Host(name, { address: "10.0.0.7", privateKey: "LOGIN-KEY", hostKey: "ssh-ed25519 AAAA host\n", ...more }, opts);

beforeEach(() => recorder.clear());

describe("Host", () => {
    test("waits for the machine with unlimited dials, bounded in time, and for nothing else", async () => {
        machine("a", { readyTimeoutMinutes: 5 });
        await recorder.settled();
        const { inputs } = recorder.find(step, "a-ready");
        expect(inputs["connection"]).toEqual({
            host: "10.0.0.7",
            port: 22,
            user: "root",
            privateKey: "LOGIN-KEY",
            hostKey: "ssh-ed25519 AAAA host",
            dialErrorLimit: -1,
            perDialTimeout: 10,
        });
        expect(inputs["create"]).toMatch(/^STEP=host\/ready@[0-9a-f]{8} bash --norc -s$/);
        expect(recorder.options(step, "a-ready").customTimeouts).toEqual({ create: "5m", update: "5m", delete: "5m" });
    });

    test("connects to the public address, or through the bastion to the private one, with both host keys pinned", async () => {
        const bastion = machine("bastion", { publicAddress: "198.51.100.9", hostKey: "ssh-ed25519 BBBB" });
        machine("inner", { publicAddress: "198.51.100.10", bastion });
        await recorder.settled();
        expect(recorder.find(step, "bastion-ready").inputs["connection"]).toMatchObject({ host: "198.51.100.9" });
        expect(recorder.find(step, "inner-ready").inputs["connection"]).toMatchObject({
            host: "10.0.0.7",
            hostKey: "ssh-ed25519 AAAA host",
            proxy: { host: "198.51.100.9", hostKey: "ssh-ed25519 BBBB", user: "root", privateKey: "LOGIN-KEY" },
        });
        expect(recorder.options(step, "inner-ready").dependsOn).toContain(bastion.ready);
    });

    test("refuses a bastion that is behind another one, which would be dialled past that", () => {
        const inner = machine("inner", { bastion: machine("outer") });
        expect(problemsOf(() => machine("a", { bastion: inner }))).toEqual([
            'Host "a" has 1 problem:',
            '  - bastion: "inner" is itself reached through "outer", and SSH goes through one host only: name that one, or one that is reached directly.',
        ]);
    });

    test("refuses an empty address where it would be dialled, which SSH takes for this machine", async () => {
        expect(problemsOf(() => machine("a", { address: " ", publicAddress: "" })).slice(1)).toEqual([
            "  - address: is empty: give the machine's private address.",
            "  - publicAddress: is empty: leave it out, or name a bastion.",
        ]);
        machine("b", { publicAddress: "", bastion: machine("bastion") });
        machine("c", { publicAddress: "", direct: true });
        await recorder.settled();
        for (const name of ["b-ready", "c-ready"])
            expect(recorder.find(step, name).inputs["connection"]).toMatchObject({ host: "10.0.0.7" });
    });

    test("is another machine exactly when its identity, or else its host key, is another one", async () => {
        expect(await valueOf(machine("a").identity)).toBe("ssh-ed25519 AAAA host");
        expect(await valueOf(machine("b", { identity: "i-1" }).identity)).toBe("i-1");
    });

    test.each([
        ["", "it is empty"],
        ["10.0.0.7 ssh-ed25519 AAAA", '"10.0.0.7 ssh-ed25519 AAAA" is none'],
        ["-----BEGIN OPENSSH PRIVATE KEY-----", '"-----BEGIN OPENSSH PRIVATE KEY-----" is none'],
    ])("refuses the host key %j, which would let any machine pass for this one", (hostKey, reason) => {
        const [subject, problem] = problemsOf(() => machine("a", { hostKey }));
        expect(subject).toBe('Host "a" has 1 problem:');
        expect(problem).toContain(`  - hostKey: ${reason}; give the machine's public host key`);
    });

    test("reports bad arguments together", () => {
        expect(problemsOf(() => machine("a", { user: "Admin User", readyTimeoutMinutes: 0 }))).toEqual([
            'Host "a" has 2 problems:',
            '  - user: "Admin User" is not a Linux user name.',
            "  - readyTimeoutMinutes: 0 is not a positive number of minutes.",
        ]);
    });
});

describe("Host.run", () => {
    test("makes one plain command with a stable name, whose parameters a reviewer can read", async () => {
        const result = machine().run("a-redis", { script, params: { port: 7000, maxMemory: pulumi.output("1gb") } });
        await recorder.settled();
        expect(result).toBeInstanceOf(command.remote.Command);
        const { inputs } = recorder.find(step, "a-redis");
        const text = `STEP=test/step@${script.hash} PARAM_MAX_MEMORY='1gb' PARAM_PORT='7000' bash --norc -s`;
        expect(inputs).toMatchObject({ create: text, update: `${text} update`, triggers: ["ssh-ed25519 AAAA host"] });
        expect(inputs).not.toHaveProperty("delete");
        expect(await valueOf(result.result)).toEqual({ step: "x", changed: [] });
    });

    test("dials a machine that is not ready never, and a step's own dials are bounded (command#1238)", async () => {
        const host = machine();
        host.run("s", { script });
        await recorder.settled();
        expect(recorder.options(step, "s").dependsOn).toEqual([host.ready]);
        expect(recorder.find(step, "s").inputs["connection"]).toMatchObject({ dialErrorLimit: 20, perDialTimeout: 15 });
    });

    test("keeps keys and passwords out of plain text, command line and logs (command#111, #260, pulumi#15912)", async () => {
        machine().run("s", { script, secrets: { password: "hunter2secret", key: pulumi.secret("PEM-KEY") } });
        await recorder.settled();
        const { inputs, secret } = recorder.find(step, "s");
        expect(secret).toEqual(expect.arrayContaining(["connection", "stdin"]));
        expect(secret).not.toContain("create");
        expect(recorder.plaintext()).not.toMatch(/hunter2secret|PEM-KEY|LOGIN-KEY/);
        expect(inputs["stdin"]).toContain("SECRET_PASSWORD='hunter2secret'");
        expect(inputs["logging"]).toBe("stderr");
        expect(recorder.options(step, "s").additionalSecretOutputs).toEqual(
            expect.arrayContaining(["connection", "stdin", "stdout", "stderr"]),
        );
    });

    test("a parameter that is secret makes the command text secret rather than readable", async () => {
        machine().run("s", { script, params: { token: pulumi.secret("hidden-value") } });
        await recorder.settled();
        expect(recorder.find(step, "s").secret).toEqual(expect.arrayContaining(["create", "update"]));
        expect(recorder.plaintext()).not.toContain("hidden-value");
    });

    test("runs nothing on a machine that is going away (command#104)", async () => {
        const machineResource = machine("other");
        machine("a", { machine: machineResource }).run("s", { script, removeOnDelete: true });
        machine("b").run("t", { script, removeOnDelete: true });
        await recorder.settled();
        expect(recorder.find(step, "s").inputs["delete"]).toBe(`STEP=test/step@${script.hash} bash --norc -s delete`);
        // Not with the machine, which a refresh drops when somebody deleted it.
        const marker = "command:local:Command";
        expect(recorder.find(marker, "a-machine").inputs["triggers"]).toEqual(
            recorder.find(step, "a-ready").inputs["triggers"],
        );
        const { deletedWith } = recorder.options(step, "s");
        expect(await valueOf(deletedWith!.urn)).toContain("Command::a-machine");
        expect(recorder.options(step, "t").deletedWith).toBeUndefined();
        expect(recorder.names(marker)).toEqual(["a-machine"]);
        expect(recorder.options(step, "a-ready")).toMatchObject({ deleteBeforeReplace: true, ignoreChanges: [] });
    });

    test("a replacement that is asked for undoes the step before it makes it anew", async () => {
        machine().run("s", { script, removeOnDelete: true });
        machine("b").run("t", { script });
        await recorder.settled();
        expect(recorder.options(step, "s").deleteBeforeReplace).toBe(true);
        expect(recorder.options(step, "t").deleteBeforeReplace).toBeUndefined();
    });

    test("a change updates in place; only another machine replaces (command#189)", async () => {
        machine("a", { identity: "i-1", machine: machine("other") }).run("s", {
            script,
            params: { port: 1 },
            rerunOn: ["other"],
        });
        await recorder.settled();
        expect(recorder.find(step, "s").inputs).toMatchObject({
            triggers: ["i-1"],
            update: expect.stringContaining("PARAM_PORT='1'") as string,
        });
        expect(recorder.options(step, "s").replaceOnChanges).toContain("triggers");
    });

    test("a machine that others make and replace is never dialled once it is gone", async () => {
        machine("a", { identity: "i-1" }).run("s", { script, removeOnDelete: true });
        machine("b", { machine: machine("other") }).run("t", { script, removeOnDelete: true });
        await recorder.settled();
        expect(recorder.options(step, "s").ignoreChanges).toEqual(["triggers"]);
        expect(recorder.find(step, "s").inputs["stdin"]).toContain("STEP_MACHINE=");
        expect(recorder.options(step, "t").ignoreChanges).toEqual([]);
    });

    test("what outlives the machine goes on as an update on another one, and runs again there", async () => {
        machine("a", { identity: "i-1" }).run("s", { script, outlivesMachine: true });
        await recorder.settled();
        const { inputs } = recorder.find(step, "s");
        expect(inputs).not.toHaveProperty("triggers");
        expect(recorder.options(step, "s").replaceOnChanges).not.toContain("triggers");
        expect(inputs["stdin"]).toContain(`STEP_MACHINE=${sha256("i-1")}`);
    });

    test("the host is told which steps speak for a whole service, as its records tell nothing of those", async () => {
        const host = machine();
        host.run("node", { script });
        host.run("release", { script, serviceWide: true });
        host.run("cluster", { script, outlivesMachine: true });
        await recorder.settled();
        const told = ["node", "release", "cluster"].map((name) =>
            String(recorder.find(step, name).inputs["stdin"]).includes("\nSTEP_SERVICE_WIDE=true\n"),
        );
        expect(told).toEqual([false, true, true]);
        expect(recorder.find(step, "release").inputs).toHaveProperty("triggers");
    });

    test("a changed script shows in the command text (command#33, #83, #151)", async () => {
        const changed = assembleScript("test/step", [{ file: "test/step.sh", text: "main() { echo; }\n" }]);
        machine().run("s", { script });
        machine("b").run("t", { script: changed });
        await recorder.settled();
        expect(recorder.find(step, "s").inputs["create"]).not.toBe(recorder.find(step, "t").inputs["create"]);
    });

    test("a new address changes nothing that would run the script again (command#447)", async () => {
        machine("a", { publicAddress: "198.51.100.1", identity: "i-1" }).run("s", { script, secrets: { x: "secret" } });
        await recorder.settled();
        const before = recorder.find(step, "s").inputs;
        recorder.clear();
        machine("a", { publicAddress: "198.51.100.2", identity: "i-1" }).run("s", { script, secrets: { x: "secret" } });
        await recorder.settled();
        const { connection, ...rest } = recorder.find(step, "s").inputs;
        expect(connection).toMatchObject({ host: "198.51.100.2" });
        expect({ ...rest, connection: before["connection"] }).toEqual(before);
    });

    test("never uses the environment, which sshd drops (command#48, #430)", async () => {
        machine().run("s", { script, params: { port: 1 } });
        await recorder.settled();
        expect(recorder.find(step, "s").inputs).not.toHaveProperty("environment");
        expect(recorder.find(step, "s").inputs["addPreviousOutputInEnv"]).toBe(false);
    });

    test("one secret doesn't taint the result, unless the whole result is declared secret (pulumi#17422)", async () => {
        const open = machine().run("s", { script, secrets: { x: "secret" } });
        const closed = machine("b").run("t", { script, secretResult: true });
        expect(await pulumi.isSecret(open.result)).toBe(false);
        expect(await pulumi.isSecret(closed.result)).toBe(true);
    });

    test("waits for the way out only where the script needs it", async () => {
        const way = machine("way");
        const host = machine("a", { outboundBy: [way] });
        host.run("installs", { script });
        host.run("local", { script, usesInternet: false });
        await recorder.settled();
        expect(recorder.options(step, "installs").dependsOn).toEqual([host.ready, way]);
        expect(recorder.options(step, "local").dependsOn).toEqual([host.ready]);
    });

    test("keeps the caller's dependencies, options and parent", async () => {
        const [host, other] = [machine(), machine("b")];
        const parent = new pulumi.ComponentResource("test:index:Parent", "parent");
        const result = host.run(
            "s",
            { script },
            { parent, dependsOn: other.ready, ...recorder.watched, protect: true },
        );
        await recorder.settled();
        const { dependsOn, protect } = recorder.options(step, "s");
        expect(dependsOn).toEqual([host.ready, other.ready]);
        expect(protect).toBe(true);
        expect(await valueOf(result.urn)).toContain("::test:index:Parent$command:remote:Command::s");
    });

    test.each([
        ["", "it is empty"],
        ["10.0.0.7 ssh-ed25519 AAAA", '"10.0.0.7 ssh-ed25519 AAAA" is none'],
        ["-----BEGIN OPENSSH PRIVATE KEY-----", '"-----BEGIN OPENSSH PRIVATE KEY-----" is none'],
    ])("refuses the host key %j, which would let any machine pass for this one", (hostKey, reason) => {
        const [subject, problem] = problemsOf(() => machine("a", { hostKey }));
        expect(subject).toBe('Host "a" has 1 problem:');
        expect(problem).toContain(`  - hostKey: ${reason}; give the machine's public host key`);
    });

    test("reports bad arguments together", () => {
        expect(
            problemsOf(() =>
                machine().run("s", { script, params: { "a b": 1 }, secrets: { "1x": "" }, timeoutMinutes: -1 }),
            ),
        ).toEqual([
            'Step "s" has 3 problems:',
            "  - params.a b: a name is made of letters and digits and starts with a letter.",
            "  - secrets.1x: a name is made of letters and digits and starts with a letter.",
            "  - timeoutMinutes: -1 is not a positive number of minutes.",
        ]);
    });
});
