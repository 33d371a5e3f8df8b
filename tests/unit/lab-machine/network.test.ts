/** The order of what is done to the machine's network, with a machine that only writes down what it is told. */
import type { DesiredHost, DesiredMachine, DesiredRoute } from "../../../lab/model/desired";
import type { Network } from "../../../lab/net/network";
import { hostOf } from "./hostOf";
import { unitNetwork } from "./unitNetwork";

const ports = { dnsPort: 10053, metadataPort: 10080 };

let network: Network;
let close: () => void;
/** Commands and scripts, in their order. */
let told: string[];
/** What to do before a script that matches has an end. */
let during: { readonly script: RegExp; readonly action: () => Promise<unknown> } | undefined;

beforeEach(() => {
    told = [];
    during = undefined;
    const tell = async (text: string): Promise<string> => {
        told.push(text);
        if (during?.script.test(text) === true) {
            const { action } = during;
            during = undefined;
            await action();
        }
        return "";
    };
    ({ network, close } = unitNetwork(() => ({
        script: tell,
        run: (argv: readonly string[], { input = "" } = {}) => tell(`${argv.join(" ")}\n${input}`),
        attempt: async (argv: readonly string[], { input = "" } = {}) => ({
            code: 0,
            stdout: await tell(`${argv.join(" ")}\n${input}`),
            stderr: "",
        }),
        follow: () => () => undefined,
    })));
});
afterEach(() => close());

/** A host with an interface for each address. */
const host = (id: string, ...addresses: readonly string[]): DesiredHost => ({
    ...hostOf(id),
    nics: addresses.map((primaryIp, deviceIndex) => ({
        id: `eni-${primaryIp}`,
        vpcId: "vpc-unit",
        vswitchId: "vsw",
        mac: "00:16:3e:00:00:01",
        primary: deviceIndex === 0,
        deviceIndex,
        primaryIp,
        secondaryIps: [],
        securityGroupIds: [],
    })),
});
const desired = (hosts: readonly DesiredHost[], routes: readonly DesiredRoute[] = []): DesiredMachine => ({
    vpcs: [
        {
            id: "vpc-unit",
            cidrs: ["10.0.0.0/16"],
            vswitches: [{ id: "vsw", cidr: "10.0.1.0/24", gateway: "10.0.1.253", routeTableId: "vtb" }],
            routeTables: [{ id: "vtb", routes }],
            snat: [],
            dnat: [],
            haVips: [],
        },
    ],
    hosts,
    eips: [],
    securityGroups: [],
    balancers: [],
    zones: [],
    fileSystems: [],
});
/** One pass of the machine's. */
async function apply(machine: DesiredMachine): Promise<void> {
    told = [];
    await network.apply(machine, ports);
    await network.removeStrayLinks();
}
const since = (): string => told.join("\n");

test("an interface that comes as another goes is not taken for wired", async () => {
    await apply(desired([host("a", "10.0.1.1", "10.0.1.2")]));
    await network.plug("a", 1);
    const former = /link add (n\d+) .* name eth1/.exec(since())![1]!;
    expect(network.missing("a")).toEqual([]);
    await apply(desired([host("a", "10.0.1.1"), host("b", "10.0.1.3")]));
    expect(network.missing("b")).toHaveLength(1);
    expect(since()).toContain(`link delete ${former}`);
    expect(since()).not.toContain(`10.0.1.3 dev ${former}`);
    // From now on its number is free.
    await apply(desired([host("a", "10.0.1.1"), host("b", "10.0.1.3"), host("c", "10.0.1.4")]));
    expect(network.missing("c").map(({ device }) => device)).toEqual([former]);
});

test("its number is not free before its link has gone, also when a pass fails between", async () => {
    await apply(desired([host("a", "10.0.1.1", "10.0.1.2")]));
    await network.plug("a", 1);
    const former = /link add (n\d+) .* name eth1/.exec(since())![1]!;
    during = { script: /nft -f/, action: () => Promise.reject(new Error("no table")) };
    await expect(apply(desired([host("a", "10.0.1.1")]))).rejects.toThrow("no table");
    await apply(desired([host("a", "10.0.1.1"), host("b", "10.0.1.3")]));
    expect(network.missing("b").map(({ device }) => device)).not.toContain(former);
});

test("a pass that trusts nothing begins with empty tables, of routes and of ARP", async () => {
    await apply(desired([host("a", "10.0.1.1")]));
    const settling = (): string | undefined => told.find((text) => text.includes("rule flush"));
    for (const type of ["unicast", "blackhole"])
        expect(settling()).toContain(`ip -4 route flush table all type ${type}\n`);
    expect(settling()).toContain("nft delete table arp vpc");
    await apply(desired([host("a", "10.0.1.1"), host("b", "10.0.1.2")]));
    expect(settling()).toBeUndefined();
    network.distrust();
    await apply(desired([host("a", "10.0.1.1")]));
    expect(settling()).toBeDefined();
});

describe("a link that is plugged in while a pass goes on", () => {
    const vpn: DesiredRoute = { cidr: "192.168.0.0/16", nextHop: { kind: "instance", privateIp: "10.0.1.1" } };
    const text = /192\.168\.0\.0\/16 via 10\.0\.1\.1 dev n\d+/;
    const plugging = /link add n\d+/;

    test("has the routes that came meanwhile, and not those that went", async () => {
        await apply(desired([host("a", "10.0.1.1")]));
        during = { script: plugging, action: () => apply(desired([host("a", "10.0.1.1")], [vpn])) };
        await network.plug("a", 1);
        expect(told.at(-1)).toMatch(new RegExp(`route replace ${text.source}`));
        network.forget("a");
        during = { script: plugging, action: () => apply(desired([host("a", "10.0.1.1")])) };
        await network.plug("a", 1);
        expect(told.at(-1)).toMatch(new RegExp(`route delete ${text.source}`));
    });

    test("has the routes of the pass", async () => {
        await apply(desired([host("a", "10.0.1.1")]));
        let plugged: Promise<string> | undefined;
        during = { script: /rule add/, action: () => (plugged = network.plug("a", 1)) };
        await apply(desired([host("a", "10.0.1.1")], [vpn]));
        await plugged;
        expect(told.find((script) => plugging.test(script))).toMatch(text);
    });

    test("is there also when the pass trusts nothing", async () => {
        await apply(desired([host("a", "10.0.1.1")]));
        network.distrust();
        during = { script: /^ip -4 route show/, action: () => network.plug("a", 1) };
        await apply(desired([host("a", "10.0.1.1")]));
        expect(since()).toMatch(plugging);
        expect(network.missing("a")).toEqual([]);
    });
});
