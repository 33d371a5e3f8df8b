import { Recorder } from "./recorder";

const recorder = new Recorder({ preview: true });

import { Bastion, Connectivity, Network, NodePool, RedisCluster } from "../../../components";

const rules = { data: { ingress: [{ ports: [22, 7000, 17000], roles: ["bastion", "data"] }] }, bastion: {} };

beforeEach(() => recorder.clear());

async function platform(count: number, masters: number): Promise<void> {
    const network = new Network("main", { zones: ["cn-hangzhou-h", "cn-hangzhou-i"], roles: rules });
    const bastion = new Bastion("bastion", { network, adminCidrs: ["198.51.100.0/24"] });
    const pool = new NodePool("node", { network, role: "data", count, bastion });
    const checks = new Connectivity("data", { hosts: pool.hosts, ports: [22, 7000], after: pool.mesh }).checks;
    new RedisCluster("redis", { hosts: pool.hosts, masters }, { dependsOn: [...checks] });
    await recorder.settled();
}

describe("a preview, in which nothing that the cloud chooses is known", () => {
    test("is complete: every resource that an update would create is in it", async () => {
        await platform(6, 3);
        expect(recorder.names("alicloud:ecs/instance:Instance")).toEqual([
            "bastion-1",
            ...[1, 2, 3, 4, 5, 6].map((n) => `node-${n}`),
        ]);
        const steps = recorder.names("command:remote:Command");
        for (const expected of [
            "node-1-ready",
            "node-mesh-node-6",
            "node-mesh-verify-node-6",
            "data-check-node-6",
            "redis-node-6",
            "redis-cluster",
            "bastion-sshd",
        ]) {
            expect(steps).toContain(expected);
        }
        expect(recorder.find("alicloud:vpc/switch:Switch", "main-cn-hangzhou-i").inputs).toMatchObject({
            cidrBlock: "10.0.16.0/20",
            zoneId: "cn-hangzhou-i",
        });
    });

    test("of 100 hosts takes seconds", async () => {
        const started = Date.now();
        await platform(100, 50);
        console.info(
            `preview of 100 hosts with mocks: ${recorder.resources.length} resources in ${((Date.now() - started) / 1000).toFixed(1)} s`,
        );
        expect(recorder.names("alicloud:ecs/instance:Instance")).toHaveLength(101);
    }, 60_000);
});
