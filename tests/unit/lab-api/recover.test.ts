import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { Orphan, StackBusyError, recover } from "../../../lab/recover";
import { findLogin, findPrivateKey } from "../../../lab/ssh";
import { merge } from "../../../lab/stack";

let folder: string;
let locks: string;
let runs: string[][];
let notes: string[];

const urn = (type: string, name: string): string => `urn:pulumi:lab::shop::${type}::${name}`;

beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lab-recover-"));
    locks = join(folder, ".pulumi/locks/organization/shop/lab");
    mkdirSync(locks, { recursive: true });
    runs = [];
    notes = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function lock(pid: number, host = hostname()): void {
    writeFileSync(join(locks, "a.json"), JSON.stringify({ pid, username: "dev", hostname: host }));
}

function attempt(deployment: object, find: (type: string) => readonly Orphan[] | undefined = () => []) {
    return recover({
        backend: folder,
        project: "shop",
        stack: "lab",
        scratch: folder,
        pulumi: async (args) => {
            runs.push([...args]);
            const file = args[args.indexOf("--file") + 1];
            if (args[1] === "import") expect(JSON.parse(readFileSync(file!, "utf8"))).toEqual({ deployment });
            return args[1] === "export" ? JSON.stringify({ deployment }) : "";
        },
        search: { find: async (type) => find(type) },
        note: (line) => void notes.push(line),
    });
}

function orphan(id: string, removed: string[]): Orphan {
    return { id, remove: async () => void removed.push(id) };
}

test("a stack that was left in order needs nothing", async () => {
    expect(await attempt({ resources: [] })).toBe(false);
    expect(runs).toEqual([["stack", "export", "--stack", "lab"]]);
    expect(notes).toEqual([]);
});

test("the lock of a run that died is released", async () => {
    const child = spawn("true");
    await new Promise((resolve) => child.once("close", resolve));
    lock(child.pid!);
    expect(await attempt({ resources: [] })).toBe(true);
    expect(runs[0]).toEqual(["cancel", "--yes", "--stack", "lab"]);
    expect(existsSync(join(locks, "a.json"))).toBe(false);
});

test("a process number that another program has now does not count as a run", async () => {
    lock(process.pid);
    expect(await attempt({ resources: [] })).toBe(true);
});

test("a lock that was cut off while it was written is released", async () => {
    writeFileSync(join(locks, "a.json"), '{"pid": 1');
    expect(await attempt({ resources: [] })).toBe(true);
});

test("a run on another machine is left alone", async () => {
    lock(1, "elsewhere");
    await expect(attempt({ resources: [] })).rejects.toThrow(StackBusyError);
    await expect(attempt({ resources: [] })).rejects.toThrow(
        "locked by dev@elsewhere. Wait for that run, or run `npm run lab -- pulumi cancel --yes` when it is gone.",
    );
    expect(runs).toEqual([]);
});

test("what was created and not recorded is removed, what is recorded stays", async () => {
    const removed: string[] = [];
    const type = "alicloud:vpc/network:Network";
    const resource = { urn: urn(type, "net"), type, custom: true, inputs: { vpcName: "net" } };
    const repaired = await attempt(
        {
            resources: [{ urn: urn(type, "old"), type, custom: true, id: "vpc-old" }],
            pending_operations: [{ resource, type: "creating" }],
        },
        () => [orphan("vpc-old", removed), orphan("vpc-new", removed)],
    );
    expect(repaired).toBe(true);
    expect(removed).toEqual(["vpc-new"]);
    expect(notes[0]).toBe("Removed vpc-new, which the cut-off run had created for net and not recorded.");
    expect(runs.map((args) => args[1])).toEqual(["export", "import"]);
    expect(notes.at(-1)).toContain("1 pending operation ");
});

test("what belongs to a resource and has its id is removed as well", async () => {
    const removed: string[] = [];
    const [zone, attachment] = ["alicloud:pvtz/zone:Zone", "alicloud:pvtz/zoneAttachment:ZoneAttachment"];
    const resource = { urn: urn(attachment, "names"), type: attachment, custom: true, inputs: { zoneId: "zone-1" } };
    await attempt(
        {
            resources: [{ urn: urn(zone, "names"), type: zone, custom: true, id: "zone-1" }],
            pending_operations: [{ resource, type: "creating" }],
        },
        () => [orphan("zone-1", removed)],
    );
    expect(removed).toEqual(["zone-1"]);
});

