/** What a preview says of the shared stack when all its components are renamed, and of changes to each. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Report } from "../../delivery/report";
import { labEnvironment } from "../prepare";
import { configure, labOutput, tool } from "./lab";

jest.setTimeout(300_000);

interface Step {
    readonly op: string;
    readonly urn: string;
    readonly detailedDiff?: Readonly<Record<string, unknown>> | null;
}

/** What `pulumi preview` of the stack would do, but for what stays as it is. */
async function preview(environment: NodeJS.ProcessEnv): Promise<readonly Step[]> {
    const printed = await labOutput(["pulumi", "preview", "--json", "--stack", "lab"], {
        seconds: 240,
        environment: { ...labEnvironment, ...environment },
    });
    const { steps } = JSON.parse(printed.slice(printed.indexOf("{"))) as { steps: Step[] };
    return steps.filter(({ op }) => op !== "same" && op !== "read");
}

const nameOf = ({ urn }: Step): string => urn.slice(urn.lastIndexOf("::") + 2);

it("components that are renamed with aliases keep everything that they have made", async () => {
    const steps = await preview({ NODE_OPTIONS: `--require ${join(__dirname, "renamed.cjs")}` });
    const names = steps.map(nameOf);
    // Each of them, by something that its name shows in.
    for (const name of ["main", "bastion", "node", "data", "redis", "mysql", "web", "storage", "site", "balancer"])
        expect(names.some((changed) => changed.startsWith(`other-${name}`))).toBe(true);
    expect(steps.filter(({ op }) => op !== "update").map((step) => `${step.op} ${step.urn}`)).toEqual([]);
});

describe("a setting of each component", () => {
    const settings: readonly (readonly [path: string, value: string, before: string | undefined])[] = [
        ["adminCidrs[1]", "198.51.100.0/24", undefined],
        ["mysql.bufferPool", "72mb", "64mb"],
        ["redis.maxmemory", "72mb", "64mb"],
        ["storage.mountPoint", "/data/files", undefined],
        ["web.release", "spring", undefined],
        ["loadBalancer.weights.web-1", "50", undefined],
        ["dns.ttl", "20", undefined],
    ];

    beforeAll(async () => {
        for (const [path, value] of settings) await configure(path, value);
    });

    afterAll(async () => {
        for (const [path, , before] of settings) await configure(path.replace(/\.web-1$/, ""), before);
    });

    it("is told in words, and concerns nobody else", async () => {
        const folder = mkdtempSync(join(tmpdir(), "multihost-words-"));
        try {
            await tool("delivery/previewPullRequest.ts", ["--stack", "lab", "--base", "HEAD", "--output", folder], {
                environment: { GITHUB_EVENT_PATH: "" },
            });
            const report = JSON.parse(readFileSync(join(folder, "report.json"), "utf8")) as Report;
            console.log(report.stacks[0]?.comment);
        } finally {
            rmSync(folder, { recursive: true, force: true });
        }
    });
});
