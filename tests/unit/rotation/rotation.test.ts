import { spawn } from "node:child_process";
import { parseOptions, passwordIn, rotate } from "../../../rotation/cli";
import { begin, beginKeys, finish, finishKeys } from "../../../rotation/rotation";
import { pulumiOutput, startPulumi } from "../../../toolchain/pulumi";
import { preview } from "../../../delivery/engine";
import type { Change } from "../../../delivery/plan";
import { planWith } from "../delivery/events";

/** What a preview shows. */
let pending: Change[] = [];
beforeEach(() => {
    pending = [];
    jest.mocked(preview).mockImplementation(() =>
        Promise.resolve({
            plan: planWith(pending),
            states: { before: [], after: [] },
        }),
    );
});

jest.mock("../../../delivery/engine", () => ({ preview: jest.fn() }));
jest.mock("../../../toolchain/pulumi", () => ({ pulumiOutput: jest.fn(), startPulumi: jest.fn() }));

/** Settings as Pulumi prints them; one that is given as a text is kept as one. */
function printedConfig(settings: Readonly<Record<string, unknown>>): string {
    const printed = Object.entries(settings).map(([key, value]) => [
        `p:${key}`,
        typeof value === "string" ? { value } : { value: JSON.stringify(value), objectValue: value },
    ]);
    return JSON.stringify(Object.fromEntries(printed));
}

describe("a rotation", () => {
    it("lets the previous password stay valid before there is a new one, and takes it away in the end", () => {
        expect(begin({ current: "old" }, "new")).toEqual([
            ["previousPassword", "old"],
            ["password", "new"],
        ]);
        expect(begin({ current: "old", password: "old" }, "new")).toEqual([
            ["previousPassword", "old"],
            ["password", "new"],
        ]);
        expect(finish({ current: "new", password: "new", previousPassword: "old" })).toEqual([
            ["previousPassword", undefined],
        ]);
    });

    it.each([
        ["a generated password", {}],
        ["a password of one's own", { password: "old" }],
    ])("that was cut off before it set a new password sets it, after %s", (_, configured) => {
        expect(begin({ current: "old", previousPassword: "old", ...configured }, "new")).toEqual([["password", "new"]]);
    });

    it("whose update failed goes on with the same password", () => {
        expect(begin({ current: "old", previousPassword: "old", password: "first" }, "second")).toEqual([]);
    });

    it("is not begun while another waits for clients", () => {
        expect(() => begin({ current: "new", previousPassword: "old", password: "new" }, "newer")).toThrow(
            "A rotation is under way",
        );
    });

    it("is not ended before the new password is valid, and changes nothing without a previous one", () => {
        expect(() => finish({ current: "old", previousPassword: "old", password: "new" })).toThrow("locked out");
        expect(finish({ current: "new", password: "new" })).toEqual([]);
    });
});

describe("a rotation of keys", () => {
    it("makes the next generation valid, works with it, and ends the former", () => {
        expect(beginKeys({})).toEqual([{ generation: 1, beside: 2 }]);
        expect(finishKeys({ generation: 1, beside: 2 }).slice(1)).toEqual([
            { generation: 2, beside: 1 },
            { generation: 2 },
        ]);
        expect(beginKeys({ generation: 2 })).toEqual([{ generation: 2, beside: 3 }]);
        expect(finishKeys({ generation: 2 })).toEqual([]);
    });

    it("that failed goes on where it was, and works with no generation that may not be valid everywhere", () => {
        expect(beginKeys({ generation: 1, beside: 2 })).toEqual([{ generation: 1, beside: 2 }]);
        expect(finishKeys({ generation: 1, beside: 2 })[0]).toEqual({ generation: 1, beside: 2 });
        expect(finishKeys({ generation: 2, beside: 1 })).toEqual([{ generation: 2, beside: 1 }, { generation: 2 }]);
        expect(() => beginKeys({ generation: 2, beside: 1 })).toThrow("--finish");
    });
});

