/** The course of a rolling update, with Pulumi and the doctor made up. */
import { ChildProcess } from "node:child_process";
import { preview } from "../../../delivery/engine";
import type { Change, Plan } from "../../../delivery/plan";
import { main, parseOptions, unsettled } from "../../../delivery/rollingUpdate";
import { stagesOf } from "../../../delivery/stages";
import type { StackResource } from "../../../delivery/states";
import { diagnose } from "../../../doctor/diagnose";
import { allowRebuild } from "../../../toolchain/policyPack";
import type { Finding } from "../../../doctor/findings";
import { makeReport, type Report } from "../../../doctor/report";
import { pulumiOutput, startPulumi } from "../../../toolchain/pulumi";
import { planWith } from "./events";

jest.mock("../../../delivery/engine", () => ({ preview: jest.fn() }));
jest.mock("../../../doctor/diagnose", () => ({ diagnose: jest.fn() }));
// They make a folder, which goes with the process; to jest a test is none.
jest.mock("../../../toolchain/policyPack", () => ({
    ...jest.requireActual<object>("../../../toolchain/policyPack"),
    policyPackArguments: () => [],
}));
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
const planOf = (...changes: Change[]): Plan => planWith(changes);

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
/** What previews show before \`plan\`. */
let plans: Plan[];
let inState: StackResource[];
let described: StackResource[];
let done: string[];
let said: string;
let writer: string | undefined;
let replicas: string[];
/** What the doctor finds, from the first time on; the last one stays. */
let reports: Report[];
let failing: RegExp;

beforeEach(() => {
    done = [];
    said = "";
    writer = undefined;
    replicas = [];
    plans = [];
    inState = [];
    described = [];
    failing = /^never$/;
    reports = [report(finding("ok"))];
    for (const stream of [process.stdout, process.stderr])
        jest.spyOn(stream, "write").mockImplementation((text) => {
            said += String(text);
            return true;
        });
    jest.mocked(preview).mockImplementation(() => {
        const shown = plans.shift() ?? plan;
        return Promise.resolve({ plan: shown, states: { before: inState, after: described } });
    });
    jest.mocked(diagnose).mockImplementation(() => {
        done.push("examine");
        return Promise.resolve(reports.length > 1 ? reports.shift()! : reports[0]!);
    });
    jest.mocked(pulumiOutput).mockImplementation(() =>
        Promise.resolve(
            JSON.stringify(
                writer === undefined
                    ? {}
                    : { mysqlSource: { name: writer }, mysqlReplicas: replicas.map((name) => ({ name })) },
            ),
        ),
    );
    jest.mocked(startPulumi).mockImplementation((words) => {
        const what = words.join(" ").replace(/^up --stack prod --yes --skip-preview ?/, "");
        done.push(`up ${what}`.trim());
        const child = new ChildProcess();
        setImmediate(() => child.emit("close", failing.test(what) ? 255 : 0));
        return Promise.resolve(child);
    });
});
afterEach(() => jest.restoreAllMocks());

const roll = (...words: string[]): Promise<number> => main(["--stack", "prod", "--yes", ...words]);
const ups = (): string[] => done.filter((line) => line.startsWith("up"));
/** The first preview shows that; what comes after the hosts' turns, nothing of them any more. */
const first = (...changes: Change[]): void => {
    plans = [planOf(...changes)];
    plan = planOf(step);
};

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
    first(instance("node-1", "instanceType"), instance("node-2", "instanceType"), step);
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

test("the next host waits until everything is as before, and for a doctor that gave up", async () => {
    const [well, ill] = [
        report(finding("warning", "restart")),
        report(finding("warning", "restart"), finding("failed")),
    ];
    const worse = report(finding("warning", "restart"), finding("warning", "memory"));
    reports = [well, ill, worse, well];
    first(instance("node-1", "instanceType"), instance("node-2", "instanceType"));
    jest.mocked(diagnose).mockImplementation(() => {
        done.push("examine");
        if (done.length === 3) return Promise.reject(new Error("no access"));
        return Promise.resolve(reports.length > 1 ? reports.shift()! : reports[0]!);
    });
    expect(await roll()).toBe(0);
    expect(done.slice(1, 7)).toEqual([
        "up --target urn:node-1",
        "examine",
        "examine",
        "examine",
        "examine",
        "up --target urn:node-2",
    ]);
    expect(said).toContain("Waiting for no access.");
    expect(said).toContain("Waiting for node-1: redis, service.");
});

test("what could not be examined, what failed before and still does, and more of what waits is not settled", () => {
    const copies = (amount: number): Finding => ({
        ...finding("warning", "copies"),
        host: null,
        detail: `${amount} entries wait`,
    });
    const before = report(finding("failed"), finding("warning", "restart"), copies(3));
    expect(unsettled(report(finding("failed")), before)).toHaveLength(1);
    expect(unsettled(report(finding("skipped", "other")), before)).toHaveLength(1);
    expect(unsettled(report(copies(4)), before)).toHaveLength(1);
    const never: Finding = { ...finding("skipped", "listener"), host: null, detail: "udp is not asked" };
    expect(unsettled(report(never), report(never))).toEqual([]);
    expect(unsettled(report(copies(3), finding("warning", "restart"), finding("ok")), before)).toEqual([]);
});

