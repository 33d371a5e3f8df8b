import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { Server } from "ssh2";
import { commandPlugin } from "../../../toolchain/plugins/command/plugin";
import { equal, plain, Secret, UNKNOWN, Unknown, type ValueMap } from "../../../toolchain/plugins/common/values";
import { failureOf, ProviderUnderTest } from "./support/provider";
import { currentUser, freePort, type KeyPair, makeKey, Sshd, temporaryFolder } from "./support/sshd";

const type = "command:remote:Command";

let folder: string;
let userKey: KeyPair;
let sshd: Sshd;
let provider: ProviderUnderTest;

function connection(extra: ValueMap = {}, server = sshd): ValueMap {
    return { host: "127.0.0.1", port: server.port, user: currentUser, privateKey: userKey.privateKey, ...extra };
}

async function run(create: string, extra: ValueMap = {}, conn: ValueMap = connection()) {
    return provider.create(type, { connection: conn, create, ...extra });
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function until(condition: () => boolean): Promise<void> {
    for (let attempt = 0; attempt < 200 && !condition(); attempt++) {
        await sleep(25);
    }
    expect(condition()).toBe(true);
}

function isAlive(pid: number): boolean {
    const stat = `/proc/${pid}/stat`;
    // What has ended may still wait to be reaped.
    return fs.existsSync(stat) && fs.readFileSync(stat, "utf8").split(" ")[2] !== "Z";
}

beforeAll(async () => {
    delete process.env["SSH_AUTH_SOCK"];
    folder = temporaryFolder();
    userKey = makeKey(folder, "user");
    sshd = await Sshd.start(folder, [userKey.publicKey], ["AcceptEnv ACCEPTED PULUMI_COMMAND_*"]);
});

afterAll(async () => {
    await sshd.stop();
    fs.rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
    provider = await ProviderUnderTest.start(commandPlugin());
});

afterEach(async () => {
    await provider.stop();
});

describe("a command's outputs", () => {
    it("are what it wrote, without the last newline", async () => {
        const { id, outputs } = await run("printf 'one\\n\\n'; echo two >&2");
        expect(outputs["stdout"]).toBe("one\n");
        expect(outputs["stderr"]).toBe("two");
        expect(id).toMatch(/^created[0-9a-f]{8}$/);
    });

    it("may be large, and are streamed to the log at the same time", async () => {
        const { outputs } = await run("yes 0123456789abcdef | head -c 3000000");
        expect((outputs["stdout"] as string).length).toBe(2_999_999 + 1 - (3_000_000 % 17 === 0 ? 1 : 0));
        expect(provider.log.length).toBeGreaterThan(1);
    });

    it("are empty when there is no create command", async () => {
        const { outputs } = await provider.create(type, { connection: connection(), delete: "true" });
        expect(outputs).toMatchObject({ stdout: "", stderr: "" });
    });

    it("are unknown in a preview, and the command does not run", async () => {
        const file = path.join(folder, "previewed");
        const { outputs } = await provider.create(
            type,
            { connection: connection({ host: UNKNOWN }), create: `touch ${file}`, triggers: [UNKNOWN] },
            { preview: true },
        );
        expect(outputs["stdout"]).toBeInstanceOf(Unknown);
        expect(outputs["create"]).toBe(`touch ${file}`);
        expect(fs.existsSync(file)).toBe(false);
    });
});

describe("inputs", () => {
    it("get the official defaults, and the connection becomes secret", async () => {
        const { inputs, failures } = await provider.check(type, { connection: { host: "h", proxy: { host: "p" } } });
        expect(failures).toEqual([]);
        expect(inputs["connection"]).toBeInstanceOf(Secret);
        const defaults = { user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 };
        expect(plain(inputs["connection"]!)).toEqual({ host: "h", ...defaults, proxy: { host: "p", ...defaults } });
    });

    it("are refused all at once, without repeating values", async () => {
        const { failures } = await provider.check(type, {
            connection: { port: "hidden", privateKey: 7 },
            creates: "x",
            stdin: ["hidden"],
        });
        expect(failures.length).toBe(5);
        expect(failures.join()).not.toContain("hidden");
    });

    it("that are marked secret stay secret in the state", async () => {
        const { outputs } = await run("cat", {
            stdin: new Secret("shh-secret"),
            environment: { ACCEPTED: new Secret("x") },
        });
        expect(outputs["stdin"]).toEqual(new Secret("shh-secret"));
        expect(outputs["connection"]).toBeInstanceOf(Secret);
        expect((outputs["environment"] as ValueMap)["ACCEPTED"]).toEqual(new Secret("x"));
        expect(outputs["stdout"]).toBe("shh-secret");
    });
});

describe("authentication", () => {
    it.each(["rsa", "ecdsa"])("works with an %s key", async (kind) => {
        const key = makeKey(folder, `user-${kind}`, kind);
        const server = await Sshd.start(folder, [key.publicKey]);
        try {
            const { outputs } = await run("echo in", {}, connection({ privateKey: key.privateKey }, server));
            expect(outputs["stdout"]).toBe("in");
        } finally {
            await server.stop();
        }
    });

    it("works with an encrypted key, and names a missing or wrong password without repeating it", async () => {
        const key = makeKey(folder, "encrypted", "ed25519", "open sesame");
        const server = await Sshd.start(folder, [key.publicKey]);
        try {
            const settings = (extra: ValueMap) => connection({ privateKey: key.privateKey, ...extra }, server);
            const { outputs } = await run("echo in", {}, settings({ privateKeyPassword: "open sesame" }));
            expect(outputs["stdout"]).toBe("in");
            expect(await failureOf(run("true", {}, settings({})))).toContain("passphrase protected");
            const wrong = await failureOf(run("true", {}, settings({ privateKeyPassword: "close sesame" })));
            expect(wrong).toContain("decryption password incorrect");
            expect(wrong).not.toContain("close sesame");
        } finally {
            await server.stop();
        }
    });

    it("works with a PKCS#8 key, as tls.PrivateKey makes them", async () => {
        const pkcs8 = execFileSync("openssl", ["genpkey", "-algorithm", "ed25519"], { encoding: "utf8" });
        const { outputs } = await run("true", {}, connection({ privateKey: pkcs8, dialErrorLimit: 0 })).catch(
            (error: unknown) => ({ outputs: { error: (error as Error).message } }),
        );
        expect(outputs["error"]).toContain("unable to authenticate");
    });

    it("works through an agent, and an agent that is not there is an error at once", async () => {
        const socket = path.join(folder, "agent");
        const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
        try {
            await until(() => fs.existsSync(socket));
            execFileSync("ssh-add", ["-q", userKey.file], {
                env: { ...process.env, SSH_AUTH_SOCK: socket },
                stdio: "ignore",
            });
            const withoutKey = connection();
            delete withoutKey["privateKey"];
            const { outputs } = await run("echo in", {}, { ...withoutKey, agentSocketPath: socket });
            expect(outputs["stdout"]).toBe("in");
            const missing = run("true", {}, { ...withoutKey, agentSocketPath: `${socket}-missing` });
            expect(await failureOf(missing)).toContain("dial unix");
        } finally {
            agent.kill();
        }
    });

    it("works with a password, asked for directly or by the keyboard-interactive method", async () => {
        for (const method of ["password", "keyboard-interactive"] as const) {
            const server = new Server({ hostKeys: [sshd.hostKey.privateKey] }, (client) => {
                client.on("error", () => undefined);
                client.on("authentication", (context) => {
                    const answer = (given: string | undefined) => {
                        if (given === "pass word") {
                            context.accept();
                        } else {
                            context.reject();
                        }
                    };
                    if (context.method === "password" && method === "password") {
                        answer(context.password);
                    } else if (context.method === "keyboard-interactive" && method === "keyboard-interactive") {
                        context.prompt([{ prompt: "?", echo: false }], ([given]) => answer(given));
                    } else {
                        context.reject([method]);
                    }
                });
                client.on("session", (accept) =>
                    accept().on("exec", (acceptExec) => {
                        const channel = acceptExec();
                        channel.exit(0);
                        channel.end();
                    }),
                );
            });
            const port = await freePort();
            await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
            try {
                const settings = { host: "127.0.0.1", port, user: "someone", dialErrorLimit: 0 };
                await run("true", {}, { ...settings, password: "pass word" });
                const wrong = await failureOf(run("true", {}, { ...settings, password: "wrong word" }));
                expect(wrong).toContain("after 0 failed attempts: ssh: handshake failed: ssh: unable to authenticate");
                expect(wrong).not.toContain("wrong word");
            } finally {
                server.close();
            }
        }
    });
});

describe("dialling", () => {
    it("gives up after the limit, saying how often it tried and why it failed", async () => {
        const port = await freePort();
        const message = await failureOf(run("true", {}, connection({ port, dialErrorLimit: 2 })));
        expect(message).toMatch(/^after 2 failed attempts: dial tcp 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
        const statuses = provider.log.filter((line) => line.ephemeral).flatMap((line) => line.text.split("\n"));
        expect(statuses).toEqual(["Dial 1/2 failed: retrying", "Dial 2/2 failed: retrying"]);
    });

    it("goes on until a host that is not up yet answers", async () => {
        const late = await Sshd.start(folder, [userKey.publicKey]);
        await late.stop();
        const running = run("echo up", {}, connection({ dialErrorLimit: -1 }, late));
        await sleep(400);
        await late.launch();
        try {
            expect((await running).outputs["stdout"]).toBe("up");
            expect(provider.log.some((line) => line.text.includes("Dial 1/inf failed: retrying"))).toBe(true);
        } finally {
            await late.stop();
        }
    });

    it("ends when the resource's time is up, and says what the last dial failed of", async () => {
        const port = await freePort();
        const unlimited = { connection: connection({ port, dialErrorLimit: -1 }), create: "true" };
        const message = await failureOf(provider.create(type, unlimited, { timeout: 0.5 }));
        expect(message).toMatch(/^context deadline exceeded: last dial: dial tcp .*ECONNREFUSED/);
    });

    it("accepts the pinned host key, and refuses any other at once", async () => {
        const hostKey = sshd.hostKey.publicKey;
        expect((await run("echo in", {}, connection({ hostKey }))).outputs["stdout"]).toBe("in");

        // Dials have no limit, so a refusal that led to another dial would not end before the test's time is up.
        const other = makeKey(folder, "other-host").publicKey;
        const message = await failureOf(run("true", {}, connection({ hostKey: other, dialErrorLimit: -1 })));
        expect(message).toMatch(/host key mismatch: 127\.0\.0\.1:\d+ offered SHA256:\S+, expected SHA256:\S+/);
        const otherType = makeKey(folder, "other-type", "ecdsa").publicKey;
        const noSuchType = await failureOf(run("true", {}, connection({ hostKey: otherType, dialErrorLimit: -1 })));
        expect(noSuchType).toContain("host key mismatch");
        expect(await failureOf(run("true", {}, connection({ hostKey: "ssh-ed25519" })))).toContain(
            "failed to parse host key",
        );
    });

    it("goes through a proxy, with one connection to it for all hosts behind", async () => {
        const bastionKey = makeKey(folder, "bastion");
        const bastion = await Sshd.start(folder, [bastionKey.publicKey]);
        const inner = await Sshd.start(folder, [userKey.publicKey]);
        try {
            const proxy = {
                ...connection({ privateKey: bastionKey.privateKey, hostKey: bastion.hostKey.publicKey }, bastion),
            };
            const settings = (server: Sshd) => connection({ proxy, hostKey: server.hostKey.publicKey }, server);
            const results = await Promise.all(
                [inner, sshd, inner].map((server) => run("echo $SSH_CONNECTION", {}, settings(server))),
            );
            results.forEach(({ outputs }) => expect(outputs["stdout"]).toMatch(/^127\.0\.0\.1 /));
            expect(bastion.logins()).toBe(1);
            expect(inner.logins()).toBe(1);

            await bastion.stop();
            await provider.stop();
            provider = await ProviderUnderTest.start(commandPlugin());
            const refused = run("true", {}, connection({ proxy: { ...proxy, dialErrorLimit: 1 } }, inner));
            expect(await failureOf(refused)).toMatch(/^proxy: after 1 failed attempts: dial tcp /);
        } finally {
            await bastion.stop();
            await inner.stop();
        }
    });
});

describe("connections are shared", () => {
    it("by 30 commands at once, over no more than three", async () => {
        const server = await Sshd.start(folder, [userKey.publicKey]);
        try {
            const results = await Promise.all(
                Array.from({ length: 30 }, (_, index) => run(`sleep 0.3; echo ${index}`, {}, connection({}, server))),
            );
            expect(results.map(({ outputs }) => outputs["stdout"])).toEqual(
                Array.from({ length: 30 }, (_, index) => String(index)),
            );
            expect(server.logins()).toBeLessThanOrEqual(3);
        } finally {
            await server.stop();
        }
    });

    it("as far as a server with fewer sessions allows", async () => {
        const server = await Sshd.start(folder, [userKey.publicKey], ["MaxSessions 2"]);
        try {
            await Promise.all(
                Array.from({ length: 8 }, () => run("sleep 0.1", {}, connection({ dialErrorLimit: 3 }, server))),
            );
        } finally {
            await server.stop();
        }
    });

    it("and one that was cut while idle is replaced", async () => {
        const server = await Sshd.start(folder, [userKey.publicKey]);
        try {
            await run("true", {}, connection({}, server));
            await failureOf(run("kill -9 $PPID", {}, connection({}, server)));
            expect((await run("echo again", {}, connection({}, server))).outputs["stdout"]).toBe("again");
        } finally {
            await server.stop();
        }
    });
});

describe("standard input and environment", () => {
    it("pass to the command, and input it does not read is no error", async () => {
        const stdin = "line\n".repeat(100_000);
        expect((await run("wc -c", { stdin })).outputs["stdout"]).toBe(String(stdin.length));
        expect((await run("true", { stdin })).outputs["stdout"]).toBe("");
        expect((await run("cat; echo end")).outputs["stdout"]).toBe("end");
        expect((await run('echo "$ACCEPTED"', { environment: { ACCEPTED: "a b" } })).outputs["stdout"]).toBe("a b");
    });

    it("fail when the server does not accept the variable, before the command runs", async () => {
        const file = path.join(folder, "never");
        const message = await failureOf(run(`touch ${file}`, { environment: { REFUSED: "very secret" } }));
        expect(message).toBe('could not set environment variable "REFUSED": ssh: setenv failed');
        expect(fs.existsSync(file)).toBe(false);
        const error = provider.log.find((line) => line.severity === "error");
        expect(error?.text).toContain("Unable to set 'REFUSED'. This only works if your SSH server is configured");
    });
});

describe("the log", () => {
    it.each([
        [undefined, ["out", "err"]],
        ["stdoutAndStderr", ["out", "err"]],
        ["stdout", ["out"]],
        ["stderr", ["err"]],
        ["none", []],
    ])("with logging %s shows %j", async (logging, expected) => {
        await run("echo out; sleep 0.1; echo err >&2", logging === undefined ? {} : { logging });
        expect(provider.log.map((line) => line.text)).toEqual(expected);
        expect(provider.log.every((line) => line.severity === "info" && line.ephemeral)).toBe(true);
    });

    it("shows lines while the command runs", async () => {
        const running = run("echo first; sleep 0.7; echo last");
        await until(() => provider.log.length > 0);
        expect(provider.log.map((line) => line.text)).toEqual(["first"]);
        await running;
        expect(provider.log.map((line) => line.text)).toEqual(["first", "last"]);
    });
});

describe("a change", () => {
    const state = (): ValueMap => ({
        connection: connection(),
        create: "c",
        triggers: ["a", { b: 1 }],
        stdout: "x",
        stderr: "",
    });
    const inputs = (): ValueMap => ({ connection: connection(), create: "c", triggers: ["a", { b: 1 }] });

    it("of nothing is none, whether or not values are marked secret", async () => {
        const marked = { ...inputs(), connection: new Secret(connection()) };
        expect(await provider.diff(type, state(), inputs(), marked)).toEqual({
            changed: false,
            replaces: [],
            details: {},
        });
    });

    it.each<[string, ValueMap, Record<string, string>]>([
        ["command", { create: "d" }, { create: "UPDATE" }],
        ["input", { stdin: "new" }, { stdin: "ADD" }],
        ["environment", { environment: { A: UNKNOWN } }, { environment: "ADD" }],
    ])("of the %s updates", async (_, change, details) => {
        const difference = await provider.diff(type, state(), inputs(), { ...inputs(), ...change });
        expect(difference).toEqual({ changed: true, replaces: [], details });
    });

    it("of the connection updates", async () => {
        const changed = { ...inputs(), connection: connection({ host: "elsewhere" }) };
        const difference = await provider.diff(type, state(), inputs(), changed);
        expect(difference).toEqual({ changed: true, replaces: [], details: { "connection.host": "UPDATE" } });
    });

    it.each<[string, ValueMap[string], Record<string, string>]>([
        ["member", ["a", { b: 2 }], { "triggers[1].b": "UPDATE_REPLACE" }],
        ["length", ["a"], { "triggers[1]": "DELETE_REPLACE" }],
        ["unknown", [UNKNOWN, { b: 1 }], { "triggers[0]": "UPDATE_REPLACE" }],
    ])("of a trigger (%s) replaces", async (_, triggers, details) => {
        const difference = await provider.diff(type, state(), inputs(), { ...inputs(), triggers });
        expect(difference).toEqual({ changed: true, replaces: ["triggers"], details });
    });
});

describe("the life of a command", () => {
    it("runs update, or create where there is none, and passes it what the last run wrote", async () => {
        const first = await run("echo made; echo warned >&2");
        const show = 'echo "$PULUMI_COMMAND_STDOUT/$PULUMI_COMMAND_STDERR"';
        const second = await provider.update(type, first.outputs, {
            connection: connection(),
            create: "false",
            update: show,
        });
        expect(second["stdout"]).toBe("made/warned");
        const third = await provider.update(type, second, { connection: connection(), create: show });
        expect(third["stdout"]).toBe("made/warned/");
        const quiet = { connection: connection(), create: show, addPreviousOutputInEnv: false };
        expect((await provider.update(type, third, quiet))["stdout"]).toBe("/");
        const nothing = await provider.update(type, third, { connection: connection() });
        expect(nothing["stdout"]).toBe("made/warned/");
    });

    it("previews an update with unknown outputs when something changed", async () => {
        const { outputs, inputs } = await run("echo made");
        expect((await provider.update(type, outputs, inputs, true))["stdout"]).toBe("made");
        const changed = await provider.update(type, outputs, { ...inputs, update: "other" }, true);
        expect(changed["stdout"]).toBeInstanceOf(Unknown);
    });

    it("warns where the server refuses the last output, and runs nevertheless", async () => {
        const strict = await Sshd.start(folder, [userKey.publicKey]);
        try {
            const { outputs, inputs } = await run("echo made", {}, connection({}, strict));
            await provider.update(type, outputs, { ...inputs, update: "true" });
            const warnings = provider.log.filter((line) => line.severity === "warning");
            expect(warnings.map((line) => line.text.split(".")[0])).toEqual(["Unable to set 'PULUMI_COMMAND_STDOUT'"]);
            expect(warnings[0]!.ephemeral).toBe(false);
        } finally {
            await strict.stop();
        }
    });

    it("keeps its outputs on refresh", async () => {
        const { outputs, inputs } = await run("echo made");
        expect(equal(await provider.read(type, outputs, inputs), outputs)).toBe(true);
    });

    it("runs delete with the recorded settings, and nothing where there is no delete command", async () => {
        const file = path.join(folder, "deleted");
        const { outputs } = await run("echo made", { delete: `echo "$PULUMI_COMMAND_STDOUT" > ${file}` });
        await provider.delete(type, outputs);
        expect(fs.readFileSync(file, "utf8")).toBe("made\n");
        const { outputs: without } = await run("true");
        await provider.delete(type, { ...without, connection: connection({ port: 1 }) });
    });
});

describe("a command that fails", () => {
    it("reports its exit status, its text and what it wrote", async () => {
        const message = await failureOf(run("echo out; echo err >&2; exit 3"));
        expect(message).toMatch(/^Process exited with status 3: running "echo out; echo err >&2; exit 3":\n/);
        expect(message).toContain("out\n");
        expect(message).toContain("err\n");
    });

    it("reports the signal that ended it", async () => {
        expect(await failureOf(run("kill -TERM $$"))).toMatch(
            /^Process exited with status 143 from signal TERM: running /,
        );
    });

    it("reports a connection lost half-way", async () => {
        expect(await failureOf(run("kill -9 $PPID; sleep 5"))).toMatch(
            /^wait: remote command exited without exit status or exit signal: running /,
        );
    });

    it("reports only the end of a long output", async () => {
        const message = await failureOf(run("yes | head -c 1000000; echo the end; exit 1"));
        expect(message.length).toBeLessThan(20_000);
        expect(message).toContain("the end");
        expect(message).toMatch(/\(\d+ bytes before this are left out\)/);
    });

    it("repeats no secret", async () => {
        const message = await failureOf(
            run(new Secret("echo hunter22; cat; exit 1") as never, {
                stdin: new Secret("from-stdin"),
                environment: { ACCEPTED: new Secret("from-env") },
            }),
        );
        ["hunter22;", "from-stdin", "from-env", userKey.privateKey].forEach((secret) =>
            expect(message).not.toContain(secret),
        );
        expect(message).toContain("[secret]");
    });
});

describe("a cancel", () => {
    it.each([
        ["and what it started", (file: string) => `sleep 300 & echo $! > ${file}; wait`],
        ["whose shell became its last program", (file: string) => `echo $$ > ${file}; exec sleep "300"`],
        ["that does not want to end", (file: string) => `trap "" TERM; echo $$ > ${file}; sleep 300; sleep 300`],
    ])("ends the remote command %s", async (_, command) => {
        const file = path.join(folder, "pid");
        fs.rmSync(file, { force: true });
        const other = run("sleep 2; echo done");
        const running = failureOf(
            provider.create(type, { connection: connection(), create: command(file) }, { timeout: 1 }),
        );
        await until(() => fs.existsSync(file) && fs.readFileSync(file, "utf8") !== "");
        const pid = Number(fs.readFileSync(file, "utf8"));
        expect(await running).toBe("context deadline exceeded");
        expect(isAlive(pid)).toBe(false);
        // One that runs on the same connection at the same time is left alone.
        expect((await other).outputs["stdout"]).toBe("done");
    });

    it("ends a step that has its time, and none that runs beside it by the same shell", async () => {
        const step = (name: string, more: object = {}, limits: object = {}): Promise<unknown> =>
            provider.create(
                type,
                { connection: connection(), create: `STEP=${name}@1 PARAM_TEXT='a b' bash --norc -s`, ...more },
                limits,
            );
        const other = step("other", { stdin: "sleep 4; echo done" });
        const file = path.join(folder, "stepping");
        const running = failureOf(step("late", { stdin: `echo $$ >${file}; sleep 300; true` }, { timeout: 2 }));
        await until(() => fs.existsSync(file) && fs.readFileSync(file, "utf8") !== "");
        const pid = Number(fs.readFileSync(file, "utf8"));
        expect(await running).toBe("context deadline exceeded");
        expect(isAlive(pid)).toBe(false);
        expect(((await other) as { outputs: Record<string, unknown> }).outputs["stdout"]).toBe("done");
    });

    it("comes back at once, not when the command would have ended", async () => {
        const file = path.join(folder, "cancelled");
        const running = failureOf(run(`echo $$ > ${file}; sleep 300`));
        await until(() => fs.existsSync(file) && fs.readFileSync(file, "utf8") !== "");
        const started = Date.now();
        await provider.cancel();
        expect(await running).toBe("context canceled");
        expect(Date.now() - started).toBeLessThan(10_000);
        expect(isAlive(Number(fs.readFileSync(file, "utf8")))).toBe(false);
    });

    it("ends a dial", async () => {
        const port = await freePort();
        const running = failureOf(run("true", {}, connection({ port, dialErrorLimit: -1 })));
        await sleep(200);
        await provider.cancel();
        expect(await running).toMatch(/^context canceled/);
    });
});
