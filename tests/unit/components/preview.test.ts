import { Recorder } from "./recorder";

const recorder = new Recorder({ preview: true });

import { platform } from "./platform";

beforeEach(() => recorder.clear());

describe("a preview, in which nothing that the cloud chooses is known", () => {
    test("is complete: every resource that an update would create is in it", async () => {
        platform(6, 3);
        await recorder.settled();
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

    test("of 100 hosts is complete as well", async () => {
        platform(100, 50);
        await recorder.settled();
        expect(recorder.names("alicloud:ecs/instance:Instance")).toHaveLength(101);
    }, 240_000);
});
