/** Hints at money that could stay. */
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { known, onTypes, type Properties, stackOf, token } from "./resources";

const costlyInstances: ResourceValidationPolicy = {
    name: "costly-instances",
    description:
        "Hosts outside production are no larger than they have to be, and of a family that is still worth its price.",
    enforcementLevel: "advisory",
    configSchema: {
        properties: {
            production: { type: "array", items: { type: "string" }, default: ["prod"] },
            /** Sizes that other stacks do without. */
            largeSizes: { type: "string", default: "^([2-9]|[1-9]\\d+)xlarge$" },
            /** Families that the vendor has succeeded with ones that do more for the same price. */
            oldFamilies: {
                type: "array",
                items: { type: "string" },
                default: ["t5", "g5", "c5", "r5", "sn1ne", "sn2ne", "se1ne", "n4", "mn4", "xn4", "e4"],
            },
        },
    },
    validateResource: onTypes(token.instance, (instance, report, args) => {
        const settings = args.getConfig<{ production: string[]; largeSizes: string; oldFamilies: string[] }>();
        const [, family = "", size = ""] = /^ecs\.([^.]+)\.(.+)$/.exec(String(instance["instanceType"])) ?? [];
        if (settings.oldFamilies.includes(family))
            report(`is of the family ${family}, which newer ones do better at the same price.`);
        if (!settings.production.includes(stackOf(args.urn)) && new RegExp(settings.largeSizes).test(size))
            report(`is a ${size} outside production: would a smaller one do?`);
    }),
};

/** Where the width of a line stands, in Mbit/s, and whether it is paid by the day when nothing says how. */
const lines: readonly (readonly [type: string, width: string, byDefault: boolean])[] = [
    ...token.elasticAddresses.map((type) => [type, "bandwidth", true] as const),
    ["alicloud:vpc/commonBandwithPackage:CommonBandwithPackage", "bandwidth", true],
    ...token.classicBalancers.map((type) => [type, "bandwidth", false] as const),
    ...token.hosts.map((type) => [type, "internetMaxBandwidthOut", false] as const),
];

function isPaidByDay(line: Properties, byDefault: boolean): boolean {
    const charged = known(line, "internetChargeType");
    return typeof charged === "string" ? charged.toLowerCase() === "paybybandwidth" : byDefault;
}

const bandwidth: ResourceValidationPolicy = {
    name: "bandwidth",
    description: "A fixed bandwidth is paid for by the day, used or not.",
    enforcementLevel: "advisory",
    configSchema: { properties: { mbps: { type: "integer", default: 20 } } },
    validateResource: lines.map(([type, width, byDefault]) =>
        onTypes(type, (line, report, args) => {
            const { mbps } = args.getConfig<{ mbps: number }>();
            const wanted = Number(known(line, width));
            if (isPaidByDay(line, byDefault) && wanted > mbps)
                report(`pays for ${wanted} Mbit/s all day long; PayByTraffic costs only what flows.`);
        }),
    ),
};

export const costPolicies = [costlyInstances, bandwidth];
