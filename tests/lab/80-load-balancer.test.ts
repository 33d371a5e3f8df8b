/** The balancer of the shared stack, from outside the VPC: what its clients see while hosts come, fail and go. */
import { api, configure, eventually, labOutput, outputOn as run, up, upChanges } from "./lab";
import { Load, sharedSite, type Site } from "./requests";

jest.setTimeout(300_000);

const region = { RegionId: "cn-hangzhou" };

let site: Site;

async function balancerId(): Promise<string> {
    const found = (await api()("Slb", "DescribeLoadBalancers", region)) as {
        LoadBalancers: { LoadBalancer: { LoadBalancerId: string }[] };
    };
    return found.LoadBalancers.LoadBalancer[0]!.LoadBalancerId;
}

/** How the balancer finds its servers, by private address. */
async function health(): Promise<Record<string, string>> {
    const found = (await api()("Slb", "DescribeHealthStatus", {
        ...region,
        LoadBalancerId: await balancerId(),
        ListenerPort: "443",
    })) as { BackendServers: { BackendServer: { ServerIp: string; ServerHealthStatus: string }[] } };
    return Object.fromEntries(
        found.BackendServers.BackendServer.map(({ ServerIp, ServerHealthStatus }) => [ServerIp, ServerHealthStatus]),
    );
}

function allHealthy(count: number): Promise<unknown> {
    return eventually(`${count} healthy servers`, 60, async () => {
        const states = Object.values(await health());
        return (states.length === count && states.every((state) => state === "normal")) || undefined;
    });
}

function sign(host: string): Promise<string> {
    return run(host, `echo ${host} >/srv/www/current/who`);
}

beforeAll(async () => {
    site = await sharedSite();
    await Promise.all(["web-1", "web-2"].map(sign));
    await allHealthy(2);
});

it("serves HTTPS with a certificate of the stack's own authority, and sends others there", async () => {
    expect(site.url).toMatch(/^https:\/\/127\.77\./);
    expect((await site.ask()).status).toBe(200);
    expect(await site.ask(`${site.url.replace("https:", "http:")}/a?b=c`)).toMatchObject({
        status: 301,
        location: `${site.url}/a?b=c`,
    });
});

it("shares requests out by weight, and a change of weights touches nothing else", async () => {
    expect(await site.askedHosts(10)).toEqual({ "web-1": 5, "web-2": 5 });
    await configure('loadBalancer.weights["web-1"]', "30");
    await configure('loadBalancer.weights["web-2"]', "10");
    try {
        expect(await upChanges()).toEqual([
            { operation: "update", type: "alicloud:slb/backendServer:BackendServer", name: "balancer" },
        ]);
        expect(await site.askedHosts(40)).toEqual({ "web-1": 30, "web-2": 10 });
    } finally {
        await configure("loadBalancer.weights", undefined);
        await up();
    }
});

it("loses requests between a server's end and the health check that finds it, and none after", async () => {
    const load = new Load(site);
    try {
        const started = Date.now();
        await eventually("requests", 20, () => Promise.resolve(load.countSince(started) > 20 || undefined));
        expect(load.problemsSince(started)).toEqual([]);
        await run("web-2", "systemctl stop nginx");
        await eventually(
            "one server is unhealthy",
            60,
            async () => Object.values(await health()).includes("abnormal") || undefined,
        );
        const found = Date.now();
        await eventually("more requests", 30, () => Promise.resolve(load.countSince(found) > 40 || undefined));
        expect(load.problemsSince(found)).toEqual([]);
        expect(await site.askedHosts(4)).toEqual({ "web-1": 4 });

        const repaired = Date.now();
        await run("web-2", "systemctl start nginx");
        await allHealthy(2);
        await site.answerFrom("web-2");
        expect(load.problemsSince(repaired)).toEqual([]);
    } finally {
        await load.stop();
        await run("web-2", "systemctl start nginx");
    }
});

it("loses none while a host is added, and none while it is removed again, however long it takes", async () => {
    const load = new Load(site);
    try {
        const started = Date.now();
        await configure("web.count", "3");
        await up();
        await allHealthy(3);
        await sign("web-3");
        await site.answerFrom("web-3");

        const size = 48 * 2 ** 20;
        await run("web-3", `head -c ${size} /dev/zero >/srv/www/current/large`);
        const download = await site.download("/large");
        await configure("web.count", undefined);
        const update = upChanges();
        try {
            await eventually(
                "web-3 is out of the balancer",
                240,
                async () => Object.keys(await health()).length === 2 || undefined,
            );
            expect(await download.finish()).toBe(size);
        } finally {
            await update.catch(() => undefined);
        }
        const changes = (await update).map(({ operation, type }) => `${operation} ${type}`);
        const drained = changes.indexOf("update command:local:Command");
        // Out of the balancer first, then time for what it had begun, then the machine.
        expect(changes.indexOf("update alicloud:slb/backendServer:BackendServer")).toBeLessThan(drained);
        expect(drained).toBeLessThan(changes.indexOf("delete alicloud:ecs/instance:Instance"));
        expect(Object.keys(await health())).toHaveLength(2);
        expect(load.countSince(started)).toBeGreaterThan(100);
        expect(load.problemsSince(started)).toEqual([]);
    } finally {
        await load.stop();
    }
});

it("is as the stack describes it", async () => {
    await up({ expectNoChanges: true });
    await labOutput(["pulumi", "refresh", "--yes", "--skip-preview", "--expect-no-changes"], { seconds: 240 });
    await up({ expectNoChanges: true });
});
