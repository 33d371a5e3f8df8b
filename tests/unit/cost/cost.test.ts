import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Assumptions, chargesOf, sizeFactor, standardAssumptions } from "../../../cost/charges";
import { main, parseOptions } from "../../../cost/cli";
import { byComponent, type Estimate, estimateOf } from "../../../cost/estimate";
import { priceOf, pricedRegions, type PriceList, readPrices } from "../../../cost/prices";
import { costSection, costTable, money } from "../../../cost/report";
import { parseCostSettings } from "../../../cost/settings";
import type { StackResource } from "../../../delivery/states";
import { root } from "../../../toolchain/folders";

const prices = readPrices();
const urn = (type: string, name: string): string => `urn:pulumi:dev::multihost::${type}::${name}`;
const providerUrn = urn("pulumi:providers:alicloud", "default");
const provider: StackResource = {
    urn: providerUrn,
    type: "pulumi:providers:alicloud",
    custom: true,
    id: "p",
    inputs: { region: "cn-hangzhou" },
};
const pool = urn("multihost:compute:NodePool", "node");
const resource = (type: string, name: string, outputs: Record<string, unknown>, parent = pool): StackResource => ({
    urn: urn(type, name),
    type,
    custom: true,
    parent,
    provider: `${providerUrn}::p`,
    inputs: {},
    outputs,
});
const host = (name: string, instanceType = "ecs.g7.xlarge"): StackResource =>
    resource("alicloud:ecs/instance:Instance", name, {
        instanceType,
        systemDiskCategory: "cloud_essd",
        systemDiskSize: 40,
        internetMaxBandwidthOut: 0,
        instanceChargeType: "PostPaid",
    });
const eip = resource("alicloud:ecs/eipAddress:EipAddress", "bastion-1", { internetChargeType: "PayByTraffic" });

const of = (
    resources: readonly StackResource[],
    options: { currency?: "CNY" | "USD"; region?: string; assumptions?: Assumptions; list?: PriceList } = {},
): Estimate =>
    estimateOf([provider, ...resources], {
        prices: options.list ?? prices,
        currency: options.currency ?? "CNY",
        assumptions: options.assumptions ?? standardAssumptions,
        ...(options.region !== undefined && { region: options.region }),
    });

test("a host is its type and its disk, for 730 hours", () => {
    const estimate = of([host("node-1")]);
    expect(estimate.lines).toEqual([
        expect.objectContaining({ component: "node (NodePool)", table: "instanceFamily", item: "g7", quantity: 2 }),
        expect.objectContaining({ table: "disk", item: "cloud_essd_PL1", quantity: 40 }),
    ]);
    expect(estimate.monthly).toBeCloseTo((2 * 0.52325 + 40 * 0.0021) * 730, 6);
    expect(estimate.regions).toEqual(["cn-hangzhou"]);
    expect([...byComponent(estimate).keys()]).toEqual(["node (NodePool)"]);
});

test("the region and the currency can be chosen", () => {
    const [here, there] = [of([host("node-1")]), of([host("node-1")], { region: "cn-hongkong" })];
    expect(there.monthly - here.monthly).toBeCloseTo(2 * (0.736498 - 0.52325) * 730, 6);
    expect(of([host("node-1")], { currency: "USD" }).monthly).toBeCloseTo(here.monthly / 7, 6);
    expect(priceOf(prices, "natGateway", "gateway", "cn-hangzhou", "USD")?.monthly).toBeCloseTo(0.034 * 730, 6);
    expect(priceOf(prices, "natGateway", "gateway", "cn-zhangjiakou", "USD")?.monthly).toBeCloseTo(0.034 * 730, 6);
    expect(priceOf(prices, "natCapacity", "unit", "cn-heyuan", "USD")?.monthly).toBeCloseTo(0.034 * 730, 6);
    expect(of([host("node-1"), eip], { region: "cn-heyuan" }).unpriced).toMatchObject([
        { reason: expect.stringMatching(/^g7: .*in cn-heyuan$/) as string },
        { reason: expect.stringMatching(/^gigabyte: .*in cn-heyuan$/) as string },
    ]);
    expect(priceOf(prices, "natGateway", "gateway", "eu-central-1", "USD")?.monthly).toBeCloseTo(0.043 * 730, 6);
});

test("where nothing says the region, the error says what does", () => {
    expect(() => estimateOf([host("node-1")], { prices, currency: "CNY", assumptions: standardAssumptions })).toThrow(
        "which region node-1 is in: name one with --region",
    );
});

test("a resource of another provider has no region and no price, and ends no estimate", () => {
    const type = "cloudflare:index/record:Record";
    const theirs: StackResource = {
        ...resource(type, "www", {}),
        provider: `${urn("pulumi:providers:cloudflare", "default")}::p`,
    };
    const row = { resource: "www", type, reason: "the type: cost/prices.yaml has no price for it" };
    expect(of([theirs])).toMatchObject({ monthly: 0, regions: [], unpriced: [row] });
    expect(of([host("node-1"), theirs])).toMatchObject({ regions: ["cn-hangzhou"], unpriced: [row] });
    expect(costTable({ after: of([theirs]) }, prices, standardAssumptions)).toContain("pay-as-you-go, for 730 hours");
});