test("a host that is replaced takes along what depends on it, and all of them have to be named", async () => {
    const both = [instance("node-1", "imageId", "replace"), instance("node-2", "imageId", "replace")];
    first(...both);
    expect(await roll("--replace", "node-1")).toBe(2);
    expect(said).toContain(
        "  --replace node-2   loses the host's system disk and all that is on it\nNothing was changed.",
    );
    expect(done).toEqual(["examine"]);
    first(...both);
    expect(await roll("--replace", "*")).toBe(0);
    expect(ups()).toEqual([
        "up --target urn:node-1 --target-dependents",
        "up --target urn:node-2 --target-dependents",
        "up",
    ]);
});

test("hosts that the cloud protects from deletion are refused before anything is done", async () => {
    first(instance("node-1", "imageId", "replace"));
    inState = [{ urn: "urn:node-1", type: INSTANCE, custom: true, inputs: { deletionProtection: true } }];
    expect(await roll("--replace", "*")).toBe(2);
    expect(said).toContain("refuses to delete node-1: switch `hosts.deletionProtection` off");
});

test("a host that would be made where its data disks can't follow is refused before anything is done", async () => {
    const made = (vswitchId: string): StackResource => ({
        urn: "urn:node-3",
        type: INSTANCE,
        id: "i-3",
        inputs: { vswitchId },
    });
    const attachment = {
        urn: "urn:disk",
        type: "alicloud:ecs/ecsDiskAttachment:EcsDiskAttachment",
        inputs: { instanceId: "i-3", diskId: "d-3" },
    };
    [inState, described] = [[made("vsw-1"), attachment], [made("vsw-3")]];
    first(instance("node-3", "imageId", "replace"));
    expect(await roll("--replace", "*")).toBe(2);
    expect(said).toContain("node-3 would be made in another VSwitch than now");
    expect(ups()).toEqual([]);
    // One without a disk goes where its turn is, and one that only stops stays.
    inState = [made("vsw-1")];
    first(instance("node-3", "imageId", "replace"));
    expect(await roll("--replace", "*")).toBe(0);
    inState = [made("vsw-1"), attachment];
    first(instance("node-3", "instanceType"));
    expect(await roll()).toBe(0);
});

test("the database's source isn't replaced while it takes writes", async () => {
    first(instance("node-1", "imageId", "replace"), instance("node-3", "imageId", "replace"));
    [writer, replicas] = ["node-1", ["node-2"]];
    expect(await roll("--replace", "*")).toBe(1);
    expect(ups()).toEqual(["up --target urn:node-3 --target-dependents"]);
    expect(said).toContain("config set --path mysql.source node-2 --stack prod");
    expect(said).toContain("npm run rolling-update -- --stack prod --replace '*' --replace node-1");
    first(instance("node-1", "imageId", "replace"));
    replicas = [];
    expect(await roll("--replace", "node-1")).toBe(1);
    expect(said).toContain("config set --path mysql.replicas 1 --stack prod");
});

test("another source that the update before the hosts' turns names counts for them", async () => {
    first(instance("node-1", "imageId", "replace"), step);
    writer = "node-1";
    const course = jest.mocked(startPulumi).getMockImplementation()!;
    jest.mocked(startPulumi).mockImplementation((...words) => {
        writer = "node-2";
        return course(...words);
    });
    expect(await roll("--replace", "node-1")).toBe(0);
    expect(ups()).toEqual(["up --exclude urn:node-1", "up --target urn:node-1 --target-dependents", "up"]);
});

test("an update that fails ends it, and the same command goes on with the host that is down", async () => {
    first(instance("node-1", "instanceType"), instance("node-2", "instanceType"), step);
    failing = /target.*node-1/;
    expect(await roll()).toBe(1);
    expect(done.at(-1)).toBe("up --target urn:node-1");
    expect(said).toContain("this goes on:\n  npm run rolling-update -- --stack prod\n");

    failing = /^never$/;
    const history: Finding = { ...finding("failed", "updates"), host: null, service: "stack" };
    const slots: Finding = { ...finding("failed", "slots"), host: null };
    reports = [report(history, finding("failed", "login"), finding("skipped"), slots), report(finding("ok"))];
    done = [];
    first(instance("node-1", "instanceType"), instance("node-2", "instanceType"), step);
    expect(await roll()).toBe(0);
    expect(ups()).toEqual(["up --target urn:node-1", "up --exclude urn:node-2", "up --target urn:node-2", "up"]);
});

