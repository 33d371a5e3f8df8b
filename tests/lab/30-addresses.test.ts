/** Public addresses of the shared stack: an EIP that changes hands, and what a user sees of a change behind the stack's back. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { HostView } from "../../lab/view";
import { api, lab, labOutput, onHost, status, upChanges, type Change } from "./lab";

jest.setTimeout(180_000);

const run = promisify(execFile);
const call = api();

interface Permission {
    readonly PortRange: string;
    readonly SourceCidrIp: string;
}

let region: string;
let bastion: HostView;
let node: HostView;
let address: string;
let allocation: string;
/** Host keys as the hosts themselves have them, by host. */
const keys: Record<string, string> = {};
/** Group of the bastion and of the node, and what admits administrators to the first. */
let groups: { bastion: string; node: string };
let adminRule: Record<string, string>;

async function groupOf(instanceId: string): Promise<string> {
    const { Instances } = (await call("Ecs", "DescribeInstances", {
        RegionId: region,
        InstanceIds: JSON.stringify([instanceId]),
    })) as { Instances: { Instance: { SecurityGroupIds: { SecurityGroupId: string[] } }[] } };
    return Instances.Instance[0]!.SecurityGroupIds.SecurityGroupId[0]!;
}

/** The host key that SSH shows at the EIP; undefined when nobody answers. */
async function identity(): Promise<string | undefined> {
    const { stdout } = await run("ssh-keyscan", ["-T", "3", "-t", "ed25519", address]).catch(() => ({ stdout: "" }));
    return stdout.split(" ")[2]?.trim();
}

function associate(
    action: "AssociateEipAddress" | "UnassociateEipAddress",
    { instanceId }: HostView,
): Promise<unknown> {
    return call("Vpc", action, {
        RegionId: region,
        AllocationId: allocation,
        InstanceId: instanceId,
        InstanceType: "EcsInstance",
    });
}

beforeAll(async () => {
    const view = status();
    region = view.region;
    bastion = view.hosts.find(({ publicAddress }) => publicAddress !== "")!;
    node = view.hosts.find(({ name }) => name === "node-1")!;
    address = bastion.publicAddress;
    const { EipAddresses } = (await call("Vpc", "DescribeEipAddresses", {
        RegionId: region,
        EipAddress: address,
    })) as { EipAddresses: { EipAddress: { AllocationId: string }[] } };
    allocation = EipAddresses.EipAddress[0]!.AllocationId;
    for (const { name } of [bastion, node]) {
        const { stdout } = await onHost(name, "cat /etc/ssh/ssh_host_ed25519_key.pub");
        keys[name] = stdout.split(" ")[1]!;
    }
    groups = { bastion: await groupOf(bastion.instanceId), node: await groupOf(node.instanceId) };
    const { Permissions } = (await call("Ecs", "DescribeSecurityGroupAttribute", {
        RegionId: region,
        SecurityGroupId: groups.bastion,
        Direction: "ingress",
    })) as { Permissions: { Permission: Permission[] } };
    const admin = Permissions.Permission.find(({ PortRange }) => PortRange === "22/22")!;
    adminRule = { RegionId: region, IpProtocol: "tcp", PortRange: "22/22", SourceCidrIp: admin.SourceCidrIp };
});

it("an EIP that is moved leads to the other host, as far as that host's security group admits, and back", async () => {
    expect(await identity()).toBe(keys[bastion.name]);
    await expect(associate("AssociateEipAddress", node)).rejects.toThrow("IncorrectEipStatus");

    await associate("UnassociateEipAddress", bastion);
    expect(await identity()).toBeUndefined();
    try {
        await associate("AssociateEipAddress", node);
        const moved = status().hosts;
        expect(moved.find(({ name }) => name === node.name)!.publicAddress).toBe(address);
        expect(moved.find(({ name }) => name === bastion.name)!.publicAddress).toBe("");
        // Only the bastion's group admits whoever comes from outside.
        expect(await identity()).toBeUndefined();
        const rule = { ...adminRule, SecurityGroupId: groups.node };
        await call("Ecs", "AuthorizeSecurityGroup", rule);
        try {
            expect(await identity()).toBe(keys[node.name]);
            // Directly now, with the host key that was seen through the bastion.
            const { code, stdout } = await onHost(node.name, "echo $SSH_CONNECTION; hostname");
            const [connection = "", hostname] = stdout.trim().split("\n");
            expect({ code, hostname }).toEqual({ code: 0, hostname: node.name });
            expect(connection.split(" ")[0]).not.toBe(bastion.privateAddress);
        } finally {
            await call("Ecs", "RevokeSecurityGroup", rule);
        }
        await associate("UnassociateEipAddress", node);
    } finally {
        await associate("AssociateEipAddress", bastion);
    }

    expect(await identity()).toBe(keys[bastion.name]);
    const { code, stdout } = await onHost(node.name, "echo $SSH_CONNECTION");
    expect({ code, from: stdout.split(" ")[0] }).toEqual({ code: 0, from: bastion.privateAddress });
    const { code: unchanged } = await lab(["pulumi", "refresh", "--yes", "--skip-preview", "--expect-no-changes"]);
    expect(unchanged).toBe(0);
});

it("a binding and a rule that someone took away are reported by refresh, and put back by up", async () => {
    await associate("UnassociateEipAddress", bastion);
    await call("Ecs", "RevokeSecurityGroup", { ...adminRule, SecurityGroupId: groups.bastion });
    expect(await identity()).toBeUndefined();

    let drift: string;
    let changes: Change[];
    try {
        drift = await labOutput(["pulumi", "refresh", "--preview-only"]);
    } finally {
        // Without its way in, no later test of the shared stack could do anything but wait.
        changes = await upChanges({ refresh: true });
    }
    const gone = drift.split("\n").filter((line) => /^ - .* delete *$/.test(line));
    expect(gone).toHaveLength(2);
    expect(gone.join("\n")).toMatch(/EipAssociation bastion-1 /);
    expect(gone.join("\n")).toMatch(/SecurityGroupRule main-bastion-ingress-tcp-22-/);
    // The bastion has the rule under its own name as well.
    expect(drift).toContain("SecurityGroupRule bastion-bastion-ingress-tcp-22-");
    expect(drift).toContain("3 to delete");

    expect(changes.map(({ operation, type }) => `${operation} ${type}`).sort()).toEqual([
        "create alicloud:ecs/eipAssociation:EipAssociation",
        "create alicloud:ecs/securityGroupRule:SecurityGroupRule",
        "create alicloud:ecs/securityGroupRule:SecurityGroupRule",
    ]);
    expect(await identity()).toBe(keys[bastion.name]);
    expect((await onHost(node.name, "true")).code).toBe(0);
});
