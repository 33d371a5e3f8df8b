/** The stack with its services switched off, against mocks. */
import { root } from "../../toolchain/folders";
import { recordProgram } from "./upgrade/record";

const services = ["redis", "mysql", "storage", "web", "loadBalancer"];

test("without any of its services the stack is a network, a bastion with an image of its own and a host", async () => {
    const off = Object.fromEntries(services.map((name) => [`multihost:${name}`, { enabled: false }]));
    const made = await recordProgram(root, {
        ...off,
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
    const { default: outputs } = (await import("../../index")) as unknown as { default: Record<string, unknown> };
    expect(Object.keys(outputs)).toEqual(["hosts", "bastion", "serviceNames", "sharedNetwork", "sharedHosts"]);
    expect(Object.values(outputs)).not.toContain(undefined);
}, 60_000);
