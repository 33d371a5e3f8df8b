/** The stack with its services switched off, against mocks. */
import type * as pulumi from "@pulumi/pulumi";

import { root } from "../../toolchain/folders";
import type { RecordedResource } from "./upgrade/record";

const services = ["redis", "mysql", "storage", "web", "loadBalancer"];

/** Without some of the services, and with other settings. */
async function record(
    without: readonly string[],
    settings: Readonly<Record<string, unknown>>,
): Promise<RecordedResource[]> {
    const off = Object.fromEntries(without.map((name) => [`multihost:${name}`, { enabled: false }]));
    const { recordProgram } = await import("./upgrade/record");
    return recordProgram(root, { ...off, ...settings });
}

/** Of the program that was recorded last. */
async function outputs(): Promise<Record<string, unknown>> {
    return ((await import("../../index")) as unknown as { default: Record<string, unknown> }).default;
}

// Each test runs the program anew.
beforeEach(() => jest.resetModules());

test("without any of its services the stack is a network, a bastion with an image of its own and a host", async () => {
    const made = await record(services, {
        "multihost:hosts": { count: 1 },
        "multihost:bastion": { imageId: "m-1" },
    });
    const typed = made.map(({ urn }) => urn.split("::").slice(2).join("::"));
    const components = typed.flatMap((name) => /(?:^|\$)multihost:[^:]+:(\w+)::/.exec(name)?.[1] ?? []);
    expect([...new Set(components)].sort()).toEqual(["Bastion", "Host", "Network", "NodePool", "PrivateDns"]);
    const hosts = typed.flatMap((name) => /ecs\/instance:Instance::(.*)$/.exec(name)?.[1] ?? []);
    expect(hosts.sort()).toEqual(["bastion-1", "node-1"]);
    const images = made.flatMap(({ urn, inputs }) => (urn.includes("ecs/instance:") ? [inputs?.["imageId"]] : []));
    expect(images).toEqual(["m-1", "debian_12_5_x64_20G_alibase.vhd"]);
    // The SDK warns of every output that is undefined.
    const told = await outputs();
    expect(Object.keys(told)).toEqual(["hosts", "bastion", "serviceNames", "sharedNetwork", "sharedHosts"]);
    expect(Object.values(told)).not.toContain(undefined);
}, 60_000);

test.each([
    ["nlb", {}, /^http:\/\/[^:/]+$/],
    ["alb", {}, /^https:\/\/[^:/]+$/],
    ["clb", { https: false }, /^http:\/\/[^:/]+$/],
])(
    "behind a balancer of the type %s the site is found by a URL that browsers take",
    async (type, more, url) => {
        await record(["redis", "mysql", "storage"], {
            "multihost:hosts": { count: 1 },
            "multihost:loadBalancer": { type, ...more },
        });
        const { loadBalancerUrl } = (await outputs()) as { loadBalancerUrl: pulumi.Output<string> };
        expect(await new Promise((done) => loadBalancerUrl.apply(done))).toMatch(url);
    },
    60_000,
);
