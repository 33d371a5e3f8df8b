import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aftermath, parseOptions } from "../../../delivery/promote";
import {
    configWords,
    doubtfulVersions,
    differenceRows,
    differences,
    goingBack,
    obstacles,
    readSettings,
    type StackSettings,
    unpinned,
    versionChanges,
} from "../../../delivery/promotion";

const read = (
    groups: Readonly<Record<string, object>>,
    secrets: readonly string[] = [],
    secretVersions: readonly string[] = [],
): StackSettings => ({
    ...readSettings(
        Object.fromEntries(
            Object.entries(groups).map(([key, value]) => [
                key,
                { objectValue: value, value: JSON.stringify(value), secret: secrets.includes(key) },
            ]),
        ),
        "multihost",
    ),
    secretVersions: new Set(secretVersions),
});

const names = { from: "dev", to: "prod" };

const dev = read(
    {
        "multihost:redis": { version: "7.0.15", maxmemory: "1gb", password: "dev-password" },
        "multihost:web": { release: "41" },
    },
    ["multihost:redis"],
);
const prod = read(
    {
        "multihost:redis": { maxmemory: "8gb", version: "7.0.11", password: "prod-password" },
        "multihost:web": { releaseUrl: "https://example.com/40" },
        "multihost:names": ["a", "b"],
    },
    ["multihost:redis"],
);

test("configuration is taken apart, a list stays whole, providers keep their prefix", () => {
    const { settings, secretGroups } = readSettings(
        {
            "multihost:adminCidrs": { objectValue: ["10.0.0.0/8"], value: "x", secret: false },
            "alicloud:region": { value: "cn-beijing", secret: false },
            "multihost:redis": { objectValue: { masters: 3 }, secret: true },
        },
        "multihost",
    );
    expect([...settings]).toEqual([
        ["adminCidrs", ["10.0.0.0/8"]],
        ["alicloud:region", "cn-beijing"],
        ["redis.masters", 3],
    ]);
    expect([...secretGroups]).toEqual(["redis"]);
});

test("versions travel, sizes and secrets stay, and no secret is shown", () => {
    const rows = differenceRows(differences(dev, prod), "dev", "prod");
    expect(rows).toEqual([
        ["SETTING", "DEV", "PROD", "PROMOTION"],
        ["redis.version", "7.0.15", "7.0.11", "travels"],
        ["web.release", "41", "-", "travels"],
        ["web.releaseUrl", "-", "https://example.com/40", "taken away"],
        ["names", "-", '["a","b"]', "stays"],
        ["redis.maxmemory", "[hidden]", "[hidden]", "stays"],
        ["redis.password", "[hidden]", "[hidden]", "stays"],
    ]);
});

test("the way back undoes the way there", () => {
    const found = differences(dev, prod);
    expect(versionChanges(found)).toEqual([
        { key: "redis.version", value: "7.0.15", secret: false },
        { key: "web.release", value: "41", secret: false },
        { key: "web.releaseUrl", value: undefined, secret: false },
    ]);
    expect(goingBack(found)).toEqual([
        { key: "redis.version", value: "7.0.11", secret: false },
        { key: "web.release", value: undefined, secret: false },
        { key: "web.releaseUrl", value: "https://example.com/40", secret: false },
    ]);
});

test("a version that is a secret travels as one, there and back", () => {
    const web = "multihost:web";
    const signed = read(
        { [web]: { release: "41", releaseUrl: "https://oss/41?Signature=new" } },
        [web],
        ["web.releaseUrl"],
    );
    const own = read(
        { [web]: { release: "40", releaseUrl: "https://oss/40?Signature=old" } },
        [web],
        ["web.releaseUrl"],
    );
    expect(doubtfulVersions(signed)).toEqual(["web.release", "web.releaseUrl"]);
    expect(doubtfulVersions(dev)).toEqual(["redis.version"]);
    const found = differences(signed, own);
    expect(differenceRows(found, "dev", "prod").slice(1)).toEqual([
        ["web.release", "41", "40", "travels"],
        ["web.releaseUrl", "[hidden]", "[hidden]", "travels"],
    ]);
    for (const [change, value] of [
        [versionChanges(found)[1]!, "https://oss/41?Signature=new"],
        [goingBack(found)[1]!, "https://oss/40?Signature=old"],
    ] as const) {
        expect(change).toEqual({ key: "web.releaseUrl", value, secret: true });
        expect(configWords(change, "prod")).toEqual(
            "config set --path --secret web.releaseUrl --stack prod".split(" "),
        );
    }
    const text = aftermath({ from: "dev", to: "prod" }, "x", found, "1234abc");
    expect(text).not.toContain("Signature");
    expect(text).toContain("web.releaseUrl --stack prod   # asks for the value that it had");
    // One that is none any more is as open as it is in the stack that it comes from.
    const open = read({ [web]: { releaseUrl: "https://oss/42" } });
    expect(versionChanges(differences(open, own))).toContainEqual({
        key: "web.releaseUrl",
        value: "https://oss/42",
        secret: false,
    });
});

