import { Action, defineAction } from "../../../lab/api/action";
import { model } from "../../../lab/api/common/model";
import { harness } from "./harness";

const version = "2016-04-28";
let made = 0;
const release: (() => void)[] = [];

const actions: readonly Action[] = [
    defineAction({
        product: "Vpc",
        version,
        name: "CreateThing",
        request: model({ Name: "string", DryRun: "boolean", ClientToken: "string" }),
        response: model({ RequestId: "string", ThingId: "string" }),
        required: ["Name"],
        writes: true,
        handle: async (_request, context) => {
            context.checked();
            made += 1;
            const thingId = `thing-${made}`;
            if (release.length > 0) await new Promise<void>((resolve) => release.push(resolve));
            return { thingId };
        },
    }),
    defineAction({
        product: "Vpc",
        version,
        name: "ListThings",
        request: model({ Name: "string" }),
        response: model({
            RequestId: "string",
            Things: { Thing: [{ Name: "string" }] },
            Flat: ["string"],
            Empty: { Thing: ["string"] },
        }),
        writes: false,
        handle: (_request, { regionId }) => ({
            things: { thing: [{ name: "a<b" }, { name: regionId }] },
            flat: ["x", "y"],
            empty: { thing: [] },
        }),
    }),
    defineAction({
        product: "Vpc",
        version,
        name: "Break",
        request: model({}),
        response: model({ RequestId: "string" }),
        writes: false,
        handle: () => {
            throw new Error("inside");
        },
    }),
];

const create = { Version: version, Action: "CreateThing", Name: "n" };
const list = { Version: version, Action: "ListThings" };

beforeEach(() => {
    made = 0;
    release.length = 0;
});

test("an action that is not there yet is named, in the answer and in the log", async () => {
    const lab = harness(actions);
    const { status, json } = await lab.call({ Version: version, Action: "CreateVpnGateway" });
    expect(status).toBe(400);
    expect(json["Code"]).toBe("UnsupportedOperation");
    expect(json["Message"]).toContain("CreateVpnGateway of Vpc");
    expect(lab.calls[0]).toMatchObject({ action: "CreateVpnGateway", code: "UnsupportedOperation" });
    expect(lab.calls[0]!.note).toContain("CreateVpnGateway of Vpc");
});

test("an action of a product that the lab has no name for is named with its version", async () => {
    const lab = harness(actions);
    const { status, json } = await lab.call({ Version: "1999-01-01", Action: "CreateThing" });
    expect({ status, code: json["Code"] }).toEqual({ status: 400, code: "UnsupportedOperation" });
    expect(json["Message"]).toContain("CreateThing of version 1999-01-01");
    expect(lab.calls[0]!.note).toContain("CreateThing of version 1999-01-01");
});

test("an error inside is an InternalError, and its cause is in the log only", async () => {
    const lab = harness(actions);
    const { status, json, text } = await lab.call({ Version: version, Action: "Break" });
    expect(status).toBe(500);
    expect(json["Code"]).toBe("InternalError");
    expect(text).not.toContain("inside");
    expect(lab.calls[0]!.note).toContain("inside");
});

test("a dry run changes nothing and says so", async () => {
    const lab = harness(actions);
    const { status, json } = await lab.call({ ...create, DryRun: "true" });
    expect(status).toBe(400);
    expect(json["Code"]).toBe("DryRunOperation");
    expect(made).toBe(0);
    expect((await lab.call({ ...create, DryRun: "true", Name: "" })).json["Code"]).toBe("MissingParameter");
});

