/** Balancers of the other types, one after the other in front of the shared stack's web servers: what their clients see. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";

import { labPaths } from "../../lab/paths";
import { labEnvironment } from "../prepare";
import { addressesOf, api, eventually, labOutput, outputOn, outputs, status } from "./lab";
import { Load, Site } from "./requests";

jest.setTimeout(300_000);

const program = join(__dirname, "balancers");
const call = api();

interface Settings {
    readonly weights?: Readonly<Record<string, number>>;
    readonly allow?: readonly string[];
    readonly address?: "internet" | "intranet";
    /** @default both web servers */
    readonly hosts?: readonly string[];
}

/** A type of balancer: how the cloud tells which servers of its HTTPS listener are not well. */
interface Type {
    readonly type: "alb";
    readonly unwell: () => Promise<number>;
}

const types: readonly Type[] = [
    {
        type: "alb",
        unwell: async () => {
            const listeners = (await call("Alb", "ListListeners", { ListenerProtocol: "HTTPS" })) as {
                Listeners: { ListenerId: string }[];
            };
            const found = (await call("Alb", "GetListenerHealthStatus", {
                ListenerId: listeners.Listeners[0]!.ListenerId,
            })) as { ListenerHealthStatus: { ServerGroupInfos: { NonNormalServers: unknown[] }[] }[] };
            return found.ListenerHealthStatus[0]!.ServerGroupInfos[0]!.NonNormalServers.length;
        },
    },
];

let base: Readonly<Record<string, unknown>>;
let web: readonly { readonly name: string; readonly address: string; readonly instanceId: string }[];

beforeAll(async () => {
    const found = await outputs();
    const { config } = parse(
        readFileSync(join(labPaths({ ...process.env, ...labEnvironment }).project, "Pulumi.lab.yaml"), "utf8"),
    ) as { config: Record<string, unknown> };
    const cloud = Object.entries(config).filter(([key]) => key.startsWith("alicloud:"));
    const { vpcId } = found["sharedNetwork"] as { vpcId: string };
    const switches = (await call("Vpc", "DescribeVSwitches", { RegionId: "cn-hangzhou", VpcId: vpcId })) as {
        VSwitches: { VSwitch: { VSwitchId: string; ZoneId: string }[] };
    };
    base = {
        ...Object.fromEntries(cloud),
        "balancers:vpcId": vpcId,
        "balancers:vswitches": switches.VSwitches.VSwitch.map(({ VSwitchId, ZoneId }) => ({
            id: VSwitchId,
            zone: ZoneId,
        })),
        "balancers:port": 80,
    };
    web = status()
        .hosts.filter(({ name }) => ["web-1", "web-2"].includes(name))
        .map(({ name, privateAddress, instanceId }) => ({ name, address: privateAddress, instanceId }));
    await Promise.all(web.map(({ name }) => outputOn(name, `echo ${name} >/srv/www/current/who`)));
});