test("the version of a service that one of the stacks doesn't run stays", () => {
    const without = read({
        "multihost:web": { enabled: false, release: "stale" },
        "multihost:redis": { version: "8.0" },
    });
    const pinned = read({ "multihost:web": { version: "1.22", release: "40" }, "multihost:redis": { version: "7.0" } });
    const changes = [{ key: "redis.version", value: "8.0", secret: false }];
    expect(versionChanges(differences(without, pinned))).toEqual(changes);
    expect(goingBack(differences(pinned, without))).toEqual(changes);
    expect(differenceRows(differences(without, pinned), "dev", "prod")).toContainEqual([
        "web.version",
        "-",
        "1.22",
        "stays",
    ]);
});

test("no version of MariaDB travels to MySQL", () => {
    const maria = read({ "multihost:mysql": { version: "10.11" } });
    const mysql = (more: object): StackSettings => read({ "multihost:mysql": { engine: "mysql", ...more } });
    expect(obstacles(maria, mysql({ version: "9.7" }), names)).toEqual([
        expect.stringContaining("mysql.engine mariadb and mysql"),
    ]);
    expect(obstacles(mysql({}), maria, names)).toHaveLength(1);
    expect(obstacles(maria, mysql({ enabled: false }), names)).toEqual([]);
    expect(obstacles(read({}), mysql({}), names)).toEqual([]);
    expect(obstacles(maria, maria, names)).toEqual([]);
});

test("a group that is kept as one text is refused on both sides, plain or secret", () => {
    const text = (value: object, secret = false): StackSettings => ({
        ...readSettings(
            {
                "multihost:mysql": { value: JSON.stringify(value), secret },
                "multihost:loadBalancer": { value: '{"type":"nlb"}', secret: false },
                "multihost:redis": { value: "{}", objectValue: {}, secret: false },
            },
            "multihost",
        ),
        secretVersions: new Set(),
    });
    const mysql = text({ engine: "mysql", version: "9.7", password: "hidden" }, true);
    const own = read({ "multihost:mysql": { engine: "mysql", version: "9.6" } });
    for (const [one, other, stack] of [
        [mysql, own, "dev"],
        [own, mysql, "prod"],
    ] as const) {
        const found = obstacles(one, other, names);
        expect(found).toEqual([expect.stringContaining(`mysql: ${stack} keeps this group as one text`)]);
        expect(found[0]).toContain(`config set --path mysql.NAME VALUE --stack ${stack}`);
        expect(found[0]).not.toContain("hidden");
    }
    expect(obstacles(text({}), text({}), names)).toHaveLength(2);
});

test("equal stacks have no differences", () => expect(differences(dev, dev)).toEqual([]));

test("a version stays a text, whatever it looks like", () => {
    const [change] = versionChanges(differences(read({ "multihost:redis": { version: 7 } }), read({})));
    expect(configWords(change!, "prod")).toEqual([
        "config",
        "set",
        "--path",
        "--type",
        "string",
        "redis.version",
        "7",
        "--stack",
        "prod",
    ]);
    expect(configWords({ key: "web.release", value: undefined, secret: false }, "prod")).toEqual([
        "config",
        "rm",
        "--path",
        "web.release",
        "--stack",
        "prod",
    ]);
});