describe("a client token", () => {
    test("answers a repetition with the first answer", async () => {
        const lab = harness(actions);
        const first = await lab.call({ ...create, ClientToken: "t" });
        const second = await lab.call({ ...create, ClientToken: "t" });
        expect(second.json["ThingId"]).toBe(first.json["ThingId"]);
        expect(second.json["RequestId"]).not.toBe(first.json["RequestId"]);
        expect(made).toBe(1);
        expect((await lab.call({ ...create, ClientToken: "other" })).json["ThingId"]).toBe("thing-2");
    });

    test("belongs to its parameters", async () => {
        const lab = harness(actions);
        await lab.call({ ...create, ClientToken: "t" });
        const { json } = await lab.call({ ...create, Name: "m", ClientToken: "t" });
        expect(json["Code"]).toBe("IdempotentParameterMismatch");
    });

    test("makes duplicates wait for the one that runs", async () => {
        const lab = harness(actions);
        release.push(() => undefined);
        const calls = [1, 2, 3].map(() => lab.call({ ...create, ClientToken: "t" }));
        await new Promise((resolve) => setTimeout(resolve, 20));
        for (const resolve of release) resolve();
        const answers = await Promise.all(calls);
        expect(new Set(answers.map(({ json }) => json["ThingId"])).size).toBe(1);
        expect(made).toBe(1);
    });

    test("is forgotten after a day, and not used up by a failure", async () => {
        const lab = harness(actions);
        await lab.call({ ...create, Name: "", ClientToken: "t" });
        await lab.call({ ...create, ClientToken: "t" });
        expect(made).toBe(1);
        lab.advance(25 * 3600_000);
        await lab.call({ ...create, ClientToken: "t" });
        expect(made).toBe(2);
    });
});

test("every write is handed to the machine, reads are not", async () => {
    const lab = harness(actions);
    await lab.call(list);
    expect(lab.passes()).toBe(0);
    await lab.call(create);
    expect(lab.passes()).toBe(1);
});

test("the region comes from the parameter, else from the host's name, else from the lab", async () => {
    const lab = harness(actions);
    const region = async (parameters: Record<string, string>, host: string) => {
        const { json } = await lab.call({ ...list, ...parameters }, { headers: { host } });
        return (json as { Things: { Thing: { Name: string }[] } }).Things.Thing[1]!.Name;
    };
    expect(await region({ RegionId: "eu-central-1" }, "vpc.cn-beijing.aliyuncs.com")).toBe("eu-central-1");
    expect(await region({ regionId: "eu-central-1" }, "127.0.0.1:8070")).toBe("eu-central-1");
    expect(await region({}, "vpc.cn-beijing.aliyuncs.com")).toBe("cn-beijing");
    expect(await region({}, "127.0.0.1:8070")).toBe("cn-hangzhou");
});

test("XML repeats an element for each item of a list", async () => {
    const lab = harness(actions);
    const { text } = await lab.call({ ...list, Format: "XML" });
    expect(text).toMatch(
        /^<\?xml version='1.0' encoding='UTF-8'\?><ListThingsResponse><Things><Thing><Name>a&lt;b<\/Name><\/Thing><Thing><Name>cn-hangzhou<\/Name><\/Thing><\/Things><Flat>x<\/Flat><Flat>y<\/Flat><Empty><\/Empty><RequestId>[0-9A-F-]{36}<\/RequestId><\/ListThingsResponse>$/,
    );
    const error = await lab.call({ ...list, Format: "XML", Action: "Nothing" });
    expect(error.text).toContain("<Error><RequestId>");
    expect(error.text).toContain("<Code>UnsupportedOperation</Code>");
});

test("throttling comes as often as it was asked for", async () => {
    const lab = harness(actions);
    lab.dispatcher.faults.add({ action: "ListThings", count: 2 });
    const codes = [];
    for (let i = 0; i < 3; i += 1) codes.push((await lab.call(list)).json["Code"]);
    expect(codes).toEqual(["Throttling.User", "Throttling.User", undefined]);
});

test("a lost answer leaves the change, and the client token finds it again", async () => {
    const lab = harness(actions);
    lab.dispatcher.faults.add({ action: "CreateThing", when: "after", status: 503, code: "ServiceUnavailable" });
    expect((await lab.call({ ...create, ClientToken: "t" })).status).toBe(503);
    expect((await lab.call({ ...create, ClientToken: "t" })).json["ThingId"]).toBe("thing-1");
    expect(made).toBe(1);
});
