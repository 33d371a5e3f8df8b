import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

import { PlatformMocks } from "../../../testing";
import { Recorder, valueOf } from "./recorder";

new Recorder();

import { Bastion, LoadBalancer, Network, NodePool, SharedStorage } from "../../../components";
import { certificateName } from "../../../components/loadBalancer/certificate";
import { physicalName, shortened } from "../../../components/tags";

test("a name that fits stays, and longer ones stay apart although their ends are cut off", () => {
    expect(physicalName("files")).toBe("project-stack-files");
    expect(physicalName("f".repeat(50), 64)).toBe(`project-stack-${"f".repeat(50)}`);
    const long = `${"f".repeat(60)}-`;
    const digest = createHash("sha256").update(`project-stack-${long}a`).digest("hex").slice(0, 8);
    expect(physicalName(`${long}a`, 64)).toBe(`project-stack-${"f".repeat(41)}-${digest}`);
    for (const longest of [48, 64, undefined]) {
        const names = ["a", "b"].map((end) => physicalName(`${"f".repeat(200)}-${end}`, longest));
        expect(names.map(({ length }) => length)).toEqual(Array(2).fill(longest ?? 128));
        expect(names[0]).not.toBe(names[1]);
    }
    expect(shortened("entry-443", 9)).toBe("entry-443");
});

test("certificates of two listeners whose names are long have two names, which the service takes", async () => {
    const given = { certificate: "PEM", privateKey: "KEY" };
    const [one, two] = await Promise.all(
        ["443", "8443"].map((port) => valueOf(certificateName(physicalName(`${"b".repeat(40)}-${port}`), given))),
    );
    expect(one).not.toBe(two);
    for (const name of [one!, two!]) expect(name.length).toBeLessThanOrEqual(64);
});

describe("in a project whose name begins with no letter", () => {
    test("names begin with one, fit, and are no other project's", async () => {
        for (const longest of [48, 64, undefined]) {
            const names: string[] = [];
            for (const project of ["2fa", "p2fa", "p-2fa", "_2fa", ".2fa", "2fb"]) {
                await pulumi.runtime.setMocks(new PlatformMocks(), project, "stack");
                names.push(physicalName("files", longest), physicalName("f".repeat(200), longest));
            }
            for (const name of names) {
                expect(name).toMatch(/^[A-Za-z][A-Za-z0-9_-]+$/);
                expect(name.length).toBeLessThanOrEqual(longest ?? 128);
            }
            expect(new Set(names).size).toBe(names.length);
        }
    });

    test("the cloud takes the names of everything that is made", async () => {
        const mocks = new PlatformMocks();
        await pulumi.runtime.setMocks(mocks, "2fa-platform", "1");
        const network = new Network("main", {
            zones: ["cn-hangzhou-h", "cn-hangzhou-i"],
            ownRouteTable: true,
            roles: { data: {}, bastion: {} },
        });
        const bastion = new Bastion("bastion", { network, adminCidrs: ["198.51.100.0/24"] });
        const { hosts } = new NodePool("node", { network, role: "data", count: 2, bastion });
        const { vpcId, vswitches } = network;
        new SharedStorage("files", { engine: "nas", clients: hosts, vpcId, vswitchId: vswitches[0]!.id });
        const common = { address: "internet", hosts, vpcId, vswitches } as const;
        const encrypted = { port: 443, hostPort: 80, allow: ["198.51.100.0/24"] };
        const clb = { type: "clb", address: "internet", hosts } as const;
        new LoadBalancer("classic", { ...clb, listeners: [{ protocol: "https", ...encrypted }] });
        new LoadBalancer("application", { type: "alb", ...common, listeners: [{ protocol: "https", ...encrypted }] });
        new LoadBalancer("network", { type: "nlb", ...common, listeners: [{ protocol: "tls", ...encrypted }] });
        await waitFor(mocks);
        const named = mocks.resources.flatMap(({ type, inputs }) =>
            Object.entries(inputs as object).flatMap(([key, value]) =>
                type.startsWith("alicloud:") && /^(name|description)$|Name$|Description$/.test(key)
                    ? [`${type} ${key}: ${String(value)}`]
                    : [],
            ),
        );
        expect(named.length).toBeGreaterThan(40);
        expect(named.filter((line) => !/: [A-Za-z]/.test(line))).toEqual([]);
    });
});

/** Until nothing more is asked for. */
async function waitFor({ resources }: PlatformMocks): Promise<void> {
    for (let idle = 0, count = -1; idle < 5; idle = count === resources.length ? idle + 1 : 0) {
        count = resources.length;
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}
