import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writePrivate } from "../../../lab/files";
import { labPaths } from "../../../lab/paths";
import { startOf } from "../../../lab/process";
import { asItRuns } from "../../../lab/record";
import { inLabProject, writeProject } from "../../../lab/stack";
import { policyPackArguments } from "../../../toolchain/policyPack";

const project = "/labs/lab/project";
const led = (line: string): string => inLabProject(line.split(" "), project, "/home/me").join(" ");

test.each([
    "up --stack lab",
    "preview",
    "config set a b",
    "config set --path a.b ./file",
    "stack select --create lab",
    "stack rm --yes",
    "stack rename lab-b",
    "stack output",
    "stack change-secrets-provider passphrase",
    "import alicloud:vpc/network:Network main vpc-1",
    "-s lab up",
    "-slab up",
    "--color never preview",
    "-m new up",
    "up -f --yes",
    "config set key -- -C",
    "up --message -C",
    "version",
])("%s runs in the lab's project", (line) => expect(led(line)).toBe(`--cwd ${project} ${line}`));

test.each([
    "up --config-file mine.yaml",
    "up -C elsewhere",
    "-Celsewhere up",
    "--cwd=elsewhere stack export --file state.json",
    "--color never new --force",
    "package gen-sdk ./schema.json",
])("%s runs where the caller is", (line) => expect(led(line)).toBe(line));

test.each([
    ["stack export --file state.json", "stack export --file /home/me/state.json"],
    ["stack export --file a,b", "stack export --file /home/me/a,b"],
    ["stack import --file=../state.json", "stack import --file=/home/state.json"],
    ["up --plan plan.json --event-log ./log", "up --plan /home/me/plan.json --event-log /home/me/log"],
    [
        "preview --save-plan plan --import-file=i.json",
        "preview --save-plan /home/me/plan --import-file=/home/me/i.json",
    ],
    ["up --policy-pack a,/b --policy-pack-config c", "up --policy-pack /home/me/a,/b --policy-pack-config /home/me/c"],
    ["import -f all.json -o code.ts", "import -f /home/me/all.json -o /home/me/code.ts"],
    ["-s lab import -fall.json", "-s lab import -f=/home/me/all.json"],
    ["watch --path src --path=lib", "watch --path /home/me/src --path=/home/me/lib"],
    ["stack graph graph.dot", "stack graph /home/me/graph.dot"],
    ["stack graph -s lab graph.dot", "stack graph -s lab /home/me/graph.dot"],
    ["up --tracing file:trace", "up --tracing file:/home/me/trace"],
    ["up --tracing http://localhost:9411/api", "up --tracing http://localhost:9411/api"],
    ["up --event-log tcp://127.0.0.1:1", "up --event-log tcp://127.0.0.1:1"],
    ["stack import --file -", "stack import --file -"],
    ["config set key -- --file x", "config set key -- --file x"],
])("%s names the caller's files", (line, expected) => expect(led(line)).toBe(`--cwd ${project} ${expected}`));

test("what names no relative file stays as it is", () => {
    const args = ["preview", "--non-interactive", ...policyPackArguments(), "--event-log", "/tmp/events.json"];
    expect(inLabProject(args, project)).toEqual(["--cwd", project, ...args]);
});

describe("a lab beside the first", () => {
    const before = process.env["MULTIHOST_STATE"];
    let state: string;
    beforeEach(() => {
        state = mkdtempSync(join(tmpdir(), "project-"));
        process.env["MULTIHOST_STATE"] = state;
    });
    afterEach(() => {
        if (before === undefined) delete process.env["MULTIHOST_STATE"];
        else process.env["MULTIHOST_STATE"] = before;
        rmSync(state, { recursive: true });
    });

    it("has the port on which it runs, and no other", () => {
        const blue = { LAB_NAME: "blue" };
        expect(asItRuns(labPaths(blue), blue).port).toBe(8070);
        expect(labPaths({ LAB_NAME: "", LAB_PORT: "" })).toEqual(labPaths({}));
        const { folder, daemon, project } = labPaths(blue);
        mkdirSync(folder, { recursive: true });
        writePrivate(
            daemon,
            JSON.stringify({ pid: process.pid, start: startOf(process.pid), port: 8071, region: "r" }),
        );
        writeProject(asItRuns(labPaths(blue), blue));
        const written = readFileSync(join(project, "Pulumi.lab.yaml"), "utf8");
        expect([written.includes(":8071"), written.includes(":8070")]).toEqual([true, false]);
        const asked = (port: string): number =>
            asItRuns(labPaths({ ...blue, LAB_PORT: port }), { ...blue, LAB_PORT: port }).port;
        expect([asked("8071"), asked("")]).toEqual([8071, 8071]);
        expect(() => asked("8070")).toThrow('The lab "blue" runs on port 8071, not 8070');
    });
});
