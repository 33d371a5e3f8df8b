import { CloudError } from "../../../lab/api/errors";
import { answerProblems, parseRequest } from "../../../lab/api/wire";
import { model } from "../../../lab/api/common/model";
import { regionOfHost, regionOfZone, regions } from "../../../lab/api/regions";

const response = model({
    RequestId: "string",
    Count: "number",
    Things: { Thing: [{ Name: "string", On: "boolean" }] },
    Ids: ["string"],
});

test.each([
    [{ RequestId: "r", Count: 1, Things: { Thing: [{ Name: "a", On: true }] }, Ids: ["x"] }, []],
    [{ Count: "1" }, ["Count is a string, not a number"]],
    [{ Count: null }, ["Count is null"]],
    [{ Other: 1 }, ["Other is not in Model"]],
    [{ Things: [] }, ["Things is not an object"]],
    [{ Things: { Thing: {} } }, ["Things.Thing is not a list"]],
    [{ Things: { Thing: [{ On: "true" }] } }, ["Things.Thing[0].On is a string, not a boolean"]],
    [{ Ids: [1] }, ["Ids[0] is a number, not a string"]],
])("problems of %j", (body, problems) => {
    expect(answerProblems(response, body)).toEqual(problems);
});

describe("lists and structures as JSON", () => {
    const request = model({
        Permissions: [{ IpProtocol: "string", Port: "number", Open: "boolean", Sources: [{ CidrIp: "string" }] }],
        Settings: { Name: "string", Limits: { Most: "number" } },
        Ids: ["string"],
    });
    const parse = (parameters: Record<string, string>): unknown =>
        parseRequest(request, new Map(Object.entries(parameters)));

    test("have the members that flat parameters have", () => {
        const flat = parse({
            "Permissions.1.IpProtocol": "tcp",
            "Permissions.1.Port": "80",
            "Permissions.1.Open": "true",
            "Permissions.1.Sources.1.CidrIp": "10.0.0.0/8",
            "Settings.Name": "n",
            "Settings.Limits.Most": "3",
            "Ids.1": "a",
        });
        const permission = { IpProtocol: "tcp", Port: 80, Open: true, Sources: [{ CidrIp: "10.0.0.0/8" }] };
        const json = parse({
            Permissions: JSON.stringify([permission]),
            Settings: JSON.stringify({ Name: "n", Limits: { Most: 3 } }),
            Ids: '["a"]',
        });
        expect(json).toEqual({
            permissions: [{ ipProtocol: "tcp", port: 80, open: true, sources: [{ cidrIp: "10.0.0.0/8" }] }],
            settings: { name: "n", limits: { most: 3 } },
            ids: ["a"],
        });
        expect(json).toEqual(flat);
    });

    test("may hold scalars as text or as what they are, and members that are null or that nobody knows", () => {
        const permission = { IpProtocol: 6, Port: "80", Open: "false", Sources: null, Unknown: 1, toString: 1 };
        expect(parse({ Permissions: JSON.stringify([permission]), Ids: "[1,true]" })).toEqual({
            permissions: [{ ipProtocol: "6", port: 80, open: false }],
            ids: ["1", "true"],
        });
    });

    test.each([
        ["Permissions", "[null]"],
        ["Permissions", "[7]"],
        ["Permissions", '[{"Port":"x"}]'],
        ["Permissions", '[{"Port":true}]'],
        ["Permissions", '[{"Open":1}]'],
        ["Permissions", '[{"IpProtocol":{}}]'],
        ["Permissions", '[{"Sources":{}}]'],
        ["Permissions", '[{"Sources":[[]]}]'],
        ["Settings", "[]"],
        ["Settings", "7"],
        ["Settings", '"text"'],
        ["Settings", "{"],
        ["Ids", "[null]"],
    ])("%s=%s is refused", (name, text) => {
        expect(() => parse({ [name]: text })).toThrow(CloudError);
    });
});

describe("regions", () => {
    test("zones are spelled as the cloud spells them", () => {
        const ids = regions.flatMap(({ zones }) => zones.map(({ id }) => id));
        expect(ids).toEqual(
            expect.arrayContaining(["cn-hangzhou-h", "cn-hongkong-b", "ap-southeast-1a", "us-east-1b"]),
        );
        expect(new Set(ids).size).toBe(ids.length);
        expect(regionOfZone("cn-hangzhou-h")!.id).toBe("cn-hangzhou");
        expect(regionOfZone("cn-hangzhou-z")).toBeUndefined();
    });

    test.each([
        ["vpc.cn-beijing.aliyuncs.com", "cn-beijing"],
        ["CN-BEIJING.localhost:8070", "cn-beijing"],
        ["127.0.0.1:8070", undefined],
    ])("%s is in %s", (host, region) => {
        expect(regionOfHost(host)).toBe(region);
    });
});
