import { signV1, stringToSignV1 } from "../../../lab/api/signature";
import { ACCESS_KEY_ID, harness } from "./harness";

describe("version 1 signatures", () => {
    test("match the vectors of the official SDKs", () => {
        expect(signV1("accessKeySecret", stringToSignV1("", [["test", "ok"]]))).toBe("jHx/oHoHNrbVfhncHEvPdHXZwHU=");
        const parameters = {
            Version: "",
            Action: "",
            Format: "JSON",
            Timestamp: "mock date",
            SignatureMethod: "HMAC-SHA1",
            SignatureVersion: "1.0",
            SignatureType: "",
            SignatureNonce: "MOCK_UUID",
            AccessKeyId: "accessKeyId",
            RegionId: "regionId",
        };
        expect(signV1("accessKeySecret", stringToSignV1("GET", Object.entries(parameters)))).toBe(
            "7loPmFjvDnzOVnQeQNj85S6nFGY=",
        );
    });

    test.each(["GET", "POST"])("are verified for %s", async (method) => {
        const lab = harness();
        const good = await lab.call({ Action: "GetCallerIdentity", Odd: "a b*c~d+é!'()" }, { method });
        expect(good.status).toBe(200);
        expect(good.json).toMatchObject({ AccountId: "1234567890123456", IdentityType: "Account" });
        expect(good.json["RequestId"]).toMatch(/^[0-9A-F-]{36}$/);
    });

    test("accept HMAC-SHA256 and an empty SignatureType", async () => {
        const lab = harness();
        expect((await lab.call({ Action: "GetCallerIdentity", SignatureType: "" })).status).toBe(200);
        const parameters = {
            Action: "GetCallerIdentity",
            SignatureMethod: "HMAC-SHA256",
            Version: "2015-04-01",
            Format: "JSON",
            Timestamp: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
            SignatureVersion: "1.0",
            SignatureNonce: "sha256",
            AccessKeyId: ACCESS_KEY_ID,
        };
        const signature = signV1("testsecret", stringToSignV1("POST", Object.entries(parameters)), "sha256");
        expect((await lab.call({ ...parameters, Signature: signature })).status).toBe(200);
    });
});

describe("what is refused", () => {
    const identity = { Action: "GetCallerIdentity" };
    const past = new Date(Date.now() - 16 * 60_000).toISOString().replace(/\.\d+Z$/, "Z");

    test.each([
        ["a wrong secret", identity, { secret: "other" }, 400, "SignatureDoesNotMatch"],
        ["an unknown key", { ...identity, AccessKeyId: "LTAIother" }, {}, 404, "InvalidAccessKeyId.NotFound"],
        ["a foreign token", { ...identity, SecurityToken: "x" }, {}, 400, "InvalidSecurityToken.MismatchWithAccessKey"],
        ["no signature", { ...identity, Signature: "" }, {}, 400, "IncompleteSignature"],
        ["another method", { ...identity, SignatureMethod: "MD5" }, {}, 400, "IncompleteSignature"],
        ["an old time", { ...identity, Timestamp: past }, {}, 400, "InvalidTimeStamp.Expired"],
        ["a bad time", { ...identity, Timestamp: "yesterday" }, {}, 400, "InvalidTimeStamp.Format"],
        ["no key", { ...identity, AccessKeyId: "" }, {}, 400, "MissingParameter"],
        ["no action", {}, {}, 400, "MissingParameter"],
        ["a version that no table has", { ...identity, Version: "constructor" }, {}, 400, "InvalidVersion"],
        ["a version that is no date", { ...identity, Version: "2018-13-07" }, {}, 400, "InvalidVersion"],
        [
            "an unknown region",
            { Action: "DescribeVpcs", Version: "2016-04-28", RegionId: "cn-nowhere" },
            {},
            404,
            "InvalidRegionId.NotFound",
        ],
    ])("%s", async (_what, parameters: Record<string, string>, options, status, code) => {
        const answer = await harness().call(parameters, options);
        expect({ status: answer.status, code: answer.json["Code"] }).toEqual({ status, code });
        for (const name of ["Code", "Message", "RequestId", "HostId", "Recommend"])
            expect(answer.json[name]).toEqual(expect.any(String));
    });

    test("says what it would have signed", async () => {
        const { json } = await harness().call(identity, { secret: "other", method: "GET" });
        expect(json["Message"]).toMatch(/server string to sign is:GET&%2F&AccessKeyId%3DLTAItestkey%26Action%3D/);
    });

    test("a nonce a second time", async () => {
        const lab = harness();
        expect((await lab.call({ ...identity, SignatureNonce: "once" })).status).toBe(200);
        expect((await lab.call({ ...identity, SignatureNonce: "once" })).json["Code"]).toBe("SignatureNonceUsed");
    });
});

describe("sessions of AssumeRole", () => {
    const assume = {
        Action: "AssumeRole",
        RoleArn: "acs:ram::1234567890123456:role/deployer",
        RoleSessionName: "ci",
    };

    async function session(lab: ReturnType<typeof harness>): Promise<Record<string, string>> {
        const { json } = await lab.call(assume);
        return json["Credentials"] as Record<string, string>;
    }

    test("sign requests as the role", async () => {
        const lab = harness();
        const { AccessKeyId, AccessKeySecret, SecurityToken } = await session(lab);
        const { json } = await lab.call(
            { Action: "GetCallerIdentity", AccessKeyId: AccessKeyId!, SecurityToken: SecurityToken! },
            { secret: AccessKeySecret! },
        );
        expect(json).toMatchObject({
            IdentityType: "AssumedRoleUser",
            Arn: "acs:ram::1234567890123456:assumed-role/deployer/ci",
        });
    });

    test("need their token, unchanged and not expired", async () => {
        const lab = harness();
        const { AccessKeyId, AccessKeySecret, SecurityToken } = await session(lab);
        const use = async (token: string) => {
            const { json } = await lab.call(
                { Action: "GetCallerIdentity", AccessKeyId: AccessKeyId!, SecurityToken: token },
                { secret: AccessKeySecret! },
            );
            return json["Code"];
        };
        expect(await use("")).toBe("InvalidAccessKeyId.NotFound");
        expect(await use(`${SecurityToken!}x`)).toBe("InvalidSecurityToken.Malformed");
        const other = await session(lab);
        expect(await use(other["SecurityToken"]!)).toBe("InvalidSecurityToken.MismatchWithAccessKey");
        lab.advance(3_600_001);
        expect(await use(SecurityToken!)).toBe("InvalidSecurityToken.Expired");
    });

    test.each([
        [{ ...assume, RoleArn: "role/deployer" }, "InvalidParameter.RoleArn"],
        [{ ...assume, RoleArn: "acs:ram::1:role/deployer" }, "EntityNotExist.Role"],
        [{ ...assume, RoleSessionName: "a b" }, "InvalidParameter.RoleSessionName"],
        [{ ...assume, DurationSeconds: "10" }, "InvalidParameter.DurationSeconds"],
        [{ ...assume, RoleArn: "" }, "MissingParameter"],
    ])("refuse %j with %s", async (parameters, code) => {
        expect((await harness().call(parameters)).json["Code"]).toBe(code);
    });
});