describe("the end of a rotation", () => {
    const options = { stack: "dev", finish: true, yes: true };
    let settings: Record<string, unknown>;
    let outputs: Record<string, string>;
    let done: string[];
    let code: number;
    let printed: string;

    beforeEach(() => {
        [settings, done, code, printed] = [{}, [], 0, ""];
        outputs = { redisUrl: "rediss://:new@10.0.0.1:7000", redisCaCertificate: "PEM" };
        jest.mocked(pulumiOutput).mockImplementation((args) => {
            if (args[0] === "stack") return Promise.resolve(JSON.stringify(outputs));
            if (args[1] !== "--json") done.push(args.join(" "));
            return Promise.resolve(printedConfig(settings));
        });
        jest.mocked(startPulumi).mockImplementation((args) => {
            done.push(args.join(" "));
            return Promise.resolve(spawn(process.execPath, ["-e", `process.exit(${code})`], { stdio: "ignore" }));
        });
        jest.spyOn(process.stdout, "write").mockImplementation((text) => {
            printed += String(text);
            return true;
        });
    });
    afterEach(() => jest.restoreAllMocks());

    const update = "up --stack dev --yes --skip-preview";

    it.each([
        ["redis.password", { redis: { password: "new" } }, "redis.password has no previous one.\n"],
        ["hosts.keys", { keys: { hosts: { generation: 2 } } }, "hosts.keys have no former ones.\n"],
    ])("%s, whose update failed, is brought to the stack by the next run", async (name, left, said) => {
        settings = left;
        code = 3;
        expect(await rotate({ ...options, names: [name] })).toBe(3);
        expect(printed).toContain("--finish` goes on.");
        expect(printed).not.toContain(said);
        code = 0;
        expect(await rotate({ ...options, names: [name] })).toBe(0);
        expect(printed.endsWith(said)).toBe(true);
        expect(done).toEqual([update, update]);
    });

    it.each(["SIGINT", "SIGTERM"] as const)(
        "lets Pulumi end before it does at %s, and tells how to go on",
        async (signal) => {
            const waiting =
                signal === "SIGINT" ? "setTimeout(() => process.exit(130), 300)" : "setTimeout(() => {}, 25_000)";
            const before = process.listenerCount(signal);
            let [heldBy, ended] = [0, false];
            jest.mocked(startPulumi).mockImplementation(() => {
                setTimeout(() => {
                    heldBy = process.listenerCount(signal) - before;
                    process.emit(signal, signal);
                }, 100);
                const child = spawn(process.execPath, ["-e", waiting], { stdio: "ignore" });
                child.once("exit", () => (ended = true));
                return Promise.resolve(child);
            });
            expect(await rotate({ ...options, names: ["redis.password"] })).toBe(signal === "SIGINT" ? 130 : 143);
            // Without anyone who listens, the signal would have ended this process first.
            expect([heldBy, ended]).toEqual([1, true]);
            expect(printed).toContain("--finish` goes on.");
            expect(process.listenerCount(signal)).toBe(before);
        },
    );

    it("tells of other stacks that know the former keys, where hosts are shared", async () => {
        settings = { keys: { hosts: { generation: 2, beside: 1 } }, sharedHosts: ["node-5", "node-6"] };
        expect(await rotate({ ...options, names: ["redis.keys"] })).toBe(0);
        expect(printed).not.toContain("node-5");
        expect(await rotate({ ...options, names: ["hosts.keys"] })).toBe(0);
        expect(printed).toContain("Other stacks work on node-5, node-6 and know the former keys only.");
        settings = { ...settings, keys: { hostKeys: { generation: 2, beside: 1 } } };
        printed = "";
        expect(await rotate({ ...options, names: ["hosts.hostKeys"] })).toBe(0);
        expect(done).toContain("config set-all --stack dev --path --plaintext keys.hostKeys.generation=2");
        expect(printed).toContain("Other stacks work on node-5, node-6 and know the former keys only.");
        printed = "";
        settings = { keys: { hosts: { generation: 2, beside: 1 } }, sharedHosts: [] };
        expect(await rotate({ ...options, names: ["hosts.keys"] })).toBe(0);
        expect(printed).toBe("The former hosts.keys are worth nothing from now on.\n");
    });

    it.each([
        ["redis.keys", "redisCaCertificate"],
        ["mysql.keys", "mysqlCaCertificate"],
        ["loadBalancer.keys", "loadBalancerCaCertificate"],
    ])("is refused, as its beginning, for %s that the stack doesn't have", async (name, output) => {
        outputs = { redisUrl: "redis://:new@10.0.0.1:7000" };
        for (const finish of [true, false])
            await expect(rotate({ ...options, finish, names: ["redis.password", name] })).rejects.toThrow(
                `The stack "dev" has no ${output}: it has generated no certificates by ${name}`,
            );
        expect(done).toEqual([]);
        outputs = { ...outputs, [output]: "PEM" };
        expect(await rotate({ ...options, names: [name] })).toBe(0);
    });

    it("is refused while its updates could rebuild hosts", async () => {
        settings = { redis: { password: "new", previousPassword: "old" }, hosts: { rebuildOn: ["userData"] } };
        await expect(rotate({ ...options, names: ["redis.password"] })).rejects.toThrow(
            "config rm --path hosts.rebuildOn",
        );
        expect(done).toEqual([]);
        settings = { ...settings, hosts: { rebuildOn: [] } };
        expect(await rotate({ ...options, names: ["redis.password"] })).toBe(0);
    });

    it("is refused while something else would stop hosts", async () => {
        settings = { redis: { password: "new", previousPassword: "old" } };
        const size = { path: "instanceType", before: "a", after: "b", replaces: false };
        const stopped: Change = {
            urn: "urn:node-3",
            name: "node-3",
            type: "alicloud:ecs/instance:Instance",
            operation: "update",
            properties: [size],
            retained: false,
        };
        pending = [stopped];
        await expect(rotate({ ...options, names: ["redis.password"] })).rejects.toThrow(
            "  node-3 stops and starts (instanceType)\nDo that before, or take it back:\n  npm run rolling-update -- --stack dev",
        );
        expect(done).toEqual([]);
        pending = [{ ...stopped, properties: [{ ...size, path: "tags.team" }] }];
        expect(await rotate({ ...options, names: ["redis.password"] })).toBe(0);
    });

    it.each([
        ["redis.password", "redis", '{"password":"new","previousPassword":"old"}'],
        ["redis.keys", "keys", '{"redis":{"generation":2,"beside":1}}'],
    ])("of %s is refused where the group %s is kept as one text", async (name, group, text) => {
        settings = { [group]: text };
        await expect(rotate({ ...options, names: [name] })).rejects.toThrow(
            `${group}: dev keeps this group as one text`,
        );
        expect(done).toEqual([]);
        // What is only read may be.
        settings = { hosts: '{"count":6}' };
        expect(await rotate({ ...options, names: [name] })).toBe(0);
    });

    it("changes the configuration first", async () => {
        settings = { redis: { password: "new", previousPassword: "old" } };
        expect(await rotate({ ...options, names: ["redis.password"] })).toBe(0);
        expect(done).toEqual(["config rm --stack dev --path redis.previousPassword", update]);
    });
});