test("a last update that failed is gone on with where every host is up", async () => {
    const history: Finding = { ...finding("failed", "updates"), host: null, service: "stack" };
    reports = [report(history), report(finding("ok"))];
    first(instance("node-2", "instanceType"));
    expect(await roll()).toBe(0);
    expect(ups()).toEqual(["up --exclude urn:node-2", "up --target urn:node-2", "up"]);
});

test("a run that failed in the steps of a host that it had replaced goes on with these, before any other host stops", async () => {
    const history: Finding = { ...finding("failed", "updates"), host: null, service: "stack" };
    const unmade: Finding = { ...finding("failed", "ready"), host: "node-3", service: "host", step: null };
    reports = [report(history, unmade, { ...finding("failed", "slots"), host: null }), report(finding("ok"))];
    first(instance("node-4", "imageId", "replace"), step);
    expect(await roll("--replace", "*")).toBe(0);
    expect(ups()).toEqual(["up --exclude urn:node-4", "up --target urn:node-4 --target-dependents", "up"]);

    // Where that doesn't make it well, none does.
    const ill = [unmade, { ...finding("failed", "slots"), host: null }];
    reports = [report(history, ...ill), report(...ill)];
    first(instance("node-4", "imageId", "replace"), step);
    const passing = jest.spyOn(Date, "now");
    for (const minute of [0, 31]) passing.mockReturnValueOnce(minute * 60_000);
    expect(await roll("--replace", "*")).toBe(1);
    expect(ups().at(-1)).toBe("up --exclude urn:node-4");
    expect(said).toContain("Not `pulumi up`: it replaces all hosts that are left");
});

test("a host that takes no login is replaced only where an earlier run left it so", async () => {
    const history: Finding = { ...finding("failed", "updates"), host: null, service: "stack" };
    const silent = (host: string): Finding => ({ ...finding("failed", "login"), host });
    const both = [instance("node-1", "imageId", "replace"), instance("node-2", "imageId", "replace")];
    for (const [found, source] of [
        // Nobody has begun.
        [[silent("node-2")], undefined],
        [[history, silent("node-1"), silent("node-2")], undefined],
        [[history, silent("node-1")], "node-1"],
    ] as const) {
        [reports, writer] = [[report(...found)], source];
        first(...both);
        expect(await roll("--replace", "*")).toBe(2);
        expect(said).toMatch(/would be replaced, and takes? no login/);
    }
    expect(ups()).toEqual([]);
    [reports, writer] = [[report(history, silent("node-2")), report(finding("ok"))], "node-3"];
    first(...both);
    expect(await roll("--replace", "*")).toBe(0);
    expect(ups()[0]).toBe("up --target urn:node-2 --target-dependents");
});

test("hosts that would stop in the end, since something changed meanwhile, stop it", async () => {
    plan = planOf(instance("node-1", "instanceType"));
    expect(await roll()).toBe(1);
    expect(ups()).toEqual(["up --target urn:node-1"]);
    expect(said).toContain("have changed meanwhile:\nnode-1 stops and starts (instanceType)");
});

test("a stack that isn't healthy, one that isn't there, a preview that fails, and a broken policy are refused", async () => {
    plan = planOf(step, instance("node-2", "instanceType"));
    reports = [report(finding("failed"))];
    expect(await roll()).toBe(2);
    expect(said).toContain("prod isn't healthy");
    // Another host is down than those whose turn it could be.
    reports = [report(finding("failed", "login"))];
    expect(await roll()).toBe(2);
    reports = [report(finding("ok"))];
    plan = { ...planOf(step), errors: ["no such image"] };
    expect(await roll()).toBe(2);
    expect(said).toContain("no such image");
    plan = { ...planOf(step), violations: [{ policy: "tags", mandatory: true, resource: "x", message: "none" }] };
    expect(await roll()).toBe(2);
    expect(said).toContain("tags, x: none");
    jest.mocked(diagnose).mockRejectedValue(new Error("no stack named prod"));
    expect(await roll()).toBe(2);
    expect(said).toContain("no stack named prod\nNothing was changed.");
    expect(ups()).toEqual([]);
});

test("where no host stops it is one update, also where no resource differs: outputs or the state may", async () => {
    plan = planOf();
    expect(await roll()).toBe(0);
    expect(done).toEqual(["examine", "up", "examine"]);
    expect(said).toContain("No resource differs. The stack's outputs and its state are updated:");
    done = [];
    plan = planOf(step);
    expect(await roll()).toBe(0);
    expect(ups()).toEqual(["up"]);
});

test("without a terminal somebody has to agree beforehand", async () => {
    for (plan of [planOf(step), planOf()]) {
        done = [];
        said = "";
        expect(await main(["--stack", "prod"])).toBe(2);
        expect(said).toContain("say --yes");
        expect(done).toEqual(["examine"]);
    }
});

test("hosts may be rebuilt beside those that the team's settings name", () => {
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