test("usage is assumed, and said to be", () => {
    const estimate = of([eip]);
    expect(estimate.lines).toContainEqual(
        expect.objectContaining({ table: "traffic", quantity: 50, assumed: "trafficGb" }),
    );
    const silent = of([eip], { assumptions: { ...standardAssumptions, trafficGb: 0 } });
    expect(estimate.monthly - silent.monthly).toBeCloseTo(50 * 0.125 * 7, 6);
});

test("what has no price is named, and never 0", () => {
    const estimate = of([
        resource("alicloud:kvstore/instance:Instance", "cache", {}),
        host("node-1", "ecs.ebmg99.large"),
        resource("alicloud:ecs/eipAddress:EipAddress", "wide", {
            internetChargeType: "PayByBandwidth",
            bandwidth: "5",
        }),
        resource("alicloud:ecs/instance:Instance", "old", { instanceChargeType: "PrePaid" }),
        resource("alicloud:ecs/ecsDisk:EcsDisk", "data", { category: "cloud_essd" }),
    ]);
    expect(estimate.unpriced).toEqual([
        {
            resource: "cache",
            type: "alicloud:kvstore/instance:Instance",
            reason: expect.stringContaining("the type") as string,
        },
        expect.objectContaining({ resource: "node-1", reason: expect.stringContaining("ebmg99") as string }),
        expect.objectContaining({ resource: "wide", reason: expect.stringContaining("5 Mbit/s") as string }),
        expect.objectContaining({ resource: "old", reason: expect.stringContaining("in advance") as string }),
        expect.objectContaining({
            resource: "data",
            reason: expect.stringContaining("known after the update") as string,
        }),
    ]);
    expect(costTable({ after: estimate }, prices, standardAssumptions)).toMatch(/Not priced:\ncache +alicloud:kvstore/);
});

test("a balancer under contract has no list price, however its capacity is paid", () => {
    const type = "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer";
    const estimate = of([resource(type, "edge", { paymentType: "Subscription", instanceChargeType: "PayBySpec" })]);
    expect(estimate.lines).toEqual([]);
    expect(estimate.unpriced).toMatchObject([
        { resource: "edge", reason: expect.stringMatching(/^paid in advance/) as string },
    ]);
});

test("a spot host's type has no list price, its disk has", () => {
    const properties = { instanceType: "ecs.g7.large", systemDiskSize: 40 };
    const charges = (spotStrategy: string) =>
        chargesOf("alicloud:ecs/instance:Instance", { ...properties, spotStrategy }, standardAssumptions);
    expect(charges("SpotAsPriceGo")).toEqual([
        { unpriced: "a spot price for ecs.g7.large" },
        expect.objectContaining({ table: "disk", quantity: 40 }),
    ]);
    expect(charges("NoSpot")).toContainEqual({ table: "instanceFamily", item: "g7", quantity: 1 });
});

test("components, keys, steps and what the stack only looks at are on no bill", () => {
    const estimate = of([
        { urn: pool, type: "multihost:compute:NodePool", custom: false },
        resource("tls:index/privateKey:PrivateKey", "key", {}),
        resource("command:remote:Command", "step", {}),
        resource("alicloud:vpc/switch:Switch", "main", {}),
        { ...host("theirs"), external: true },
    ]);
    expect(estimate).toMatchObject({ monthly: 0, lines: [], unpriced: [] });
});

test("sizes are multiples of large", () => {
    expect(["large", "xlarge", "2xlarge", "13xlarge", "small"].map(sizeFactor)).toEqual([1, 2, 4, 26, undefined]);
});

test.each([
    [
        "alicloud:alb/loadBalancer:LoadBalancer",
        { loadBalancerEdition: "Basic", addressType: "Intranet" },
        ["Basic", "capacityUnit"],
    ],
    [
        "alicloud:nlb/loadBalancer:LoadBalancer",
        { addressType: "Internet", zoneMappings: [{}, {}] },
        ["balancer", "capacityUnit", "address", "gigabyte"],
    ],
    [
        "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer",
        { instanceChargeType: "PayByCLCU", addressType: "internet" },
        ["balancer", "capacityUnit", "address", "gigabyte"],
    ],
    ["alicloud:ecs/eip:Eip", { internetChargeType: "PayByTraffic" }, ["address", "gigabyte"]],
    ["alicloud:nas/fileSystem:FileSystem", { storageType: "Performance" }, ["Performance"]],
    ["alicloud:pvtz/zone:Zone", {}, ["zone", "million"]],
])("%s has prices", (type, properties, items) => {
    const charges = chargesOf(type, properties, standardAssumptions) ?? [];
    expect(charges.map((charge) => ("item" in charge ? charge.item : charge.unpriced))).toEqual(items);
    expect(of([resource(type, "one", properties)]).unpriced).toEqual([]);
});

