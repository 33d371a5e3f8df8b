/** The course of a rolling update, with Pulumi and the doctor made up. */
import { ChildProcess } from "node:child_process";
import { previewStack } from "../../../delivery/engine";
import type { Change, Plan } from "../../../delivery/plan";
import { main, parseOptions, unsettled } from "../../../delivery/rollingUpdate";
import { stagesOf } from "../../../delivery/stages";
import { diagnose } from "../../../doctor/diagnose";
import { allowRebuild } from "../../../toolchain/policyPack";
import type { Finding } from "../../../doctor/findings";
import { makeReport, type Report } from "../../../doctor/report";
import { pulumiOutput, startPulumi } from "../../../toolchain/pulumi";

jest.mock("../../../delivery/engine", () => ({ previewStack: jest.fn() }));
jest.mock("../../../doctor/diagnose", () => ({ diagnose: jest.fn() }));
jest.mock("node:timers/promises", () => ({ setTimeout: () => Promise.resolve() }));
jest.mock("../../../toolchain/pulumi", () => ({
    ...jest.requireActual<object>("../../../toolchain/pulumi"),
    pulumiOutput: jest.fn(),
    startPulumi: jest.fn(),
}));

const INSTANCE = "alicloud:ecs/instance:Instance";

function instance(name: string, path: string, operation: Change["operation"] = "update"): Change {
    const property = { path, before: "a", after: "b", replaces: operation === "replace" };
    return { urn: `urn:${name}`, name, type: INSTANCE, operation, properties: [property], retained: false };
}
const step: Change = { ...instance("redis-node-1", "create"), type: "command:remote:Command" };
const planOf = (...changes: Change[]): Plan => ({
    changes,
    unchanged: 1,
    errors: [],
    warnings: [],
    violations: [],
    complete: true,
});

const finding = (status: Finding["status"], check = "service"): Finding => ({
    host: "node-1",
    service: "redis",
    step: "redis-node-1",
    check,
    status,
    detail: "",
});
const report = (...findings: Finding[]): Report => makeReport("prod", new Date(0), new Date(0), findings);

let plan: Plan;
let done: string[];
let said: string;
let writer: string | undefined;
/** What the doctor finds, from the first time on; the last one stays. */
let reports: Report[];
let failing: RegExp;

beforeEach(() => {
    done = [];
    said = "";
    writer = undefined;
    failing = /^never$/;
    reports = [report(finding("ok"))];
    for (const stream of [process.stdout, process.stderr])
        jest.spyOn(stream, "write").mockImplementation((text) => {
            said += String(text);
            return true;
        });
    jest.mocked(previewStack).mockImplementation(() => Promise.resolve(plan));
    jest.mocked(diagnose).mockImplementation(() => {
        done.push("examine");
        return Promise.resolve(reports.length > 1 ? reports.shift()! : reports[0]!);
    });
    jest.mocked(pulumiOutput).mockImplementation(() =>
        Promise.resolve(JSON.stringify(writer === undefined ? {} : { mysqlSource: { name: writer } })),
    );
    jest.mocked(startPulumi).mockImplementation((words) => {
        const what = words
            .join(" ")
            .replace(/^up --stack prod --yes --skip-preview --policy-pack \S+ ?(--policy-pack-config \S+ ?)?/, "");
        done.push(`up ${what}`.trim());
        const child = new ChildProcess();
        setImmediate(() => child.emit("close", failing.test(what) ? 255 : 0));
        return Promise.resolve(child);
    });
});
afterEach(() => jest.restoreAllMocks());

const roll = (...words: string[]): Promise<number> => main(["--stack", "prod", "--yes", ...words]);

describe("the hosts that an update stops", () => {
    const hosts = (...changes: Change[]): string[] =>
        stagesOf(planOf(...changes)).map(({ host, replaced }) => `${replaced ? "replace" : "stop"} ${host}`);

    test("are those with another type and those that are replaced, by their numbers", () => {
        expect(hosts(instance("node-10", "instanceType"), step, instance("node-2", "userData", "replace"))).toEqual([
            "replace node-2",
            "stop node-10",
        ]);
    });

    test("are not those that are made or deleted, nor those with other tags", () => {
        expect(
            hosts(
                instance("node-1", "tags.team"),
                instance("node-2", "imageId", "create"),
                instance("node-3", "imageId", "delete"),
            ),
        ).toEqual([]);
    });
});

test("everything else comes first, then host after host, the writer last, then what follows", async () => {
    plan = planOf(instance("node-1", "instanceType"), instance("node-2", "instanceType"), step);
    writer = "node-1";
    expect(await roll()).toBe(0);
    expect(done).toEqual([
        "examine",
        "up --exclude urn:node-1 --exclude urn:node-2",
        "examine",
        "up --target urn:node-2",
        "examine",
        "up --target urn:node-1",
        "examine",
        "up",
        "examine",
    ]);
});