describe.each(types)("a balancer of type $type", ({ type, unwell }) => {
    const file = join(program, `Pulumi.${type}.yaml`);

    function pulumi(...args: readonly string[]): Promise<string> {
        const [command, ...rest] = args;
        const where = ["--cwd", program, "--stack", type];
        return labOutput(["pulumi", command!, ...where, ...rest], { seconds: 240 });
    }

    function configure({ hosts = ["web-1", "web-2"], weights = {}, allow, address = "internet" }: Settings): void {
        const own = {
            "balancers:type": type,
            "balancers:address": address,
            "balancers:hosts": web.filter(({ name }) => hosts.includes(name)),
            "balancers:weights": weights,
            ...(allow !== undefined && { "balancers:allow": allow }),
        };
        const { encryptionsalt } = (parse(readFileSync(file, "utf8")) ?? {}) as { encryptionsalt?: string };
        writeFileSync(file, stringify({ ...(encryptionsalt && { encryptionsalt }), config: { ...base, ...own } }));
    }

    async function up(settings: Settings, ...more: readonly string[]): Promise<string> {
        configure(settings);
        return pulumi("up", "--yes", "--skip-preview", ...more);
    }

    /** Waits until so many servers are found not to be well. */
    const unwellAre = (count: number): Promise<unknown> =>
        eventually(`${count} servers that are not well`, 60, async () => (await unwell()) === count || undefined);

    let site: Site;

    afterAll(() => rmSync(file, { force: true }));

    beforeAll(async () => {
        writeFileSync(file, "");
        await labOutput(["pulumi", "stack", "init", type, "--cwd", program]);
        await up({});
        const found = JSON.parse(await pulumi("stack", "output", "--json")) as Record<string, string>;
        site = new Site(found["url"]!, found["caCertificate"]!, found["address"]);
        await unwellAre(0);
    });

    it("serves HTTPS under the name that the cloud gives it, and sends others there", async () => {
        expect(site.url).toMatch(/^https:\/\/alb-\w+\.cn-hangzhou\.alb\.aliyuncs\.com$/);
        expect((await site.ask()).status).toBe(200);
        expect(await site.ask(`${site.url.replace("https:", "http:")}/a?b=c`)).toMatchObject({
            status: 301,
            location: `${site.url}/a?b=c`,
        });
        expect(await site.askedHosts(10)).toEqual({ "web-1": 5, "web-2": 5 });
    });

    it("loses requests between a server's end and the health check that finds it, and none after", async () => {
        const load = new Load(site);
        try {
            const started = Date.now();
            await eventually("requests", 20, () => Promise.resolve(load.countSince(started) > 20 || undefined));
            expect(load.problemsSince(started)).toEqual([]);
            await outputOn("web-2", "systemctl stop nginx");
            await unwellAre(1);
            const found = Date.now();
            await eventually("more requests", 30, () => Promise.resolve(load.countSince(found) > 30 || undefined));
            expect(load.problemsSince(found)).toEqual([]);
            expect(await site.askedHosts(4)).toEqual({ "web-1": 4 });
            await outputOn("web-2", "systemctl start nginx");
            await unwellAre(0);
            await site.answerFrom("web-2");
            expect(load.problemsSince(found)).toEqual([]);
        } finally {
            await load.stop();
            await outputOn("web-2", "systemctl start nginx");
        }
    });

    it("loses none while a host is taken out, and while it comes back with another weight", async () => {
        const load = new Load(site);
        try {
            const started = Date.now();
            await up({ hosts: ["web-1"] });
            expect(await site.askedHosts(4)).toEqual({ "web-1": 4 });
            await up({ weights: { "web-2": 25 } });
            await unwellAre(0);
            await site.answerFrom("web-2");
            expect(load.countSince(started)).toBeGreaterThan(100);
            expect(load.problemsSince(started)).toEqual([]);
        } finally {
            await load.stop();
        }
        expect(await site.askedHosts(20)).toEqual({ "web-1": 16, "web-2": 4 });
    });

    it("admits only those whom its list names", async () => {
        await up({ weights: { "web-2": 25 }, allow: ["198.51.100.0/24"] });
        await expect(site.ask()).rejects.toThrow();
        await up({ weights: { "web-2": 25 } });
        expect((await site.ask()).status).toBe(200);
    });

    it("within the VPC is found there by its name", async () => {
        await up({ address: "intranet", weights: { "web-2": 25 } });
        const { hostname } = new URL(site.url);
        const addresses = await addressesOf(hostname, "web-1");
        expect(addresses).toHaveLength(2);
        const port = "curl -sk -o /dev/null -w '%{http_code}'";
        // It listens there once its servers are found to be well.
        await eventually("its answer", 30, async () => {
            return (await outputOn("web-1", `${port} https://${hostname}/`)) === "200" || undefined;
        });
    });

    it("is as the program describes it, and leaves nothing", async () => {
        await up({ address: "intranet", weights: { "web-2": 25 } }, "--expect-no-changes");
        await pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes");
        await up({ address: "intranet", weights: { "web-2": 25 } }, "--expect-no-changes");
        await pulumi("destroy", "--yes", "--skip-preview");
        await labOutput(["pulumi", "stack", "rm", type, "--yes", "--cwd", program]);
        for (const [action, list] of [
            ["ListLoadBalancers", "LoadBalancers"],
            ["ListServerGroups", "ServerGroups"],
            ["ListListeners", "Listeners"],
            ["ListRules", "Rules"],
            ["ListAcls", "Acls"],
        ] as const) {
            expect({ action, left: (await call("Alb", action, {}))[list] }).toEqual({ action, left: [] });
        }
    });
});