describe("storage.keys", () => {
    let settings: Record<string, unknown>;
    let printed: string;

    beforeEach(() => {
        printed = "";
        jest.mocked(pulumiOutput).mockImplementation(() => {
            return Promise.resolve(printedConfig(settings));
        });
        jest.mocked(startPulumi).mockImplementation(() =>
            Promise.resolve(spawn(process.execPath, ["-e", ""], { stdio: "ignore" })),
        );
        jest.spyOn(process.stdout, "write").mockImplementation((text) => {
            printed += String(text);
            return true;
        });
    });
    afterEach(() => jest.restoreAllMocks());

    const options = { stack: "dev", finish: false, yes: true, names: ["storage.keys"] };

    it("ask nothing of clients, which are hosts of the stack", async () => {
        settings = { storage: { enabled: true } };
        expect(await rotate(options)).toBe(0);
        expect(printed).toContain("trust both authorities, and go on with the former certificates until you end them.");
        expect(printed).not.toContain("stack output");
    });

    it.each([[{}], [{ storage: { enabled: true, engine: "nas" } }], [{ storage: { engine: "glusterfs" } }]])(
        "are refused where no GlusterFS has any: %j",
        async (configured) => {
            settings = configured;
            jest.mocked(startPulumi).mockClear();
            await expect(rotate(options)).rejects.toThrow('The stack "dev" keeps no files in GlusterFS');
            expect(startPulumi).not.toHaveBeenCalled();
        },
    );
});

describe("the command line", () => {
    it("takes what there is to rotate, and a stack", () => {
        expect(parseOptions(["redis.password"], {})).toEqual({
            names: ["redis.password"],
            stack: "lab",
            finish: false,
            yes: false,
        });
        expect(
            parseOptions(["mysql.password", "redis.keys", "-s", "prod", "--finish", "--yes"], { PULUMI_STACK: "dev" }),
        ).toEqual({
            names: ["mysql.password", "redis.keys"],
            stack: "prod",
            finish: true,
            yes: true,
        });
        expect(parseOptions(["redis.password"], { PULUMI_STACK: "dev" }).stack).toBe("dev");
        expect(parseOptions(["redis.password"], { PULUMI_STACK: "" }).stack).toBe("lab");
        expect(() => parseOptions(["redis.password", "--stack", ""], {})).toThrow("--stack is empty");
    });

    it.each([[[]], [["redis"]], [["web.password"]], [["redis.password", "web.keys"]], [["redis.password", "--now"]]])(
        "refuses %j",
        (words) => expect(() => parseOptions(words, {})).toThrow(/one of redis\.password, mysql\.password|--now/),
    );
});

it("finds the password in a URL, decoded, and quotes nothing of one without", () => {
    expect(passwordIn("rediss://:a%2Fb%40c@10.0.0.1:7000,10.0.0.2:7000")).toBe("a/b@c");
    expect(passwordIn("mysql://app:secret@10.0.0.1:3306/app")).toBe("secret");
    expect(() => passwordIn("rediss://10.0.0.1:7000")).toThrow(/^The stack's output is no URL with a password\.$/);
});