test("the next host waits until everything is as before", async () => {
    const [well, ill] = [
        report(finding("warning", "restart")),
        report(finding("warning", "restart"), finding("failed")),
    ];
    const worse = report(finding("warning", "restart"), finding("warning", "memory"));
    reports = [well, well, ill, worse, well];
    plan = planOf(instance("node-1", "instanceType"), instance("node-2", "instanceType"));
    expect(await roll()).toBe(0);
    expect(done.slice(2, 7)).toEqual([
        "up --target urn:node-1",
        "examine",
        "examine",
        "examine",
        "up --target urn:node-2",
    ]);
    expect(said).toContain("Waiting for node-1: redis, service.");
});

test("what could not be examined, and what failed before and still does, is not settled", () => {
    const before = report(finding("failed"), finding("warning", "restart"));
    expect(unsettled(report(finding("failed")), before)).toHaveLength(1);
    expect(unsettled(report(finding("skipped", "other")), before)).toHaveLength(1);
    expect(unsettled(report(finding("warning", "restart"), finding("ok")), before)).toEqual([]);
});

test("a host that is replaced takes along what depends on it, and has to be named", async () => {
    plan = planOf(instance("node-1", "imageId", "replace"), instance("node-2", "imageId", "replace"));
    expect(await roll("--replace", "node-1")).toBe(2);
    expect(said).toContain("(replace node-2). If that is meant: --replace node-2\nNothing was changed.");
    expect(done).toEqual(["examine"]);
    expect(jest.mocked(previewStack).mock.lastCall?.[2]).toContain("--policy-pack-config");
    expect(await roll("--replace", "*")).toBe(0);
    expect(done.filter((line) => line.startsWith("up"))).toEqual([
        "up --target urn:node-1 --target-dependents",
        "up --target urn:node-2 --target-dependents",
        "up",
    ]);
});

test("the database's source isn't replaced while it takes writes", async () => {
    plan = planOf(instance("node-1", "imageId", "replace"), instance("node-2", "imageId", "replace"));
    writer = "node-1";
    expect(await roll("--replace", "*")).toBe(1);
    expect(done.filter((line) => line.startsWith("up"))).toEqual(["up --target urn:node-2 --target-dependents"]);
    expect(said).toContain("config set --path mysql.source node-2 --stack prod");
});

test("an update that fails ends it, and says how to go on", async () => {
    plan = planOf(instance("node-1", "instanceType"), instance("node-2", "instanceType"));
    failing = /node-1/;
    expect(await roll()).toBe(1);
    expect(done.at(-1)).toBe("up --target urn:node-1");
    expect(said).toContain("the same command goes on");
});

test("a stack that isn't healthy, a preview that fails, and a broken policy are refused", async () => {
    reports = [report(finding("failed"))];
    expect(await roll()).toBe(2);
    expect(said).toContain("prod isn't healthy");
    reports = [report(finding("ok"))];
    plan = { ...planOf(step), errors: ["no such image"] };
    expect(await roll()).toBe(2);
    expect(said).toContain("no such image");
    plan = { ...planOf(step), violations: [{ policy: "tags", mandatory: true, resource: "x", message: "none" }] };
    expect(await roll()).toBe(2);
    expect(said).toContain("tags, x: none");
    expect(done.filter((line) => line.startsWith("up"))).toEqual([]);
});

test("where nothing differs nothing is done, and where no host stops it is one update", async () => {
    plan = planOf();
    expect(await roll()).toBe(0);
    expect(done).toEqual(["examine"]);
    plan = planOf(step);
    expect(await roll()).toBe(0);
    expect(done.filter((line) => line.startsWith("up"))).toEqual(["up"]);
});

test("without a terminal somebody has to agree beforehand", async () => {
    plan = planOf(step);
    expect(await main(["--stack", "prod"])).toBe(2);
    expect(said).toContain("say --yes");
    expect(done).toEqual(["examine"]);
});

test("hosts that are named may be rebuilt, beside those that the team's settings name", () => {
    expect(allowRebuild({ tags: "disabled" }, ["a"])).toEqual({ tags: "disabled", "kept-hosts": { rebuild: ["a"] } });
    const settings = { "kept-hosts": { enforcementLevel: "mandatory", rebuild: ["b"] } };
    expect(allowRebuild(settings, ["a"])).toEqual({
        "kept-hosts": { enforcementLevel: "mandatory", rebuild: ["b", "a"] },
    });
    expect(allowRebuild({ "kept-hosts": "disabled" }, ["a"])).toEqual({ "kept-hosts": "disabled" });
});

test("words are read, and unknown ones refused", async () => {
    const { stack, replace, yes } = parseOptions(["--replace", "a", "--replace", "b"], { PULUMI_STACK: "dev" });
    expect({ stack, replace, yes }).toEqual({ stack: "dev", replace: ["a", "b"], yes: false });
    expect(await main(["--stak", "prod"])).toBe(2);
    expect(done).toEqual([]);
});
