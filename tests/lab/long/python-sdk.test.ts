/** Clients in Python, by the vendor's own SDKs as they come from the package index. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { labPaths } from "../../../lab/paths";
import { labEnvironment } from "../../prepare";
import { status } from "../lab";
import { type Python, pythonWith } from "../python";

jest.setTimeout(300_000);

const run = promisify(execFile);
const packages = [
    "aliyun-python-sdk-core==2.16.1",
    "aliyun-python-sdk-slb==3.3.22",
    "alibabacloud-ecs20140526==7.11.8",
];
let python: Python;

beforeAll(async () => {
    python = await pythonWith(...packages);
});

afterAll(() => python.remove());

it("make and take away a balancer as guides do, and find the stack's instances page by page", async () => {
    const { identity, port } = labPaths({ ...process.env, ...labEnvironment });
    const { accessKeyId, accessKeySecret } = JSON.parse(readFileSync(identity, "utf8")) as Record<string, string>;
    const program = run(join(python.bin, "python"), [join(__dirname, "..", "clients", "python_sdk.py")]);
    program.child.stdin!.end(JSON.stringify({ port, accessKeyId, accessKeySecret }));
    const said = JSON.parse((await program).stdout) as Record<string, unknown> & { instances: string[] };
    expect(said).toEqual({
        address: expect.stringMatching(/^127\.77\./) as unknown,
        status: "active",
        charge: "paybytraffic",
        gone: "InvalidLoadBalancerId.NotFound",
        instances: expect.anything() as unknown,
    });
    expect([...said.instances].sort()).toEqual(
        status()
            .hosts.map(({ name }) => name)
            .sort(),
    );
});
