import { answerProblems } from "../../../lab/api/wire";
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
