/** Balancers of the other types in front of the shared stack's web servers: what their clients see. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";

import { addressesOf, api, changesIn, cloudSettings, eventually, labOutput, outputOn, outputs, status } from "./lab";
import { datagramsAnsweredBy } from "./datagramClients";
import { Load, Site } from "./requests";

const program = join(__dirname, "balancers");
const call = api();

interface Settings {
    readonly weights?: Readonly<Record<string, number>>;
    readonly allow?: readonly string[];
    readonly address?: "internet" | "intranet";
    /** @default both web servers */
    readonly hosts?: readonly string[];
    /** Of the component. @default its type */
    readonly name?: string;
}

/** A type of balancer, and what the cloud tells of it. */
interface Type {
    readonly type: "alb" | "nlb";
    readonly product: "Alb" | "Nlb";
    readonly name: RegExp;
    /** Protocol of the listener that is asked, as the cloud names it. */
    readonly protocol: string;
    /** What lists everything that belongs to balancers: actions, and the fields of their answers. */
    readonly lists: readonly (readonly [action: string, list: string])[];
}

interface Health {
    readonly ListenerHealthStatus: readonly {
        readonly ServerGroupInfos: readonly { readonly NonNormalServers: unknown[] }[];
    }[];
}

const types: readonly Type[] = [
    {
        type: "alb",
        product: "Alb",
        name: /^https:\/\/alb-\w+\.cn-hangzhou\.alb\.aliyuncs\.com$/,
        protocol: "HTTPS",
        lists: [
            ["ListLoadBalancers", "LoadBalancers"],
            ["ListServerGroups", "ServerGroups"],
            ["ListListeners", "Listeners"],
            ["ListRules", "Rules"],
            ["ListAcls", "Acls"],
        ],
    },
    {
        type: "nlb",
        product: "Nlb",
        name: /^https:\/\/nlb-\w+\.cn-hangzhou\.nlb\.aliyuncs\.com$/,
        protocol: "TCPSSL",
        lists: [
            ["ListLoadBalancers", "LoadBalancers"],
            ["ListServerGroups", "ServerGroups"],
            ["ListListeners", "Listeners"],
        ],
    },
];

let base: Readonly<Record<string, unknown>>;
let web: readonly { readonly name: string; readonly address: string; readonly instanceId: string }[];

/** Answers datagrams on port 5300 with the host's name, until it is stopped. */
function serveDatagrams(host: string): Promise<string> {
    const program = [
        "import socket, sys",
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "s.bind(('', 5300))",
        "while True:",
        "    s.sendto(sys.argv[1].encode(), s.recvfrom(2048)[1])",
    ].join("\n");
    return outputOn(host, `systemd-run -q --collect --unit datagrams python3 -c "${program}" ${host}`);
}

