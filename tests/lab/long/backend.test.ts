/** A team that keeps its state in object storage, as docs/backends.md says: two stacks, from their making to their end. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { stringify } from "yaml";
import type { Report } from "../../../delivery/report";
import { labPaths } from "../../../lab/paths";
import { root } from "../../../toolchain/folders";
import { homeFolder } from "../../../toolchain/toolchain";
import { labEnvironment } from "../../prepare";
import { cloudSettings, eventually, type Finished, labSettings } from "../lab";
import { Oss } from "../oss";

jest.setTimeout(900_000);

const paths = labPaths({ ...process.env, ...labEnvironment });
const passphrase = "only the team knows this one";
let oss: Oss;
/** The team's checkout. */
let checkout: string;
let environment: NodeJS.ProcessEnv;

function start(program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): ChildProcess {
    return spawn(process.execPath, [join(checkout, "toolchain", "bootstrap.mjs"), program, ...args], {
        cwd: checkout,
        env: { ...environment, ...more },
        stdio: ["ignore", "pipe", "pipe"],
        timeout: 600_000,
    });
}

async function finished(child: ChildProcess): Promise<Finished> {
    const ended = new Promise<number>((done) => child.once("close", (code) => done(code ?? 1)));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout!), text(child.stderr!), ended]);
    return { code, stdout, stderr };
}

/** Runs one of the project's commands in the checkout. */
const tool = (program: string, args: readonly string[], more?: NodeJS.ProcessEnv): Promise<Finished> =>
    finished(start(program, args, more));

