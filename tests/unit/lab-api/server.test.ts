import http from "node:http";
import https from "node:https";
import net from "node:net";
import StsClient, { AssumeRoleRequest } from "@alicloud/sts20150401";
import { $OpenApiUtil } from "@alicloud/openapi-core";
import RPCClient from "@alicloud/pop-core";
import { ACCESS_KEY_ID, ACCESS_KEY_SECRET, ServedHarness, servedHarness } from "./harness";

let lab: ServedHarness;

beforeAll(async () => {
    lab = await servedHarness();
});

afterAll(() => lab.close());

function popCore(scheme: "http" | "https", secret = ACCESS_KEY_SECRET): RPCClient {
    return new RPCClient({
        accessKeyId: ACCESS_KEY_ID,
        accessKeySecret: secret,
        endpoint: `${scheme}://${lab.endpoint}`,
        apiVersion: "2015-04-01",
        opts: {
            agent: scheme === "http" ? new http.Agent() : new https.Agent({ ca: lab.certificate.authority }),
        },
    });
}

test.each(["http", "https"] as const)("@alicloud/pop-core over %s, GET and POST", async (scheme) => {
    for (const method of ["GET", "POST"]) {
        const identity = await popCore(scheme).request<{ AccountId: string }>("GetCallerIdentity", {}, { method });
        expect(identity.AccountId).toBe("1234567890123456");
    }
});

test.each(["http", "https"] as const)(
    "a request over %s with all its parameters in the URL, as long as user data may be",
    async (scheme) => {
        const parameters = {
            RoleArn: "acs:ram::1234567890123456:role/deployer",
            RoleSessionName: "ci",
            Policy: Buffer.alloc(32 * 1024, 0xff).toString("base64"),
        };
        await popCore(scheme).request("AssumeRole", parameters, { method: "GET" });
    },
);

test("@alicloud/pop-core with a wrong secret", async () => {
    await expect(popCore("http", "wrong").request("GetCallerIdentity", {})).rejects.toMatchObject({
        code: "SignatureDoesNotMatch",
    });
});

test("a client of the current SDK generation (ACS3)", async () => {
    const config = new $OpenApiUtil.Config({
        accessKeyId: ACCESS_KEY_ID,
        accessKeySecret: ACCESS_KEY_SECRET,
        endpoint: lab.endpoint,
        protocol: "HTTP",
    });
    const client = new StsClient(config);
    expect((await client.getCallerIdentity()).body?.accountId).toBe("1234567890123456");
    const assumed = await client.assumeRole(
        new AssumeRoleRequest({
            roleArn: "acs:ram::1234567890123456:role/deployer",
            roleSessionName: "ci.user",
        }),
    );
    const session = assumed.body?.credentials;
    const asRole = new StsClient(
        new $OpenApiUtil.Config({
            endpoint: lab.endpoint,
            protocol: "HTTP",
            accessKeyId: session?.accessKeyId,
            accessKeySecret: session?.accessKeySecret,
            securityToken: session?.securityToken,
        }),
    );
    expect((await asRole.getCallerIdentity()).body?.arn).toContain("assumed-role/deployer/ci.user");
});

test("the location service names the lab for every product", async () => {
    const client = new RPCClient({
        accessKeyId: ACCESS_KEY_ID,
        accessKeySecret: ACCESS_KEY_SECRET,
        endpoint: `http://${lab.endpoint}`,
        apiVersion: "2015-06-12",
    });
    const answer = await client.request("DescribeEndpoints", { Id: "cn-beijing", ServiceCode: "slb" });
    expect(answer).toMatchObject({
        Endpoints: { Endpoint: [{ Type: "openAPI", Endpoint: lab.endpoint, Id: "cn-beijing" }] },
    });
});

test("connections are kept alive, byte by byte arrivals and silent clients do no harm", async () => {
    const silent = net.connect(lab.server.port, "127.0.0.1");
    const slow = net.connect(lab.server.port, "127.0.0.1");
    const received: Buffer[] = [];
    slow.on("data", (chunk: Buffer) => received.push(chunk));
    for (const byte of "GET /_lab/status HTTP/1.1\r\nHost: x\r\n\r\n") {
        slow.write(byte);
        await new Promise((resolve) => setImmediate(resolve));
    }
    slow.write("GET /_lab/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    await new Promise((resolve) => slow.once("close", resolve));
    expect(
        Buffer.concat(received)
            .toString()
            .match(/\{"name":"test"\}/g),
    ).toHaveLength(2);
    silent.destroy();
});

test("the controls need the lab's key", async () => {
    const throttle = (key: string) =>
        fetch(`http://${lab.endpoint}/_lab/throttle`, {
            method: "POST",
            headers: { "x-lab-key": key },
            body: JSON.stringify({ action: "GetCallerIdentity" }),
        });
    expect((await throttle("no")).status).toBe(403);
    expect((await throttle(ACCESS_KEY_SECRET)).status).toBe(200);
    await expect(popCore("http").request("GetCallerIdentity", {})).rejects.toMatchObject({ code: "Throttling.User" });
    await popCore("http").request("GetCallerIdentity", {});
});

test("the ROA style is refused with a clear error", async () => {
    const response = await fetch(`http://${lab.endpoint}/clusters`, { headers: { authorization: "acs a:b" } });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ Code: "UnsupportedOperation" });
});
