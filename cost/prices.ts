/** The price table, `prices.yaml`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export const currencies = ["CNY", "USD"] as const;
export type Currency = (typeof currencies)[number];

/** Hours of a month, as clouds count them: 365 days in 12 months. */
export const HOURS = 730;

/** How many of a table's units a month has; a `piece` is counted by what is used in it. */
const perMonth = { hour: HOURS, day: HOURS / 24, month: 1, piece: 1 } as const;

/** Prices of one kind, from one source. */
export interface PriceTable {
    /** What is priced. */
    readonly title: string;
    readonly unit: keyof typeof perMonth;
    readonly currency: Currency;
    readonly source: string;
    /** When the source had these prices: `2024-10-09`. */
    readonly date: string;
    /** Whether they were read from the vendor; otherwise they approximate its list. */
    readonly checked: boolean;
    /** Prices of items by area; those of `any` hold where an area has none of its own. */
    readonly prices: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface PriceList {
    readonly exchange: { readonly cnyPerUsd: number; readonly source: string; readonly date: string };
    readonly areas: Readonly<Record<string, readonly string[]>>;
    readonly tables: Readonly<Record<string, PriceTable>>;
    /** Types of resources that cost nothing. */
    readonly free: readonly string[];
}

/** A month of an item. */
export interface Price {
    readonly table: string;
    readonly monthly: number;
}

/** Reads the table. @throws Error that lists what is wrong with it */
export function readPrices(text = readFileSync(join(__dirname, "prices.yaml"), "utf8")): PriceList {
    const list = parse(text) as PriceList;
    const problems = [
        ...(list.exchange.cnyPerUsd > 0 ? [] : ["exchange.cnyPerUsd: must be more than 0."]),
        ...Object.entries(list.tables).flatMap(([name, table]) => tableProblems(name, table, list)),
    ];
    if (problems.length > 0) throw new Error(`cost/prices.yaml:\n${problems.map((line) => `  - ${line}`).join("\n")}`);
    return list;
}

function tableProblems(name: string, table: PriceTable, { areas }: PriceList): string[] {
    const at = `tables.${name}`;
    return [
        ...(["title", "source"] as const).filter((key) => !table[key]).map((key) => `${at}.${key}: is missing.`),
        ...(/^\d{4}-\d{2}-\d{2}$/.test(table.date) ? [] : [`${at}.date: must be a date such as 2024-10-09.`]),
        ...(table.unit in perMonth ? [] : [`${at}.unit: must be one of ${Object.keys(perMonth).join(", ")}.`]),
        ...(currencies.includes(table.currency) ? [] : [`${at}.currency: must be one of ${currencies.join(", ")}.`]),
        ...(typeof table.checked === "boolean" ? [] : [`${at}.checked: must be true or false.`]),
        ...Object.entries(table.prices).flatMap(([area, prices]) => [
            ...(area === "any" || area in areas ? [] : [`${at}.prices.${area}: is none of the areas.`]),
            ...Object.entries(prices)
                .filter(([, price]) => !(price > 0))
                .map(([item]) => `${at}.prices.${area}["${item}"]: must be more than 0.`),
        ]),
    ];
}

/** The regions that have prices of their own. */
export function pricedRegions({ areas }: PriceList): string[] {
    return Object.values(areas).flat().sort();
}

/** What a month of an item costs in a region; undefined where the table has no price for it. */
export function priceOf(
    { tables, areas, exchange }: PriceList,
    table: string,
    item: string,
    region: string,
    currency: Currency,
): Price | undefined {
    const { prices, unit, currency: own } = tables[table]!;
    const [area = "any"] = Object.entries(areas).find(([, regions]) => regions.includes(region)) ?? [];
    const listed = prices[area]?.[item] ?? prices["any"]?.[item];
    if (listed === undefined) return undefined;
    const rate = own === currency ? 1 : own === "USD" ? exchange.cnyPerUsd : 1 / exchange.cnyPerUsd;
    return { table, monthly: listed * rate * perMonth[unit] };
}
