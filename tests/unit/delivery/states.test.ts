import { readEvents } from "../../../delivery/plan";
import { costBasis, costOf, pictureOf } from "../../../delivery/sections";
import { dependenciesOf, exportedResources, statesOf } from "../../../delivery/states";
import { component, log, resource, urn } from "./events";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const instance = "alicloud:ecs/instance:Instance";
const group = "alicloud:ecs/securityGroup:SecurityGroup";
const rule = "alicloud:ecs/securityGroupRule:SecurityGroupRule";
const pool = urn("multihost:compute:NodePool", "node");
const provider = resource({
    op: "same",
    name: "default",
    type: "pulumi:providers:alicloud",
    old: { inputs: { region: "cn-hangzhou" } },
    new: { inputs: { region: "cn-hangzhou" } },
});
const host = (name: string, op: string, more: object = {}): object => {
    const inputs = { instanceType: "ecs.g7.large", systemDiskSize: 40, securityGroups: ["sg-1"], ...more };
    const state = { inputs, outputs: inputs, provider: `${urn("pulumi:providers:alicloud", "default")}::p` };
    return resource({ op, name, type: instance, parent: pool, old: state, new: state });
};
const events = (...some: object[]) =>
    readEvents(log(provider, component("node", { type: "multihost:compute:NodePool" }), ...some));
const names = (resources: readonly { urn: string; type: string }[]): string[] =>
    resources.filter(({ type }) => type === instance).map(({ urn: full }) => full.split("::").at(-1)!);

test("a state holds what is there before, and what will be there after", () => {
    const { before, after } = statesOf(
        events(
            host("kept", "same"),
            host("gone", "delete"),
            host("new", "create"),
            host("again", "create-replacement"),
            host("again", "replace"),
            host("again", "delete-replaced"),
        ),
    );
    expect(names(before)).toEqual(["kept", "gone", "again"]);
    expect(names(after)).toEqual(["kept", "new", "again"]);
});

test("what is replaced under another name is there once before, under the name that it had", () => {
    const old = { urn: urn(instance, "web") };
    const { before, after } = statesOf(
        events(
            resource({ op: "create-replacement", name: "node", old }),
            resource({ op: "replace", name: "node", old }),
            resource({ op: "delete-replaced", name: "web" }),
        ),
    );
    expect(names(before)).toEqual(["web"]);
    expect(names(after)).toEqual(["node"]);
});

test("what is only known after the update is the resource that it comes from, else missing", () => {
    const dependencies = dependenciesOf(
        JSON.stringify({
            resourcePlans: {
                [urn(instance, "new")]: { goal: { propertyDependencies: { securityGroups: [urn(group, "web")] } } },
                [urn(instance, "gone")]: {},
            },
        }),
    );
    const { after } = statesOf(
        events(host("new", "create", { securityGroups: [UNKNOWN], imageId: UNKNOWN })),
        dependencies,
    );
    const made = after.find(({ type }) => type === instance);
    expect(made?.inputs?.["securityGroups"]).toEqual([urn(group, "web")]);
    expect(made?.inputs?.["imageId"]).toBeUndefined();
    expect(made?.id).toBe(urn(instance, "new"));
    expect(dependenciesOf("").size).toBe(0);
});

test("a step that isn't known while a host is new runs what it ran before, or what those named alike run", () => {
    const step = (name: string, op: string, old?: string): object =>
        resource({
            op,
            name,
            type: "command:remote:Command",
            old: { inputs: { create: old } },
            new: { inputs: { create: UNKNOWN, triggers: [`i-${name}`] } },
        });
    const { after } = statesOf(
        events(
            step("redis-node-1", "update", "STEP=redis/node@1 PARAM_A='1'"),
            step("redis-node-7", "create"),
            step("other", "create"),
        ),
    );
    const commands = after.filter(({ type }) => type === "command:remote:Command");
    expect(commands.map(({ inputs }) => inputs?.["create"])).toEqual([
        "STEP=redis/node@1 PARAM_A='1'",
        "STEP=redis/node@1 PARAM_A='1'",
        undefined,
    ]);
});

