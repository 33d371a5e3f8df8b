/** What a month of a stack costs, by the price table. */
import { componentOf } from "../delivery/plan";
import type { StackResource } from "../delivery/states";
import { type Assumptions, chargesOf, type PricedCharge } from "./charges";
import { type Currency, priceOf, type PriceList } from "./prices";

/** An item on the estimate. */
export interface Line {
    /** `node (NodePool)`; empty for resources that the program makes itself. */
    readonly component: string;
    readonly resource: string;
    /** Name of a table in prices.yaml, and what it is called there. */
    readonly table: string;
    readonly item: string;
    readonly quantity: number;
    readonly monthly: number;
    /** The assumption that `quantity` comes from. */
    readonly assumed?: keyof Assumptions;
}

/** A resource, or a part of one, that is on the bill and not on the estimate. */
export interface Unpriced {
    readonly resource: string;
    readonly type: string;
    readonly reason: string;
}

export interface Estimate {
    readonly currency: Currency;
    /** Those of resources that have a price. */
    readonly regions: readonly string[];
    readonly monthly: number;
    readonly lines: readonly Line[];
    readonly unpriced: readonly Unpriced[];
}

export interface EstimateOptions {
    readonly prices: PriceList;
    readonly currency: Currency;
    readonly assumptions: Assumptions;
    /** Prices as if everything were there. @default where each resource is */
    readonly region?: string;
}

/** Packages whose resources exist in the state or on hosts only. */
const weightless = new Set(["pulumi", "command", "tls", "random", "time", "local", "multihost"]);

const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);

/** @throws Error when it isn't known where resources are that have a price */
export function estimateOf(resources: readonly StackResource[], options: EstimateOptions): Estimate {
    const { prices, currency, assumptions } = options;
    const parents = new Map(resources.flatMap(({ urn, parent }) => (parent === undefined ? [] : [[urn, parent]])));
    const free = new Set(prices.free);
    const regionOf = regionFinder(resources, options.region);
    const regions = new Set<string>();
    const lines: Line[] = [];
    const unpriced: Unpriced[] = [];
    for (const resource of resources.filter(isCharged)) {
        const { urn, type, inputs, outputs } = resource;
        if (free.has(type)) continue;
        const name = nameOf(urn);
        const component = componentOf(urn, parents);
        const charges = chargesOf(type, { ...inputs, ...outputs }, assumptions) ?? [{ unpriced: "the type" }];
        for (const charge of charges) {
            if ("unpriced" in charge) {
                unpriced.push({ resource: name, type, reason: `${charge.unpriced}: ${noPrice}` });
                continue;
            }
            // Only a price needs a region: resources of another provider have none.
            const region = regionOf(resource);
            regions.add(region);
            const priced = priceOf(prices, charge.table, charge.item, region, currency);
            if (priced === undefined || Number.isNaN(charge.quantity)) {
                unpriced.push({ resource: name, type, reason: reasonOf(charge, region) });
                continue;
            }
            lines.push({
                component: component === undefined ? "" : `${component.name} (${component.type.split(":").at(-1)!})`,
                resource: name,
                ...charge,
                monthly: priced.monthly * charge.quantity,
            });
        }
    }
    const monthly = lines.reduce((sum, line) => sum + line.monthly, 0);
    return { currency, regions: [...regions].sort(), monthly, lines, unpriced };
}

function isCharged({ type, custom, external }: StackResource): boolean {
    return custom === true && external !== true && !weightless.has(type.split(":")[0]!);
}

const noPrice = "cost/prices.yaml has no price for it";

function reasonOf({ item, quantity }: PricedCharge, region: string): string {
    return Number.isNaN(quantity)
        ? `${item}: how much of it there is is known after the update`
        : `${item}: ${noPrice} in ${region}`;
}

function regionFinder(resources: readonly StackResource[], everywhere?: string): (resource: StackResource) => string {
    const providers = new Map(
        resources
            .filter(({ type }) => type === "pulumi:providers:alicloud")
            .map(({ urn, inputs, outputs }) => [urn, outputs?.["region"] ?? inputs?.["region"]]),
    );
    return ({ urn, provider = "" }) => {
        const found = everywhere ?? providers.get(provider.slice(0, provider.lastIndexOf("::")));
        if (typeof found === "string" && found !== "") return found;
        throw new Error(`The state doesn't say which region ${nameOf(urn)} is in: name one with --region.`);
    };
}

/** Sums by component, in the order in which the components are made. */
export function byComponent({ lines }: Estimate): Map<string, number> {
    const sums = new Map<string, number>();
    for (const { component, monthly } of lines) sums.set(component, (sums.get(component) ?? 0) + monthly);
    return sums;
}
