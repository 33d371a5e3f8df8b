/** What a reviewer is told before a change is merged: the preview's comment, and the policies. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Estimate } from "../../cost/estimate";
import type { Report } from "../../delivery/report";
import type { Topology } from "../../graph/topology";
import { policyPackArguments } from "../../toolchain/policyPack";
import { configure, lab, labOutput, tool } from "./lab";

let folder: string;

beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "multihost-review-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Review {
    readonly code: number;
    readonly report: Report;
    readonly comment: string;
    /** All that it printed and wrote. */
    readonly everything: string;
}

/** Runs `npm run preview:pr` on the stack of the lab. */
async function review(...args: string[]): Promise<Review> {
    const output = mkdtempSync(join(folder, "run-"));
    const command = ["--stack", "lab", "--base", "HEAD", "--output", output, ...args];
    const { code, stdout, stderr } = await tool("delivery/previewPullRequest.ts", command, {
        seconds: 180,
        environment: { GITHUB_EVENT_PATH: "" },
    });
    const written = readFileSync(join(output, "report.json"), "utf8");
    const report = JSON.parse(written) as Report;
    return { code, report, comment: report.stacks[0]?.comment ?? "", everything: stdout + stderr + written };
}

test("of a stack that does not change there is nothing to say", async () => {
    const { code, report } = await review();
    expect(report.stacks).toEqual([{ stack: "lab", outcome: "unchanged", counts: {}, losses: [] }]);
    expect(code).toBe(0);
}, 200_000);

describe("a change", () => {
    const secrets: string[] = [];
    /** One of each component beside those below. */
    const settings = [
        ["adminCidrs[1]", "198.51.100.0/24"],
        ["mysql.bufferPool", "72mb"],
        ["storage.diskSize", "30"],
        ["loadBalancer.weights.web-1", "50"],
        ["loadBalancer.allow[0]", "203.0.113.0/24"],
        ["dns.ttl", "30"],
        ["web.release", "r9"],
    ] as const;

    beforeAll(async () => {
        const url = await labOutput(["pulumi", "stack", "output", "redisUrl", "--show-secrets"]);
        secrets.push(new URL(url.trim().split(",")[0] ?? "").password);
        const state = await labOutput(["pulumi", "stack", "export", "--show-secrets"]);
        for (const [, key] of state.matchAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----\\\\?n([A-Za-z0-9+/]{40})/g))
            if (key !== undefined) secrets.push(key);
        expect(secrets.length).toBeGreaterThan(5);
        await configure("redis.maxmemory", "72mb");
        await configure("hosts.exclude[0]", "1");
        await configure("web.instanceType", "ecs.g7.xlarge");
        for (const [path, value] of settings) await configure(path, value);
    }, 120_000);

    afterAll(async () => {
        await configure("redis.maxmemory", "64mb");
        await configure("hosts.exclude", undefined);
        for (const path of ["web", "dns", "loadBalancer.weights", "loadBalancer.allow", "adminCidrs[1]"])
            await configure(path, undefined);
        await configure("mysql.bufferPool", "64mb");
        await configure("storage.diskSize", "20");
    }, 120_000);

    test("that takes a host away is risky until it is announced, and says in words what each step will do", async () => {
        const { code, report, comment, everything } = await review();
        const [stack] = report.stacks;
        expect(stack?.outcome).toBe("risky");
        expect(code).toBe(2);
        expect(stack?.losses).toEqual([
            { name: "node-1", type: "alicloud:ecs/instance:Instance", operation: "delete", announced: false },
            { name: "node-1-storage", type: "alicloud:ecs/ecsDisk:EcsDisk", operation: "delete", announced: false },
        ]);
        expect(comment).toContain("Deletes `node-1`. Lost: the host's system disk");
        expect(comment).toContain("Deletes `node-1-storage`. Lost: the disk's data");
        expect(comment).toMatch(/\*\*redis\*\* \(RedisCluster\)/);
        expect(comment).toContain("- update `redis-node-2` (Command): `MAXMEMORY` `64mb` → `72mb`");
        expect(comment).toContain("- update `web-1` (Instance): `instanceType` `ecs.g7.large` → `ecs.g7.xlarge`");
        expect(comment).toContain("- create `bastion-bastion-ingress-tcp-22-from-198.51.100.0-24` (SecurityGroupRule)");
        expect(comment).toContain("- update `mysql-node-2` (Command): `BUFFER_POOL` `64mb` → `72mb`");
        expect(comment).toContain("- update `node-2-storage` (EcsDisk): `size` `20` → `30`");
        expect(comment).toContain("- update `storage-node-2` (Command): `DISK_SIZE` `20` → `30`");
        expect(comment).toMatch(
            /- update `balancer` \(BackendServer\): `backendServers\[i-\w+\]\.weight` `100` → `50`$/m,
        );
        expect(comment).toContain("- create `balancer-80-203.0.113.0-24` (AclEntryAttachment)");
        expect(comment).toContain("- update `names-web-web-1` (ZoneRecord): `ttl` `5` → `30`");
        expect(comment).toContain("- create `site-release` (Command)");
        expect(comment).toContain("**2 hosts stop, all at the same time**");
        for (const secret of secrets) expect(everything).not.toContain(secret);

        // One host goes and another one comes; two hosts grow from `large` to `xlarge`, and three data disks by 10 GiB.
        const { before, after } = stack!.cost!;
        expect(after - before).toBeCloseTo((2 * 0.52325 + 30 * 0.0021) * 730, 0);
        expect(comment).toMatch(/<summary>Cost: [\d,.]+ → [\d,.]+ CNY a month \(\+809\.9\d\)<\/summary>/);
        expect(comment).toContain("```mermaid\nflowchart LR");
        expect(comment).toMatch(/^- node: host node-1, [^\n]*Redis :7000/m);
        expect(comment).toMatch(/^\+ node: host node-7, cn-hangzhou-\w, ecs\.g7\.large, [^\n]*Redis :7000/m);
        expect(comment).toMatch(/^\+ web: host web-1, cn-hangzhou-\w, ecs\.g7\.xlarge, nginx/m);
        const flows = [...comment.matchAll(/^[+-] \S+ → .*$/gm)].map(([line]) => line);
        expect(flows).toEqual([
            "- internet → balancer: 80, 443",
            "+ 198.51.100.0/24 → bastion: 22",
            "+ 203.0.113.0/24 → balancer: 80, 443",
        ]);

        const announced = await review("--label", "stateful-change");
        expect(announced.report.stacks[0]?.outcome).toBe("harmless");
        expect(announced.code).toBe(0);
        expect(announced.comment).toContain("[!WARNING]");
    }, 300_000);
});