test("a step of a host that isn't made yet knows its machine by way of the step that waits for it", () => {
    const command = "command:remote:Command";
    const step = (name: string): object =>
        resource({ op: "create", name, type: command, new: { inputs: { create: "c", triggers: [UNKNOWN] } } });
    const { after } = statesOf(
        events(step("redis-node-7"), step("node-7-ready")),
        new Map([
            [urn(command, "redis-node-7"), { triggers: [urn(command, "node-7-ready")] }],
            [urn(command, "node-7-ready"), { triggers: [urn(instance, "node-7")] }],
        ]),
    );
    const machines = after.filter(({ type }) => type === command).map(({ inputs }) => inputs?.["triggers"]);
    expect(machines).toEqual([[urn(instance, "node-7")], [urn(instance, "node-7")]]);
});

test("what stays keeps the id and the outputs that it has, what is replaced gets others", () => {
    const old = { id: "i-1", inputs: { size: 1 }, outputs: { size: 1, zoneId: "z" } };
    const made = { id: "", inputs: { size: 2 }, outputs: {} };
    const of = (op: string): object | undefined =>
        statesOf(events(resource({ op, name: "one", old, new: made }))).after.find(({ type }) => type === instance);
    expect(of("update")).toMatchObject({ id: "i-1", outputs: { size: 2, zoneId: "z" } });
    expect(of("same")).toMatchObject({ id: "i-1", outputs: { zoneId: "z" } });
    expect(of("create-replacement")).toMatchObject({ id: urn(instance, "one"), outputs: { size: 2 } });
});

test("an exported state lacks what only waits for its deletion", () => {
    const resources = [
        { urn: "a", type: "t" },
        { urn: "b", type: "t", delete: true },
    ];
    expect(exportedResources({ deployment: { resources } }).map(({ urn: name }) => name)).toEqual(["a"]);
    expect(exportedResources({})).toEqual([]);
});

test("a host that comes shows in the cost and in the picture, with who may reach it", () => {
    const web = urn(group, "web");
    const states = statesOf(
        events(
            host("node-1", "same"),
            resource({ op: "create", name: "web", type: group, new: { inputs: {} } }),
            host("node-2", "create", { securityGroups: [UNKNOWN] }),
            resource({
                op: "create",
                name: "http",
                type: rule,
                new: {
                    inputs: {
                        type: "ingress",
                        ipProtocol: "tcp",
                        portRange: "80/80",
                        cidrIp: "0.0.0.0/0",
                        securityGroupId: UNKNOWN,
                    },
                },
            }),
        ),
        new Map<string, Record<string, string[]>>([
            [urn(instance, "node-2"), { securityGroups: [web] }],
            [urn(rule, "http"), { securityGroupId: [web] }],
        ]),
    );
    const { cost, section } = costOf(states, () => ({ ...costBasis(), currency: "CNY" }));
    expect(cost!.after).toBeCloseTo(2 * cost!.before, 1);
    expect(section).toContain("CNY a month (+");
    const picture = pictureOf(states, "see there");
    expect(picture.section).toContain("```mermaid\nflowchart LR");
    expect(picture.section).toContain("+ node: host node-2, ecs.g7.large");
    expect(picture.section).toContain("+ internet → node: 80");
    expect(picture.section).toContain("see there");
    expect(picture.dot).toContain("node-2");
});

test("neither is there when nothing of it changes, and an estimate that isn't possible takes nothing else away", () => {
    const states = statesOf(events(host("node-1", "same")));
    expect(costOf(states, costBasis)).toEqual({});
    const slip = (): never => {
        throw new Error("cost/settings.json is no JSON");
    };
    expect(costOf(states, slip).section).toContain("cost/settings.json is no JSON");
    expect(pictureOf(states)).toEqual({});
    const nowhere = statesOf(readEvents(log(host("node-1", "create"))));
    expect(costOf(nowhere, costBasis).section).toContain("Cost: can't be estimated");
});
