import type { RecordedStack } from "../../../lab/pulumi";
import { bastionsOf } from "../../../lab/ssh";
import type { HostView } from "../../../lab/view";

function host(instanceId: string, more: Partial<HostView> = {}): HostView {
    const place = { privateAddress: "10.0.0.1", publicAddress: "", vpc: "vpc-1", zone: "cn-hangzhou-h" };
    return { name: instanceId, instanceId, state: "Running", image: "debian", standIn: false, ...place, ...more };
}

const stack = (name: string, ...ids: string[]): RecordedStack => ({
    name: `organization/shop/${name}`,
    resources: ids.map((id) => ({ type: "alicloud:ecs/instance:Instance", outputs: { id } })),
});

const idsOf = (hosts: readonly HostView[]): string[] => hosts.map(({ instanceId }) => instanceId);

const blue = host("i-blue", { publicAddress: "127.77.0.3" });
const green = host("i-green", { publicAddress: "127.77.0.4" });

test("of two stacks in a VPC each host is reached through its own stack's bastion first", () => {
    const [first, second] = [host("i-web-blue"), host("i-web-green")];
    const hosts = [blue, green, first, second];
    const stacks = [stack("blue", "i-blue", "i-web-blue"), stack("green", "i-web-green", "i-green")];
    expect(idsOf(bastionsOf(first, hosts, stacks))).toEqual(["i-blue", "i-green"]);
    expect(idsOf(bastionsOf(second, hosts, stacks))).toEqual(["i-green", "i-blue"]);
});

test("a host that no stack has made is reached through whichever there is", () => {
    expect(idsOf(bastionsOf(host("i-other"), [blue, green], [stack("blue", "i-blue")]))).toEqual(["i-blue", "i-green"]);
});

test("no way in are hosts without a public address, of another VPC, or that don't run", () => {
    const hosts = [
        host("i-private"),
        host("i-elsewhere", { publicAddress: "127.77.0.5", vpc: "vpc-2" }),
        host("i-stopped", { publicAddress: "127.77.0.6", state: "Stopped" }),
    ];
    expect(bastionsOf(host("i-web"), hosts, [])).toEqual([]);
});