async function setUp(): Promise<void> {
    const found = await outputs();
    const { vpcId } = found["sharedNetwork"] as { vpcId: string };
    const switches = (await call("Vpc", "DescribeVSwitches", { RegionId: "cn-hangzhou", VpcId: vpcId })) as {
        VSwitches: { VSwitch: { VSwitchId: string; ZoneId: string }[] };
    };
    base = {
        ...cloudSettings(),
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
}

/** Declares the tests of a type. */
export function provesBalancer(wanted: Type["type"]): void {
    const { type, product, name, protocol, lists } = types.find((one) => one.type === wanted)!;

    const file = join(program, `Pulumi.${type}.yaml`);

    function pulumi(...args: readonly string[]): Promise<string> {
        const [command, ...rest] = args;
        const where = ["--cwd", program, "--stack", type];
        return labOutput(["pulumi", command!, ...where, ...rest], { seconds: 240 });
    }

    function configure(settings: Settings): void {
        const { hosts = ["web-1", "web-2"], weights = {}, allow, address = "internet", name: named } = settings;
        const own = {
            "balancers:type": type,
            "balancers:address": address,
            "balancers:hosts": web.filter(({ name }) => hosts.includes(name)),
            "balancers:weights": weights,
            ...(allow !== undefined && { "balancers:allow": allow }),
            ...(named !== undefined && { "balancers:name": named }),
        };
        const { encryptionsalt } = (parse(readFileSync(file, "utf8")) ?? {}) as { encryptionsalt?: string };
        writeFileSync(file, stringify({ ...(encryptionsalt && { encryptionsalt }), config: { ...base, ...own } }));
    }

    async function up(settings: Settings, ...more: readonly string[]): Promise<string> {
        configure(settings);
        return pulumi("up", "--yes", "--skip-preview", ...more);
    }

    /** How many servers are not well, as a listener finds them. */
    async function unwell(listenerProtocol: string): Promise<number> {
        const { Listeners } = (await call(product, "ListListeners", {})) as {
            Listeners: { ListenerId: string; ListenerProtocol: string }[];
        };
        const { ListenerId } = Listeners.find((listener) => listener.ListenerProtocol === listenerProtocol)!;
        const health = (await call(product, "GetListenerHealthStatus", { ListenerId })) as unknown as Health;
        return health.ListenerHealthStatus[0]!.ServerGroupInfos[0]!.NonNormalServers.length;
    }

    /** Waits until so many servers are found not to be well. */
    const unwellAre = (count: number, of = protocol): Promise<unknown> =>
        eventually(`${count} servers that are not well`, 60, async () => (await unwell(of)) === count || undefined);

    let site: Site;
    let byAddress: Site;
    let address: string;
    let id: string;

    async function look(): Promise<void> {
        const found = JSON.parse(await pulumi("stack", "output", "--json")) as Record<string, string>;
        address = found["address"]!;
        id = found["id"]!;
        // What the nlb passes on it doesn't read; here it is HTTP.
        byAddress = new Site(found["url"]!.replace(/^tls:/, "https:"), found["caCertificate"]!);
        site = new Site(`https://${found["dnsName"]!}`, found["caCertificate"]!, address);
    }

    afterAll(() => rmSync(file, { force: true }));

    beforeAll(async () => {
        await setUp();
        writeFileSync(file, "");
        await labOutput(["pulumi", "stack", "init", type, "--cwd", program]);
        await up({});
        await look();
        await unwellAre(0);
    });

    it("serves HTTPS at its address, and under the name that the cloud gives it", async () => {
        expect(new URL(byAddress.url).hostname).toBe(address);
        expect((await byAddress.ask()).status).toBe(200);
        expect(site.url).toMatch(name);
        expect((await site.ask()).status).toBe(200);
        expect(await site.askedHosts(10)).toEqual({ "web-1": 5, "web-2": 5 });
    });

    if (type === "alb") {
        it("sends those who come without TLS there", async () => {
            expect(await site.ask(`${site.url.replace("https:", "http:")}/a?b=c`)).toMatchObject({
                status: 301,
                location: `${site.url}/a?b=c`,
            });
        });
    } else {
        it("shares datagrams out, and passes none to a server that says its port is closed", async () => {
            try {
                await Promise.all(web.map((host) => serveDatagrams(host.name)));
                await unwellAre(0, "UDP");
                expect(await datagramsAnsweredBy(address, 5300, 10)).toEqual({ "web-1": 5, "web-2": 5 });
                await outputOn("web-2", "systemctl stop datagrams");
                await unwellAre(1, "UDP");
                expect(await datagramsAnsweredBy(address, 5300, 10)).toEqual({ "web-1": 10 });
            } finally {
                await Promise.all(web.map((host) => outputOn(host.name, "systemctl stop datagrams || true")));
            }
        });
    }

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

    it("keeps its clients when its component is renamed, and renamed back", async () => {
        const load = new Load(site);
        try {
            const started = Date.now();
            for (const renamed of [{ name: "other" }, {}]) {
                const changes = changesIn(await up({ weights: { "web-2": 25 }, ...renamed }, "--json"));
                expect(changes.filter(({ operation }) => operation !== "update")).toEqual([]);
            }
            const former = id;
            await look();
            expect(id).toBe(former);
            expect(load.countSince(started)).toBeGreaterThan(20);
            expect(load.problemsSince(started)).toEqual([]);
        } finally {
            await load.stop();
        }
    });

    it("is another one with everything that it had when it is replaced", async () => {
        const former = id;
        const { deployment } = JSON.parse(await pulumi("stack", "export")) as {
            deployment: { resources: { urn: string; id?: string }[] };
        };
        const { urn } = deployment.resources.find((resource) => resource.id === former)!;
        await up({ weights: { "web-2": 25 } }, "--replace", urn);
        await look();
        expect(id).not.toBe(former);
        const all = (await call(product, "ListLoadBalancers", {}))["LoadBalancers"] as { LoadBalancerId: string }[];
        expect(all.map(({ LoadBalancerId }) => LoadBalancerId)).toEqual([id]);
        await unwellAre(0);
        await site.answerFrom("web-2");
        expect(await site.askedHosts(20)).toEqual({ "web-1": 16, "web-2": 4 });
        await up({ weights: { "web-2": 25 } }, "--expect-no-changes");
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
        for (const [action, list] of lists) {
            expect({ action, left: (await call(product, action, {}))[list] }).toEqual({ action, left: [] });
        }
    });
}
