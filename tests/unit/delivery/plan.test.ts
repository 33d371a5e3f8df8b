import { failedPlan } from "../../../delivery/engine";
import { type Plan, UNKNOWN, pathParts, planOf, readEvents } from "../../../delivery/plan";
import { component, diagnostic, log, outputs, resource, summary, urn } from "./events";

const plan = (...events: object[]): Plan => planOf(readEvents(log(...events, summary())));

test("a path is taken apart as the engine puts it together", () => {
    expect(pathParts("tags.environment")).toEqual(["tags", "environment"]);
    expect(pathParts("rules[2].ports[0]")).toEqual(["rules", 2, "ports", 0]);
    expect(pathParts('tags["kubernetes.io/name"]')).toEqual(["tags", "kubernetes.io/name"]);
    expect(pathParts('["a\\"b"].c')).toEqual(['a"b', "c"]);
});

test("what stays is counted, components and the stack are not", () => {
    const { changes, unchanged } = plan(
        resource({ op: "same", type: "pulumi:pulumi:Stack", name: "p-dev", custom: false }),
        component("redis"),
        resource({ op: "same", name: "node-1" }),
        resource({ op: "create", name: "node-2" }),
    );
    expect(unchanged).toBe(1);
    expect(changes.map(({ name, operation }) => [name, operation])).toEqual([["node-2", "create"]]);
});

test("providers that nobody asks for come and go untold, and what becomes of them while they stay doesn't", () => {
    const event = (op: string, name = "default_3_106_0"): object =>
        resource({ op, name, type: "pulumi:providers:alicloud", diffs: ["region"] });
    const told = (...events: object[]) => plan(...events).changes.map(({ operation }) => operation);
    expect(told(event("create"), event("delete", "default"))).toEqual([]);
    expect(told(event("update"))).toEqual(["update"]);
    expect(told(event("create", "other-region"))).toEqual(["create"]);
});

test("what the stack only looks at stays as it is while it is the same, and is a change where it wasn't, is another, or was its own", () => {
    const read = (old: object | undefined, id: string): object => {
        const step = { op: "read", name: "main", type: "alicloud:vpc/switch:Switch", new: { id, external: true } };
        const event = resource({ ...step, ...(old !== undefined && { old }) }) as {
            resourcePreEvent: { metadata: { old: object | null } };
        };
        if (old === undefined) event.resourcePreEvent.metadata.old = null;
        return event;
    };
    const operations = (event: object): string[] => plan(event).changes.map(({ operation }) => operation);
    expect(plan(read({ id: "vsw-1", external: true }, "vsw-1"))).toMatchObject({ changes: [], unchanged: 1 });
    expect(operations(read(undefined, "vsw-1"))).toEqual(["read"]);
    expect(operations(read({ id: "vsw-1", external: true }, "vsw-2"))).toEqual(["read"]);
    expect(operations(read({ id: "vsw-1" }, "vsw-1"))).toEqual(["read"]);
});

test("outputs of the stack are compared by name, but for what is masked or not known yet", () => {
    const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "[secret]" };
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    const before = { stays: { a: [1] }, url: "http://a", goes: 1, password: secret, address: "10.0.0.1", open: secret };
    const after = { comes: unknown, stays: { a: [1] }, url: "http://b", password: secret, address: [unknown], open: 1 };
    expect(plan(outputs(before, after)).outputs).toEqual([
        { name: "comes", kind: "added" },
        { name: "goes", kind: "removed" },
        { name: "open", kind: "changed" },
        { name: "url", kind: "changed" },
    ]);
    expect(plan(outputs(null, { a: 1 })).outputs).toEqual([{ name: "a", kind: "added" }]);
    expect(plan().outputs).toEqual([]);
});

