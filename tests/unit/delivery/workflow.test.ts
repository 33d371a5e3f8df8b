/** The workflow that previews pull requests, which no test runs: what it must not forget. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

interface Step {
    readonly run?: string;
    readonly uses?: string;
    readonly with?: Readonly<Record<string, unknown>>;
    readonly "continue-on-error"?: boolean;
    readonly if?: string;
    readonly "timeout-minutes"?: number;
}

interface Workflow {
    readonly jobs: Readonly<
        Record<
            string,
            {
                readonly env?: Readonly<Record<string, string>>;
                readonly "timeout-minutes": number;
                readonly steps: Step[];
            }
        >
    >;
}

const root = join(__dirname, "..", "..", "..");
const workflow = (name: string): Workflow =>
    parse(readFileSync(join(root, ".github", "workflows", `${name}.yaml`), "utf8")) as Workflow;
const { jobs } = workflow("preview");

test.each(Object.keys(jobs))(
    "job %s previews whatever failed before, so that no comment of an earlier commit stays",
    (job) => {
        const previews = jobs[job]!.steps.filter(({ run = "" }) => run.includes("npm run preview:pr"));
        expect(previews.map((step) => step.if)).toEqual(["!cancelled()"]);
    },
);

test.each(Object.keys(jobs))("job %s previews the merge, and what it changes of the branch that it goes to", (job) => {
    const { steps } = jobs[job]!;
    const checkouts = steps.filter(({ uses = "" }) => uses.startsWith("actions/checkout@"));
    expect(checkouts.map((step) => [step.with?.["ref"], step.with?.["fetch-depth"]])).toEqual([[undefined, 0]]);
    expect(steps.filter(({ run = "" }) => run.includes("preview:pr -- --base HEAD^1 "))).toHaveLength(1);
});

test.each(Object.keys(jobs))(
    "job %s ends before its time is up, which would count as cancelled and leave an earlier comment",
    (job) => {
        const { steps, "timeout-minutes": all } = jobs[job]!;
        const long = steps.filter(({ run = "" }) => run.includes("npm run"));
        const sum = long.reduce((minutes, step) => minutes + step["timeout-minutes"]!, 0);
        expect(sum).toBeGreaterThan(0);
        expect(sum).toBeLessThan(all);
    },
);

test("who posts says so when there is nothing to post, and what a fork's is", () => {
    const { steps } = workflow("preview-comment").jobs["post"]!;
    expect(steps.find(({ uses = "" }) => uses.startsWith("actions/download-artifact@"))).toMatchObject({
        "continue-on-error": true,
    });
    expect(steps.at(-1)!.run).toMatch(/--commit "\$HEAD_SHA"[^]*HEAD_REPOSITORY[^]*--fork[^]*preview:post/);
    // Runs of these get no secrets, as a fork's don't, and what they wrote is worth as little.
    expect(steps.at(-1)!.run).toMatch(/AUTHORS[^\n]*dependabot\[bot\][^\n]*--fork/);
});

test("the job that reads the state sets what docs/backends.md says OSS needs", () => {
    const exported = [
        ...readFileSync(join(root, "docs", "backends.md"), "utf8").matchAll(/^export (AWS_\w+_CHECKSUM_\w+)=(\w+)/gm),
    ].map(([, name, value]) => [name!, value!] as const);
    expect(exported).toHaveLength(2);
    expect(jobs["stacks"]!.env).toMatchObject(Object.fromEntries(exported));
});