/** Runs `npm run pulumi -- …`. @returns what it printed. @throws Error with all of it when it fails */
async function pulumi(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await tool("toolchain/pulumi.ts", args);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${stdout}\n${stderr}`);
    return stdout;
}

const upArguments = (stack: string): string[] => ["up", "--yes", "--skip-preview", "--stack", stack];
const stateOf = (stack: string): string => `.pulumi/stacks/multihost/${stack}.json`;
/** Of every stack: the backend keeps what it was before beside it. */
const states = async (): Promise<string[]> =>
    (await oss.keys(".pulumi/stacks/")).filter((key) => key.endsWith(".json"));
const locks = (stack: string): Promise<string[]> => oss.keys(`.pulumi/locks/organization/multihost/${stack}/`);

/** Waits until an update has locked a stack. @returns what its lock says */
async function locked(stack: string): Promise<{ readonly pid: number; readonly key: string }> {
    const { value } = await eventually(`${stack} is locked`, 60, async () => (await locks(stack))[0]);
    return { ...(JSON.parse(await oss.read(value)) as { pid: number }), key: value };
}

/** Copies what git would, changed or not, into a repository of its own. */
function makeCheckout(): string {
    const folder = mkdtempSync(join(tmpdir(), "multihost-team-"));
    const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
        cwd: root,
        encoding: "utf8",
    });
    for (const file of listed.split("\0").filter((name) => name !== "" && existsSync(join(root, name)))) {
        mkdirSync(join(folder, dirname(file)), { recursive: true });
        cpSync(join(root, file), join(folder, file));
    }
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    return folder;
}

function commit(message: string): void {
    const author = ["-c", "user.name=team", "-c", "user.email=team@example.com"];
    for (const args of [
        ["init", "--quiet"],
        ["add", "--all"],
        [...author, "commit", "--quiet", "--message", message],
    ])
        execFileSync("git", args, { cwd: checkout, stdio: "ignore" });
}

/** Writes a stack's settings: on the lab's cloud, three Redis nodes and their bastion. */
function configure(stack: string, redis: Readonly<Record<string, unknown>>): void {
    const off = ["mysql", "web", "storage", "loadBalancer"].map(
        (part) => [`multihost:${part}`, { enabled: false }] as const,
    );
    const own = {
        "multihost:adminCidrs": labSettings()["multihost:adminCidrs"],
        "multihost:redis": { maxmemory: "64mb", replicasPerMaster: 0, ...redis },
    };
    const settings = { ...cloudSettings(), ...Object.fromEntries(off), ...own };
    writeFileSync(join(checkout, `Pulumi.${stack}.yaml`), stringify({ config: settings }));
}

/** What a failure has left. */
async function removeStacks(): Promise<void> {
    for (const stack of ["staging", "dev"]) {
        if (!(await states()).includes(stateOf(stack))) continue;
        await tool("toolchain/pulumi.ts", ["cancel", "--yes", "--stack", stack]);
        await tool("toolchain/pulumi.ts", ["destroy", "--yes", "--skip-preview", "--stack", stack]);
    }
}

const cleaning: (() => unknown)[] = [];

beforeAll(async () => {
    checkout = makeCheckout();
    cleaning.push(() => {
        rmSync(homeFolder(checkout), { recursive: true, force: true });
        rmSync(checkout, { recursive: true, force: true });
    });
    oss = await Oss.start("acme-pulumi-state");
    cleaning.push(() => oss.stop(), removeStacks);
    const lab = JSON.parse(readFileSync(paths.env, "utf8")) as Record<string, string>;
    environment = {
        ...process.env,
        ...lab,
        PULUMI_BACKEND_URL: undefined,
        // A team's settings have the salt.
        PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: undefined,
        ...oss.environment(lab["SSL_CERT_FILE"]!),
        NODE_OPTIONS: labEnvironment["NODE_OPTIONS"],
        PULUMI_CONFIG_PASSPHRASE: passphrase,
        AWS_ACCESS_KEY_ID: "LTAIexample",
        AWS_SECRET_ACCESS_KEY: "example",
        AWS_REQUEST_CHECKSUM_CALCULATION: "when_required",
        AWS_RESPONSE_CHECKSUM_VALIDATION: "when_required",
        GITHUB_EVENT_PATH: "",
    };
    configure("dev", { version: "7.0" });
    configure("staging", {});
    commit("The team's stacks");
});

afterAll(async () => {
    for (const clean of cleaning.reverse()) await clean();
});

it("a bucket in the path is refused, as by OSS", async () => {
    const { code, stderr } = await tool("toolchain/pulumi.ts", ["login", `${oss.url}&s3ForcePathStyle=true`]);
    expect(code).not.toBe(0);
    expect(stderr).toContain("SecondLevelDomainForbidden");
    expect(oss.refused.splice(0)).toEqual(["SecondLevelDomainForbidden"]);
});

describe("a team", () => {
    it("logs in, and makes its stacks", async () => {
        await pulumi("login", oss.url);
        for (const stack of ["dev", "staging"])
            await pulumi("stack", "init", stack, "--secrets-provider", "passphrase");
        expect(await states()).toEqual([stateOf("dev"), stateOf("staging")]);
        const listed = JSON.parse(await pulumi("stack", "ls", "--json")) as { name: string }[];
        expect(listed.map(({ name }) => name).sort()).toEqual(["dev", "staging"]);
    });

    it("gets one update at a time, and who comes second is told who works on the stack", async () => {
        const first = start("toolchain/pulumi.ts", upArguments("dev"));
        const result = finished(first);
        const { pid } = await locked("dev");
        const second = await tool("toolchain/pulumi.ts", upArguments("dev"));
        expect(second.code).not.toBe(0);
        expect(second.stdout + second.stderr).toMatch(/the stack is currently locked by 1 lock/);
        expect(second.stdout + second.stderr).toContain(`pid ${pid}`);
        // The other stack is nobody's concern.
        await pulumi("preview", "--stack", "staging");
        const { code, stdout, stderr } = await result;
        expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
        expect(await locks("dev")).toEqual([]);
        await pulumi(...upArguments("dev"), "--expect-no-changes");
    });

    it("has no secret in the bucket that could be read, nor without the passphrase", async () => {
        const outputs = JSON.parse(await pulumi("stack", "output", "--json", "--show-secrets", "--stack", "dev")) as {
            redisUrl: string;
        };
        const { password } = new URL(outputs.redisUrl.split(",")[0]!);
        expect(password.length).toBeGreaterThan(15);
        for (const key of await oss.keys(".pulumi/")) {
            const stored = await oss.read(key);
            expect(stored.includes(decodeURIComponent(password)) ? key : "").toBe("");
            expect(stored.includes("PRIVATE KEY") ? key : "").toBe("");
        }
        const { code, stderr } = await tool(
            "toolchain/pulumi.ts",
            ["stack", "output", "--show-secrets", "--stack", "dev"],
            { PULUMI_CONFIG_PASSPHRASE: "not this one" },
        );
        expect(code).not.toBe(0);
        expect(stderr).toContain("incorrect passphrase");
    });

    it("previews a pull request", async () => {
        await pulumi("config", "set", "--path", "redis.maxmemory", "72mb", "--stack", "dev");
        const output = join(checkout, "previews");
        const args = ["--base", "HEAD", "--stack", "dev", "--output", output];
        const { code, stderr } = await tool("delivery/previewPullRequest.ts", args);
        expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
        const { stacks } = JSON.parse(readFileSync(join(output, "report.json"), "utf8")) as Report;
        expect(stacks[0]!.outcome).toBe("harmless");
        expect(stacks[0]!.comment).toContain("`MAXMEMORY` `64mb` → `72mb`");
        expect(await locks("dev")).toEqual([]);
    });

    it("goes on after a run that was killed, once somebody has released its lock", async () => {
        const killed = finished(start("toolchain/pulumi.ts", upArguments("dev")));
        const { pid, key } = await locked("dev");
        process.kill(pid, "SIGKILL");
        expect((await killed).code).not.toBe(0);
        expect(await locks("dev")).toEqual([key]);

        const refused = await tool("rotation/cli.ts", ["redis.password", "--stack", "dev", "--yes"]);
        expect(refused.code).not.toBe(0);
        expect(refused.stdout + refused.stderr).toContain("the stack is currently locked by 1 lock");
        expect(refused.stdout).toContain("The stack isn't updated; its configuration is.");

        await pulumi("cancel", "--yes", "--stack", "dev");
        expect(await locks("dev")).toEqual([]);
    });

    it("rotates a password, whose new one only the encrypted settings have", async () => {
        const before = await pulumi("stack", "output", "redisUrl", "--show-secrets", "--stack", "dev");
        for (const more of [[], ["--finish"]]) {
            const { code, stdout, stderr } = await tool("rotation/cli.ts", [
                "redis.password",
                "--stack",
                "dev",
                "--yes",
                ...more,
            ]);
            expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
        }
        const after = await pulumi("stack", "output", "redisUrl", "--show-secrets", "--stack", "dev");
        expect(after).not.toBe(before);
        const { password } = new URL(after.trim().split(",")[0]!);
        expect(readFileSync(join(checkout, "Pulumi.dev.yaml"), "utf8")).not.toContain(decodeURIComponent(password));
        await pulumi(...upArguments("dev"), "--expect-no-changes");
    });

    it("promotes what one stack has proven to the other, which a colleague's update keeps from being done", async () => {
        commit("Rotated");
        const promote = (): Promise<Finished> =>
            tool("delivery/promote.ts", ["--from", "dev", "--to", "staging", "--yes"]);
        await oss.write(
            ".pulumi/locks/organization/multihost/staging/1e0c7a9e-5a3c-4b0e-9d52-0d0c5d0e7a11.json",
            JSON.stringify({
                pid: 4711,
                username: "colleague",
                hostname: "elsewhere",
                timestamp: "2026-01-01T00:00:00Z",
            }),
        );
        const refused = await promote();
        expect(refused.code).toBe(1);
        expect(refused.stdout + refused.stderr).toMatch(/locked by 1 lock[\s\S]*colleague@elsewhere \(pid 4711\)/);
        expect(refused.stdout).toContain("staging: the update failed; still to be done:");
        await pulumi("cancel", "--yes", "--stack", "staging");

        const { code, stdout, stderr } = await promote();
        expect(`${stdout}${stderr}`).toContain("staging runs what dev has proven, and is healthy");
        expect(code).toBe(0);
        expect(readFileSync(join(checkout, "Pulumi.staging.yaml"), "utf8")).toContain('version: "7.0"');
    });

    it("examines both", async () => {
        for (const stack of ["dev", "staging"]) {
            const { code, stdout } = await tool("doctor/cli.ts", ["--stack", stack]);
            expect({ stack, code, said: code === 0 ? "" : stdout }).toEqual({ stack, code: 0, said: "" });
        }
    });

    it("gets a damaged state back out of the bucket's old versions", async () => {
        const key = stateOf("staging");
        const whole = await oss.read(key);
        await oss.write(key, "{");
        const { code } = await tool("toolchain/pulumi.ts", ["stack", "export", "--stack", "staging"]);
        expect(code).not.toBe(0);
        await oss.write(key, await oss.before(key));
        expect(await oss.read(key)).toBe(whole);
        await pulumi("refresh", "--yes", "--skip-preview", "--stack", "staging");
        await pulumi(...upArguments("staging"), "--expect-no-changes");
    });

    it("takes its stacks away, and leaves no state and no lock", async () => {
        for (const stack of ["staging", "dev"]) {
            await pulumi("destroy", "--yes", "--skip-preview", "--stack", stack);
            await pulumi("stack", "rm", "--yes", stack);
        }
        expect(await states()).toEqual([]);
        expect(await oss.keys(".pulumi/locks/")).toEqual([]);
        expect(oss.refused).toEqual([]);
    });
});