test("an image of one's own stays in its region", () => {
    const stack = (region: string, imageId: string): StackSettings => ({
        ...readSettings(
            {
                "alicloud:region": { value: region, secret: false },
                "multihost:hosts": { objectValue: { imageId }, secret: false },
            },
            "multihost",
        ),
        secretVersions: new Set(),
    });
    expect(obstacles(stack("cn-beijing", "m-1"), stack("cn-hangzhou", "m-2"), names)).toEqual([
        expect.stringContaining('hosts.imageId: "m-1" exists in one region only'),
    ]);
    expect(obstacles(stack("cn-beijing", "m-1"), stack("cn-beijing", "m-2"), names)).toEqual([]);
    expect(obstacles(stack("cn-beijing", "debian_12.vhd"), stack("cn-hangzhou", "m-2"), names)).toEqual([]);
});

test("names what runs in no particular version", () => {
    expect(unpinned(read({ "multihost:mysql": { enabled: false }, "multihost:web": { version: "1.22" } }))).toEqual([
        "redis.version",
    ]);
});

describe("options", () => {
    it.each([
        ["--to prod", "--from is missing: name a stack."],
        ["--from dev", "--to is missing: name a stack."],
        ["--from dev --to dev", '--from and --to are the same stack, "dev".'],
        ["--from dev --to prod --force", "Unknown option '--force'"],
    ])("%s: %s", (line, message) => expect(() => parseOptions(line.split(" "))).toThrow(message));

    it("are taken as given", () =>
        expect(parseOptions("--from dev --to prod -y --replace node-1 --replace node-2".split(" "))).toEqual({
            from: "dev",
            to: "prod",
            yes: true,
            replace: ["node-1", "node-2"],
            delete: [],
        }));
});

test("a failure leaves a way back that can be typed", () => {
    const found = differences(dev, prod);
    const text = aftermath(
        { from: "dev", to: "prod" },
        "the update failed; still to be done: 3 to update.",
        found,
        "1234abc",
    );
    expect(text.split("\n")).toEqual([
        "dev: untouched, converged and healthy.",
        "prod: the update failed; still to be done: 3 to update. Its settings have the promoted versions.",
        "",
        "`npm run promote -- --from dev --to prod` goes on once the cause is gone. Back to what prod ran before:",
        "  mv Pulumi.prod.yaml Pulumi.prod.yaml.kept",
        "  git checkout 1234abc",
        "  mv Pulumi.prod.yaml.kept Pulumi.prod.yaml",
        "  npm run pulumi -- config set --path --type string redis.version 7.0.11 --stack prod",
        "  npm run pulumi -- config rm --path web.release --stack prod",
        "  npm run pulumi -- config set --path --type string web.releaseUrl https://example.com/40 --stack prod",
        "  npm run pulumi -- up --stack prod",
    ]);
    expect(aftermath({ from: "dev", to: "prod" }, "x", [], undefined)).toContain("check out the commit");
    // The settings of the lab's stacks don't stand in the repository.
    expect(aftermath({ from: "lab", to: "lab-second" }, "x", found, "1234abc")).not.toContain("mv ");
});

test("the way back leads past what the promotion has left in the stack's file, and keeps it", () => {
    const folder = mkdtempSync(join(tmpdir(), "multihost-promotion-"));
    const file = join(folder, "Pulumi.prod.yaml");
    const git = (...args: string[]): string =>
        execFileSync("git", ["-C", folder, "-c", "user.name=t", "-c", "user.email=t@localhost", ...args], {
            encoding: "utf8",
            stdio: ["ignore", "pipe", "ignore"],
        }).trim();
    const commit = (): string => {
        git("add", "-A");
        git("commit", "-m", "x");
        return git("rev-parse", "HEAD");
    };
    try {
        git("init");
        writeFileSync(file, "version: before the last promotion\n");
        writeFileSync(join(folder, "index.ts"), "the last program");
        const last = commit();
        writeFileSync(file, "version: of the last promotion, size: 8gb\n");
        writeFileSync(join(folder, "index.ts"), "the new program");
        commit();
        writeFileSync(file, "version: promoted, size: 8gb\n");
        const lines = aftermath({ from: "dev", to: "prod" }, "x", differences(dev, prod), last).split("\n");
        const shell = lines.filter((line) => /^ {2}(git|mv) /.test(line)).join("\n");
        execFileSync("bash", ["-ec", shell], { cwd: folder, stdio: "ignore" });
        expect(readFileSync(join(folder, "index.ts"), "utf8")).toBe("the last program");
        expect(readFileSync(file, "utf8")).toBe("version: promoted, size: 8gb\n");
        expect(git("status", "--porcelain")).toBe("M Pulumi.prod.yaml");
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
});