describe("lists of objects are compared by their members, which providers give any order", () => {
    const web = (serverId: string, weight: number): object => ({ serverId, type: "ecs", weight });
    const changed = (before: object[], after: object[]): [string, unknown, unknown][] => {
        const size = Math.max(before.length, after.length);
        const kind = { diffKind: "update", inputDiff: true };
        const event = resource({
            op: "update",
            name: "servers",
            detailedDiff: Object.fromEntries(
                Array.from({ length: size }, (_, index) => [`servers[${index}].weight`, kind]),
            ),
            old: { inputs: { servers: before } },
            new: { inputs: { servers: after } },
        });
        return plan(event).changes[0]!.properties.map(({ path, before: old, after: now }) => [path, old, now]);
    };

    test("another weight is that of one server", () => {
        expect(changed([web("i-1", 100), web("i-2", 100)], [web("i-2", 50), web("i-1", 100)])).toEqual([
            ["servers[i-2].weight", 100, 50],
        ]);
    });

    test("one more and one less are whole members", () => {
        expect(changed([web("i-1", 100)], [web("i-1", 100), web("i-2", 50)])).toEqual([
            ["servers[]", undefined, web("i-2", 50)],
        ]);
        expect(changed([web("i-1", 100), web("i-2", 50)], [web("i-2", 50)])).toEqual([
            ["servers[]", web("i-1", 100), undefined],
        ]);
        expect(changed([web("i-1", 100), web("i-1", 100)], [web("i-1", 100)])).toEqual([
            ["servers[]", web("i-1", 100), undefined],
        ]);
    });

    test("a list that gets shorter is named by the provider as a whole, too, and told once", () => {
        const event = resource({
            op: "update",
            name: "servers",
            detailedDiff: {
                servers: { diffKind: "update", inputDiff: false },
                "servers[1].weight": { diffKind: "delete", inputDiff: false },
            },
            old: { inputs: { servers: [web("i-1", 100), web("i-2", 50)] } },
            new: { inputs: { servers: [web("i-1", 100)] } },
        });
        expect(plan(event).changes[0]!.properties.map(({ path }) => path)).toEqual(["servers[]"]);
    });

    test("where only the order differs it is what the engine says", () => {
        expect(changed([web("i-1", 1), web("i-2", 2)], [web("i-2", 2), web("i-1", 1)])).toEqual([
            ["servers[0].weight", 1, 2],
            ["servers[1].weight", 2, 1],
        ]);
    });
});

test("the steps of a replacement are one change, with what forces it", () => {
    const before = { inputs: { imageId: "debian-12", tags: { owner: "a" } } };
    const after = { inputs: { imageId: "debian-13", tags: { owner: "b" } } };
    const difference = {
        keys: ["imageId"],
        detailedDiff: {
            imageId: { diffKind: "update-replace", inputDiff: true },
            "tags.owner": { diffKind: "update", inputDiff: true },
        },
        old: before,
        new: after,
    };
    const { changes } = plan(
        resource({ op: "create-replacement", name: "node-1", ...difference }),
        resource({ op: "replace", name: "node-1", ...difference }),
        resource({ op: "delete-replaced", name: "node-1", old: before }),
    );
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatchObject({
        operation: "replace",
        properties: [
            { path: "imageId", before: "debian-12", after: "debian-13", replaces: true },
            { path: "tags.owner", before: "a", after: "b", replaces: false },
        ],
    });
});

test("a resource that is deleted before it is made again is replaced", () => {
    const { changes } = plan(
        resource({ op: "delete-replaced", name: "eip" }),
        resource({ op: "replace", name: "eip", keys: ["bandwidth"], diffs: ["bandwidth"] }),
        resource({ op: "create-replacement", name: "eip" }),
    );
    expect(changes.map(({ operation }) => operation)).toEqual(["replace"]);
    expect(changes[0]?.properties).toMatchObject([{ path: "bandwidth", replaces: true }]);
});

test("what an earlier replacement has left is no replacement of the one in its place", () => {
    const left = (name: string): object => resource({ op: "delete-replaced", name, old: { id: "i-1", delete: true } });
    const { changes, unchanged } = plan(
        resource({ op: "same", name: "node-1" }),
        left("node-1"),
        resource({ op: "update", name: "node-2", old: { id: "i-2" }, new: { id: "i-2" }, diffs: ["tags"] }),
        left("node-2"),
        left("node-3"),
    );
    expect(changes.map(({ name, operation }) => [name, operation])).toEqual([
        ["node-2", "update"],
        ["node-3", "replace"],
    ]);
    expect(unchanged).toBe(1);
});

test("a resource that takes the place of one that was only looked at is made, and nothing is replaced", () => {
    const steps = { name: "main", type: "alicloud:vpc/switch:Switch", old: { id: "vsw-1", external: true } };
    const made = { ...steps, new: { inputs: { cidrBlock: "10.0.0.0/24" } } };
    const { changes } = plan(
        resource({ op: "create-replacement", ...made }),
        resource({ op: "replace", ...made }),
        resource({ op: "discard-replaced", ...steps }),
    );
    expect(changes).toMatchObject([{ operation: "create", properties: [{ path: "cidrBlock", after: "10.0.0.0/24" }] }]);
});

