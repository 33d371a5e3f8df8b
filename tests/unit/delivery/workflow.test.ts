/** The workflow that previews pull requests, which no test runs: what it must not forget. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

interface Step {
    readonly run?: string;
    readonly if?: string;
}

interface Workflow {
    readonly jobs: Readonly<
        Record<string, { readonly env?: Readonly<Record<string, string>>; readonly steps: Step[] }>
    >;
}

const root = join(__dirname, "..", "..", "..");
const { jobs } = parse(readFileSync(join(root, ".github", "workflows", "preview.yaml"), "utf8")) as Workflow;

test.each(Object.keys(jobs))(
    "job %s previews whatever failed before, so that no comment of an earlier commit stays",
    (job) => {
        const previews = jobs[job]!.steps.filter(({ run = "" }) => run.includes("npm run preview:pr"));
        expect(previews.map((step) => step.if)).toEqual(["!cancelled()"]);
    },
);

test("the job that reads the state sets what docs/backends.md says OSS needs", () => {
    const exported = [
        ...readFileSync(join(root, "docs", "backends.md"), "utf8").matchAll(/^export (AWS_\w+_CHECKSUM_\w+)=(\w+)/gm),
    ].map(([, name, value]) => [name!, value!] as const);
    expect(exported).toHaveLength(2);
    expect(jobs["stacks"]!.env).toMatchObject(Object.fromEntries(exported));
});