test("every type of cloud resource that a component makes is priced, or known to be free", () => {
    const folder = join(root, "components");
    const types = readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts"))
        .flatMap((file) => [...readFileSync(join(folder, file), "utf8").matchAll(/new alicloud\.(\w+)\.(\w+)\(/g)])
        .map(([, module, name]) => `alicloud:${module!}/${name![0]!.toLowerCase()}${name!.slice(1)}:${name!}`);
    expect(types.length).toBeGreaterThan(20);
    const unknown = types.filter(
        (type) => !prices.free.includes(type) && chargesOf(type, {}, standardAssumptions) === undefined,
    );
    expect([...new Set(unknown)]).toEqual([]);
});

describe("the price table", () => {
    it("says where each price comes from and of when it is", () => {
        for (const { source, date, prices: listed } of Object.values(prices.tables)) {
            expect(source.length).toBeGreaterThan(10);
            expect(new Date(date).getTime()).toBeLessThan(Date.now());
            expect(Object.keys(listed)).not.toEqual([]);
        }
    });

    it("is refused with all that is wrong", () => {
        const broken = `
exchange: { cnyPerUsd: 0 }
areas: {}
free: []
tables: { one: { title: x, unit: week, currency: EUR, date: yesterday, prices: { moon: { a: 0 } } } }`;
        expect(() => readPrices(broken)).toThrow(
            /exchange\.cnyPerUsd[^]*one\.source[^]*one\.date[^]*one\.unit[^]*one\.currency[^]*one\.checked[^]*one\.prices\.moon: is none[^]*\["a"\]: must/,
        );
    });
});

describe("options", () => {
    const parse = (...words: string[]): ReturnType<typeof parseOptions> =>
        parseOptions(words, {}, parseCostSettings({ currency: "USD" }), pricedRegions(prices));

    it("name a stack, or none", async () => {
        const settings = parseCostSettings({});
        expect(parseOptions([], { PULUMI_STACK: "" }, settings, [])).toMatchObject({ stack: "lab" });
        const said = jest.spyOn(process.stderr, "write").mockReturnValue(true);
        expect(await main(["--stack", ""])).toBe(2);
        expect(said).toHaveBeenCalledWith(expect.stringContaining("--stack is empty"));
        said.mockRestore();
    });

    it("come from the words, then from the team's settings", () => {
        expect(parse()).toMatchObject({ stack: "lab", currency: "USD", assumptions: standardAssumptions, json: false });
        expect(parse("-s", "dev", "--currency", "CNY", "--traffic", "2.5", "--preview")).toMatchObject({
            stack: "dev",
            preview: true,
            currency: "CNY",
            assumptions: { ...standardAssumptions, trafficGb: 2.5 },
        });
    });

    it("are refused with all that is wrong", () => {
        expect(() => parse("--currency", "EUR", "--region", "mars", "--storage", "-1")).toThrow();
        expect(() => parse("--currency", "EUR", "--region", "mars", "--storage=-1")).toThrow(
            /--currency: "EUR"[^]*--region:[^]*cn-hangzhou[^]*--storage: "-1"/,
        );
    });

    it("of the team are checked", () => {
        expect(() => parseCostSettings({ curency: 1, currency: "X", assumptions: { trafficGb: -1, x: 1 } })).toThrow(
            /curency[^]*currency: "X"[^]*assumptions\.trafficGb[^]*assumptions\.x/,
        );
        expect(() => parseCostSettings([])).toThrow("must be an object");
    });
});

describe("the section of a comment", () => {
    const section = (before: StackResource[], after: StackResource[]): string | undefined =>
        costSection({ before: of(before), after: of(after) }, prices, standardAssumptions);

    it("has the total where it shows without unfolding, and what changes by component below", () => {
        const month = of([host("node-1")]).monthly;
        const text = section([host("node-1")], [host("node-1"), host("node-2")]) ?? "";
        expect(text).toContain(
            `<details><summary>Cost: ${money(month)} → ${money(2 * month)} CNY a month (+${money(month)})</summary>`,
        );
        expect(text).toContain(`| node (NodePool) | ${money(month)} | ${money(2 * month)} | +${money(month)} |`);
        expect(text).toContain("Approximations that nobody has compared");
    });

    it("is left out when the bill stays as it is, but not when something unknown comes", () => {
        expect(section([host("node-1")], [host("node-1")])).toBeUndefined();
        const cache = resource("alicloud:kvstore/instance:Instance", "cache", {});
        expect(section([host("node-1")], [host("node-1"), cache])).toMatch(
            /\(0\.00, 1 not priced\)[^]*not priced: cache/,
        );
    });
});