test("settings that are refused are a failure, and the comment says which", async () => {
    await configure("redis.masters", "2");
    try {
        const { code, report, comment } = await review();
        expect(report.stacks[0]?.outcome).toBe("failed");
        expect(comment).toContain("redis.masters: 2 is not a whole number between 3 and 100.");
        expect(code).toBe(1);
    } finally {
        await configure("redis.masters", undefined);
    }
}, 200_000);

test("a mandatory policy stops a preview, and says what has to change where", async () => {
    const settings = join(folder, "settings.json");
    writeFileSync(settings, JSON.stringify({ "required-tags": { tags: ["multihost:stack", "cost-centre"] } }));
    const { code, stdout, stderr } = await lab(
        ["pulumi", "preview", "--non-interactive", ...policyPackArguments(), "--policy-pack-config", settings],
        { seconds: 180 },
    );
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/required-tags/);
    expect(stdout + stderr).toMatch(/lacks the tag cost-centre/);
}, 200_000);

test("an estimate has a price for all that the stack is made of", async () => {
    const { code, stdout, stderr } = await tool("cost/cli.ts", ["--stack", "lab", "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { now } = JSON.parse(stdout) as { now: Estimate & { components: Record<string, number> } };
    expect(now.unpriced).toEqual([]);
    expect(now.regions).toEqual(["cn-hangzhou"]);
    expect(now.components["node (NodePool)"]).toBeGreaterThan(6 * 0.52325 * 730);
    expect(now.components["balancer (LoadBalancer)"]).toBeGreaterThan(0);
}, 60_000);

test("a picture shows the hosts, what runs on them and who may connect", async () => {
    const { code, stdout, stderr } = await tool("graph/cli.ts", ["--stack", "lab", "--format", "json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { pools, flows } = JSON.parse(stdout) as Topology;
    const [first] = pools.find(({ name }) => name === "node")?.hosts ?? [];
    expect(first).toMatchObject({ name: "node-1", services: ["GlusterFS", "MySQL :3306", "Redis :7000"] });
    expect(flows).toEqual(
        expect.arrayContaining([
            { from: "internet", to: "balancer", ports: ["80", "443"] },
            { from: "balancer", to: "web", ports: ["80"] },
            { from: "bastion", to: "node", ports: ["22"] },
            { from: "203.0.113.0/24", to: "bastion", ports: ["22"] },
        ]),
    );
    const drawn = await tool("graph/cli.ts", ["--stack", "lab"]);
    expect(drawn.stdout.startsWith("<?xml")).toBe(true);
    expect(drawn.code).toBe(0);
}, 60_000);

test("a picture of a preview shows what will come", async () => {
    await configure("web.count", "3");
    try {
        const { code, stdout } = await tool("graph/cli.ts", ["--stack", "lab", "--preview", "--format", "mermaid"]);
        expect(code).toBe(0);
        expect(stdout).toMatch(/^flowchart/);
        expect(stdout).toMatch(/web-3.*:::new/);
        expect(stdout).not.toMatch(/web-[12].*:::/);
    } finally {
        await configure("web.count", undefined);
    }
}, 120_000);