test("other pending operations are only cleared", async () => {
    const type = "alicloud:vpc/network:Network";
    const resource = { urn: urn(type, "net"), type, custom: true, inputs: {} };
    let asked = 0;
    await attempt(
        {
            resources: [],
            pending_operations: [
                { resource, type: "updating" },
                { resource, type: "deleting" },
                { resource: { ...resource, custom: false }, type: "creating" },
            ],
        },
        () => {
            asked += 1;
            return [];
        },
    );
    expect(asked).toBe(0);
    expect(notes).toEqual(["Cleared 3 pending operations of the cut-off run."]);
});

test("a type that can't be looked for is named", async () => {
    const type = "alicloud:fc/function:Function";
    await attempt(
        { pending_operations: [{ resource: { urn: urn(type, "f"), type, custom: true }, type: "creating" }] },
        () => undefined,
    );
    expect(notes[0]).toContain(`f (${type})`);
});

describe("the stack's configuration", () => {
    const wanted = { config: { "app:hosts": 3, "alicloud:region": "cn-hangzhou" } };

    test("is the repository's at first", () => {
        expect(merge({}, {}, wanted)).toEqual(wanted);
    });

    test("keeps the salt, and what was set here", () => {
        const current = { config: { "app:hosts": 4, "alicloud:region": "cn-hangzhou" }, encryptionsalt: "v1:x" };
        expect(merge(wanted, current, wanted)).toEqual({ ...current });
    });

    test("keeps what was removed here removed", () => {
        expect(merge(wanted, { config: { "app:hosts": 3 } }, wanted).config).toEqual({ "app:hosts": 3 });
    });

    test("takes what the repository changed since", () => {
        const current = { config: { "app:hosts": 4, "alicloud:region": "cn-hangzhou" } };
        const changed = { config: { "app:hosts": 5, "alicloud:region": "cn-beijing" } };
        expect(merge(wanted, current, changed).config).toEqual({ "app:hosts": 5, "alicloud:region": "cn-beijing" });
    });
});

test("a host's private key is found by its public one, also where it is secret", () => {
    const key = (name: string, secret: boolean) => ({
        type: "tls:index/privateKey:PrivateKey",
        outputs: {
            publicKeyOpenssh: `ssh-ed25519 ${name} comment\n`,
            privateKeyOpenssh: secret ? { sig: "s", plaintext: JSON.stringify(`private ${name}`) } : `private ${name}`,
        },
    });
    const exported = { deployment: { resources: [key("AAA", false), key("BBB", true), { type: "other" }] } };
    expect(findPrivateKey(exported, "ssh-ed25519 AAA")).toBe("private AAA");
    expect(findPrivateKey(exported, "ssh-ed25519 BBB")).toBe("private BBB");
    expect(findPrivateKey(exported, "ssh-ed25519 CCC")).toBeUndefined();
});

it("finds the key with which steps log in to an instance, a secret within a secret, and the one that it has to show", () => {
    const secret = (value: unknown): object => ({
        "4dabf18193072939515e22adb298388d": "1",
        plaintext: JSON.stringify(value),
    });
    const step = (instance: string, connection: unknown): object => ({
        type: "command:remote:Command",
        outputs: { triggers: [instance], connection },
    });
    const exported = {
        deployment: {
            resources: [
                { type: "other" },
                step(
                    "i-1",
                    secret({ host: "10.0.0.1", privateKey: secret("private one"), hostKey: "ssh-ed25519 ONE" }),
                ),
                step("i-2", { host: "10.0.0.2", privateKey: "private two", hostKey: "ssh-ed25519 TWO" }),
                step("i-4", { host: "10.0.0.4", privateKey: "private four" }),
            ],
        },
    };
    expect(findLogin(exported, "i-1")).toEqual({ privateKey: "private one", hostKey: "ssh-ed25519 ONE" });
    expect(findLogin(exported, "i-2")).toEqual({ privateKey: "private two", hostKey: "ssh-ed25519 TWO" });
    expect(findLogin(exported, "i-3")).toBeUndefined();
    expect(findLogin(exported, "i-4")).toBeUndefined();
    expect(findLogin({}, "i-1")).toBeUndefined();
});
