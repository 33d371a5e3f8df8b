import { ActionTable } from "../../../lab/api/action";
import { commonActions } from "../../../lab/api/common";
import { Credentials } from "../../../lab/api/credentials";
import { actions as alb } from "../../../lab/api/alb";
import { actions as cas } from "../../../lab/api/cas";
import { actions as ecs } from "../../../lab/api/ecs";
import { productOfVersion } from "../../../lab/api/products";
import { actions as vpc } from "../../../lab/api/vpc";
import { harness } from "./harness";

const common = commonActions({ credentials: new Credentials("k", "s", "1"), endpoint: () => "" });
const actions = [...common, ...alb, ...cas, ...ecs, ...vpc];

test("no action is declared twice", () => {
    expect([...{ [Symbol.iterator]: () => new ActionTable(actions)[Symbol.iterator]() }]).toHaveLength(actions.length);
});

test.each(actions.map((action) => [`${action.product} ${action.name}`, action] as const))("%s", (_name, action) => {
    expect(productOfVersion(action.version)).toBe(action.product);
    const names = new Set(Object.values(action.request.names()).map((name) => name.split(".")[0]));
    for (const required of action.required ?? []) expect(names).toContain(required.split(".")[0]);
    expect(Object.values(action.response.names())).toContain("RequestId");
    expect(action.writes).toBe(!/^(Describe|List|Get|Query|Assume)/.test(action.name));
});

test("every action answers a call without parameters as the cloud would: never with an error of its own", async () => {
    const lab = harness([...alb, ...cas, ...ecs, ...vpc]);
    for (const { version, name, writes } of actions) {
        const { json } = await lab.call({ Version: version, Action: name, ...(writes && { DryRun: "true" }) });
        expect({ name, code: json["Code"] }).not.toEqual({ name, code: "InternalError" });
        expect(json["RequestId"]).toEqual(expect.any(String));
    }
});

test.each(["JSON", "XML"])("every list answers in %s when it is empty", async (Format) => {
    const lab = harness([...alb, ...cas, ...ecs, ...vpc]);
    for (const { version, name, writes, required } of actions) {
        if (writes || (required ?? []).length > 0) continue;
        const { status, text } = await lab.call({ Version: version, Action: name, RegionId: "cn-hangzhou", Format });
        if (status === 200) expect(text).toContain(Format === "JSON" ? '"RequestId":"' : `<${name}Response>`);
    }
});
