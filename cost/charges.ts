/** What the vendor charges for each type of resource. */

/** Usage that no state and no preview knows. */
export interface Assumptions {
    /** GB that leave each public address to the internet in a month. */
    readonly trafficGb: number;
    /** Capacity units that each load balancer takes on average. */
    readonly balancerUnits: number;
    /** Capacity units that each NAT gateway takes on average. */
    readonly natUnits: number;
    /** GiB that each file system holds. */
    readonly storageGib: number;
    /** Millions of queries for each private zone in a month. */
    readonly queryMillions: number;
}

export const standardAssumptions: Assumptions = {
    trafficGb: 50,
    balancerUnits: 1,
    natUnits: 0.1,
    storageGib: 100,
    queryMillions: 1,
};

/** An item of the price table. */
export interface PricedCharge {
    readonly table: string;
    readonly item: string;
    readonly quantity: number;
    /** The assumption that `quantity` comes from. */
    readonly assumed?: keyof Assumptions;
}

/** An item of the price table, or why a part of a resource has none. */
export type Charge = PricedCharge | { readonly unpriced: string };

type Properties = Readonly<Record<string, unknown>>;
type Charges = (properties: Properties, assumptions: Assumptions) => Charge[];

const text = (value: unknown, otherwise = ""): string =>
    typeof value === "string" && value !== "" ? value : otherwise;

/** `large` is one, `xlarge` two, `4xlarge` eight; undefined for sizes that aren't multiples of `large`. */
export function sizeFactor(size: string): number | undefined {
    const [, times] = /^(\d*)xlarge$/.exec(size) ?? [];
    return size === "large" ? 1 : times === undefined ? undefined : 2 * Number(times === "" ? 1 : times);
}

/** A price for each size where the list has one, else by the family's price. */
const ownTypes = /^ecs\.(t\d|e)-/;

function instanceType(type: string): Charge {
    const [, family = "", size = ""] = /^ecs\.([^.]+)\.(.+)$/.exec(type) ?? [];
    const factor = sizeFactor(size);
    return ownTypes.test(type) || factor === undefined
        ? { table: "instanceType", item: type, quantity: 1 }
        : { table: "instanceFamily", item: family, quantity: factor };
}

function disk(category: unknown, level: unknown, size: unknown): Charge {
    const kind = text(category, "cloud_essd");
    return {
        table: "disk",
        item: kind === "cloud_essd" ? `${kind}_${text(level, "PL1")}` : kind,
        quantity: Number(size),
    };
}

const address = (count = 1): Charge => ({ table: "publicAddress", item: "address", quantity: count });
const traffic = ({ trafficGb }: Assumptions): Charge => ({
    table: "traffic",
    item: "gigabyte",
    quantity: trafficGb,
    assumed: "trafficGb",
});
const line = (chargeType: unknown, bandwidth: unknown, assumptions: Assumptions): Charge =>
    chargeType === "PayByBandwidth"
        ? { unpriced: `a line of ${String(bandwidth)} Mbit/s that is paid by the day` }
        : traffic(assumptions);

const balancerUnits = (table: string, { balancerUnits: quantity }: Assumptions): Charge => ({
    table,
    item: "capacityUnit",
    quantity,
    assumed: "balancerUnits",
});

/** A balancer of the newer kinds has an address in each of its zones. */
function zonal(properties: Properties, table: string, item: string, assumptions: Assumptions): Charge[] {
    const zones = Array.isArray(properties["zoneMappings"]) ? properties["zoneMappings"].length : 1;
    return [
        { table, item, quantity: 1 },
        balancerUnits(table, assumptions),
        ...(text(properties["addressType"]).toLowerCase() === "internet" ? [address(zones), traffic(assumptions)] : []),
    ];
}

const elasticAddress: Charges = ({ internetChargeType, bandwidth }, assumptions) => [
    address(),
    line(internetChargeType ?? "PayByBandwidth", bandwidth, assumptions),
];
const dataDisk: Charges = ({ category, performanceLevel, size }) => [disk(category, performanceLevel, size)];

const byType: Readonly<Record<string, Charges>> = {
    "alicloud:ecs/instance:Instance": (host, assumptions) => [
        text(host["spotStrategy"], "NoSpot") === "NoSpot"
            ? instanceType(text(host["instanceType"]))
            : { unpriced: `a spot price for ${text(host["instanceType"])}` },
        disk(host["systemDiskCategory"], host["systemDiskPerformanceLevel"], host["systemDiskSize"] ?? 40),
        ...(Array.isArray(host["dataDisks"]) ? (host["dataDisks"] as Properties[]) : []).map((one) =>
            disk(one["category"], one["performanceLevel"], one["size"]),
        ),
        ...(Number(host["internetMaxBandwidthOut"] ?? 0) > 0
            ? [line(host["internetChargeType"], host["internetMaxBandwidthOut"], assumptions)]
            : []),
    ],
    "alicloud:ecs/ecsDisk:EcsDisk": dataDisk,
    "alicloud:ecs/disk:Disk": dataDisk,
    "alicloud:ecs/eipAddress:EipAddress": elasticAddress,
    "alicloud:ecs/eip:Eip": elasticAddress,
    "alicloud:vpc/natGateway:NatGateway": (_, { natUnits }) => [
        { table: "natGateway", item: "gateway", quantity: 1 },
        { table: "natCapacity", item: "unit", quantity: natUnits, assumed: "natUnits" },
    ],
    "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer": (balancer, assumptions) => [
        { table: "classicLoadBalancer", item: "balancer", quantity: 1 },
        balancer["instanceChargeType"] === "PayByCLCU"
            ? balancerUnits("classicLoadBalancer", assumptions)
            : { unpriced: `the specification ${text(balancer["loadBalancerSpec"], "slb.s1.small")}` },
        ...(balancer["addressType"] === "internet"
            ? [address(), line(balancer["internetChargeType"] ?? "PayByTraffic", balancer["bandwidth"], assumptions)]
            : []),
    ],
    "alicloud:alb/loadBalancer:LoadBalancer": (balancer, assumptions) =>
        zonal(balancer, "applicationLoadBalancer", text(balancer["loadBalancerEdition"], "Standard"), assumptions),
    "alicloud:nlb/loadBalancer:LoadBalancer": (balancer, assumptions) =>
        zonal(balancer, "networkLoadBalancer", "balancer", assumptions),
    "alicloud:nas/fileSystem:FileSystem": ({ fileSystemType, storageType }, { storageGib }) =>
        text(fileSystemType, "standard") === "standard"
            ? [{ table: "fileStorage", item: text(storageType), quantity: storageGib, assumed: "storageGib" }]
            : [{ unpriced: `a file system of the type ${text(fileSystemType)}` }],
    "alicloud:pvtz/zone:Zone": (_, { queryMillions }) => [
        { table: "privateZone", item: "zone", quantity: 1 },
        { table: "privateZoneQueries", item: "million", quantity: queryMillions, assumed: "queryMillions" },
    ],
};

/** What a resource is charged for; undefined for a type that nothing is known of. */
export function chargesOf(type: string, properties: Properties, assumptions: Assumptions): Charge[] | undefined {
    const charges = byType[type];
    if (charges === undefined) return undefined;
    // A classic balancer has both, and says with the first one only how its capacity is paid.
    const terms = [properties["instanceChargeType"], properties["paymentType"]];
    if (terms.some((one) => one === "PrePaid" || one === "Subscription"))
        return [{ unpriced: "paid in advance, by a contract" }];
    return charges(properties, assumptions);
}