test("a replacement under another name is one change, also beside something new of the old name", () => {
    const type = "alicloud:ecs/instance:Instance";
    const renamed = { old: { urn: urn(type, "web"), id: "i-1" }, keys: ["zoneId"], diffs: ["zoneId"] };
    const steps = [
        resource({ op: "create-replacement", name: "node", ...renamed }),
        resource({ op: "replace", name: "node", ...renamed }),
        resource({ op: "delete-replaced", name: "web", old: { id: "i-1", retainOnDelete: true } }),
    ];
    const found = (events: object[]): unknown[] =>
        plan(...events).changes.map(({ name, operation, retained }) => [name, operation, retained]);
    expect(found(steps)).toEqual([["node", "replace", true]]);
    expect(found([...steps].reverse())).toEqual([["node", "replace", true]]);
    const create = resource({ op: "create", name: "web" });
    expect(found([create, ...steps])).toEqual([
        ["web", "create", false],
        ["node", "replace", true],
    ]);
});

test("a value that the cloud decides is said to be unknown, at any depth", () => {
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    const { changes } = plan(
        resource({ op: "create", name: "node", new: { inputs: { vpcId: unknown, list: [{ id: unknown }] } } }),
    );
    expect(changes[0]?.properties.map(({ after }) => after)).toEqual([UNKNOWN, [{ id: UNKNOWN }]]);
});

test("a difference against what the provider saw takes the old value from there", () => {
    const { changes } = plan(
        resource({
            op: "update",
            name: "group",
            detailedDiff: { description: { diffKind: "update", inputDiff: false } },
            old: { inputs: {}, outputs: { description: "by hand" } },
            new: { inputs: { description: "planned" } },
        }),
    );
    expect(changes[0]?.properties).toEqual([
        { path: "description", before: "by hand", after: "planned", replaces: false },
    ]);
});

test("a change belongs to the outermost component, also when parents come later in the log", () => {
    const group = component("redis");
    const inner = component("step", { parent: urn("multihost:test:Component", "redis") });
    const { changes } = plan(
        resource({ op: "delete", name: "old", parent: urn("multihost:test:Component", "step") }),
        inner,
        group,
    );
    expect(changes[0]?.component).toEqual({ name: "redis", type: "multihost:test:Component" });
});

test("messages come without colours, progress is left out, errors say what they are about", () => {
    const { errors, warnings } = plan(
        diagnostic("error", "<{%fg 1%}>no such image<{%reset%}>\n", urn("alicloud:ecs/instance:Instance", "node-1")),
        diagnostic("warning", "\u001b[33mdeprecated\u001b[0m"),
        { diagnosticEvent: { severity: "info#err", message: "waiting", color: "never", ephemeral: true } },
    );
    expect(errors).toEqual(["node-1: no such image"]);
    expect(warnings).toEqual(["deprecated"]);
});

test("a policy's finding is kept with its level", () => {
    const { violations } = plan({
        policyEvent: {
            resourceUrn: urn("alicloud:ecs/disk:Disk", "data"),
            message: "not encrypted",
            policyName: "disks-encrypted",
            policyPackName: "multihost",
            enforcementLevel: "mandatory",
        },
    });
    expect(violations).toEqual([
        { policy: "disks-encrypted", mandatory: true, resource: "data", message: "not encrypted" },
    ]);
});

test("a preview that ends with an error says the engine's last words only where its log doesn't tell why", () => {
    const violation = (enforcementLevel: string): object => ({
        policyEvent: { message: "open", policyName: "p", enforcementLevel, resourceUrn: "" },
    });
    const errors = (...events: object[]): readonly string[] =>
        failedPlan(planOf(readEvents(log(...events))), " the last words\n").errors;
    expect(errors(violation("mandatory"), summary())).toEqual([]);
    expect(errors(violation("advisory"), summary())).toEqual(["the last words"]);
    expect(errors(violation("mandatory"))).toEqual(["the last words"]);
    expect(errors(diagnostic("error", "no such image"), summary())).toEqual(["no such image"]);
});

describe("a log", () => {
    test("that ends before its summary is not complete, nor is one whose last line is cut off", () => {
        const whole = log(resource({ op: "create", name: "node" }));
        expect(planOf(readEvents(whole)).complete).toBe(false);
        expect(planOf(readEvents(`${whole}{"sequence":9,"summ`)).complete).toBe(false);
        expect(planOf(readEvents(`${whole}${log(summary())}`)).complete).toBe(true);
    });

    test("with a line that is no JSON is refused with the line's number", () => {
        expect(() => readEvents('{"sequence":1}\nPreviewing update\n{}\n')).toThrow(/line 2 of the event log/);
    });
});
