import { touchedStacks } from "../../../delivery/affected";
import { planOf, readEvents } from "../../../delivery/plan";
import { announcements, losses, lossesByReplacement, lossesOf } from "../../../delivery/stateful";
import { log, resource, summary } from "./events";

const plan = planOf(
    readEvents(
        log(
            resource({ op: "replace", name: "node-1" }),
            resource({ op: "delete", name: "node-7" }),
            resource({ op: "delete", name: "step", type: "command:remote:Command" }),
            resource({ op: "delete", name: "node-7-key", type: "tls:index/privateKey:PrivateKey" }),
            resource({ op: "update", name: "node-2" }),
            resource({ op: "delete", name: "kept", old: { retainOnDelete: true } }),
            summary(),
        ),
    ),
);

const names = (messages: string[], labels: string[] = []): [string, boolean][] =>
    lossesOf(plan, announcements(messages, labels)).map(({ change, announced }) => [change.name, announced]);

test("replaced and deleted hosts are losses, steps and what the cloud keeps are not", () => {
    expect(names([])).toEqual([
        ["node-1", false],
        ["node-7", false],
    ]);
});

test("a key that is made anew is a loss, one that goes with its host is not", () => {
    const key = { name: "ca", type: "tls:index/privateKey:PrivateKey" };
    const lost = (op: string): number =>
        lossesOf(planOf(readEvents(log(resource({ op, ...key }), summary()))), announcements([])).length;
    expect([lost("replace"), lost("delete")]).toEqual([1, 0]);
});

test("another image is a loss although the provider updates the host, and is announced as a replacement", () => {
    const update = (path: string, type?: string): object =>
        resource({
            op: "update",
            name: "node-1",
            ...(type !== undefined && { type }),
            old: { retainOnDelete: true },
            detailedDiff: { [path]: { diffKind: "update", inputDiff: true } },
        });
    const lost = (step: object, ...messages: string[]) =>
        lossesOf(planOf(readEvents(log(step, summary()))), announcements(messages));
    expect(lost(update("imageId"))).toMatchObject([{ causes: ["imageId"], announcedAs: "replace", announced: false }]);
    expect(lost(update("imageId"), "Deletes: node-1")).toMatchObject([{ announced: false }]);
    expect(lost(update("imageId"), "Replaces: node-1")).toMatchObject([{ announced: true }]);
    expect(lost(update("tags.owner"))).toEqual([]);
    expect(lost(update("imageId", "alicloud:ess/scalingConfiguration:ScalingConfiguration"))).toEqual([]);
});

// This project doesn't depend on the SDK of `random`; stacks that import its components may.
const ofSdks = [...Object.keys(losses), ...Object.keys(lossesByReplacement)].filter(
    (token) => !token.startsWith("random:"),
);
test.each(ofSdks)("%s is a type of the SDK", (token) => {
    const [, sdk, module, name] = /^(\w+):(\w+)\/(\w+):\w+$/.exec(token) ?? [];
    // The module of one resource: the whole SDK takes longer to load than all of these together.
    const path = `@pulumi/${sdk}/${module === "index" ? "" : `${module}/`}${name}`;
    const exported = Object.values(jest.requireActual<Record<string, { __pulumiType?: string }>>(path));
    expect(exported.map(({ __pulumiType }) => __pulumiType)).toContain(token);
});

test("the cloud's own databases, what is kept in its services, snapshots and addresses of the older kind are losses", () => {
    const lost = [
        "alicloud:ecs/eip:Eip",
        "alicloud:ecs/ecsSnapshot:EcsSnapshot",
        "alicloud:redis/tairInstance:TairInstance",
        "alicloud:rds/database:Database",
        "alicloud:mongodb/shardingInstance:ShardingInstance",
        "alicloud:ots/table:Table",
        "alicloud:log/store:Store",
    ].map((type) => resource({ op: "delete", name: "data", type }));
    for (const step of lost)
        expect(lossesOf(planOf(readEvents(log(step, summary()))), announcements([]))).toHaveLength(1);
});

test("a trailer announces what it names, and only for the operation that it says", () => {
    expect(names(["Rebuild the first host\n\nReplaces: node-1"])).toEqual([
        ["node-7", false],
        ["node-1", true],
    ]);
    expect(names(["Deletes: node-1"]).every(([, announced]) => !announced)).toBe(true);
    expect(names(["replaces: node-1,  node-2", "Deletes: *"]).every(([, announced]) => announced)).toBe(true);
});

test("a name inside a sentence announces nothing", () => {
    expect(names(["This Replaces: node-1"]).every(([, announced]) => !announced)).toBe(true);
});

test("the label announces everything", () => {
    expect(names([], ["stateful-change"]).every(([, announced]) => announced)).toBe(true);
    expect(names([], ["documentation"]).some(([, announced]) => announced)).toBe(false);
});

describe("the stacks that a change touches", () => {
    const stacks = ["dev", "prod", "staging"];

    test("are those whose own settings it changes", () => {
        expect(touchedStacks(["Pulumi.prod.yaml", "docs/configuration.md"], stacks)).toEqual(["prod"]);
    });

    test("are all when it changes what they are made of, or something unknown", () => {
        for (const file of ["components/host.ts", "scripts/redis/node.sh", "package-lock.json", "Pulumi.yaml", "new/x"])
            expect(touchedStacks([file], stacks)).toEqual(stacks);
    });

    test("are none when it changes documentation, tests or the lab", () => {
        expect(touchedStacks(["README.md", "tests/lab/lab.ts", "lab/cli.ts", ".github/x.yaml"], stacks)).toEqual([]);
    });

    test("are never ones that don't exist", () => {
        expect(touchedStacks(["Pulumi.gone.yaml"], stacks)).toEqual([]);
    });
});
