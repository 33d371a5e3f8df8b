/** An estimate in words: for a terminal, and for the comment on a pull request. */
import { escape } from "../toolchain/markdown";
import { table as columns } from "../toolchain/table";
import type { Assumptions } from "./charges";
import { byComponent, type Estimate } from "./estimate";
import { HOURS, type PriceList } from "./prices";

/** The option that sets an assumption, and what it is in words. */
export const assumptionOptions: Readonly<Record<keyof Assumptions, readonly [option: string, meaning: string]>> = {
    trafficGb: ["traffic", "GB to the internet from each public address"],
    balancerUnits: ["balancer-units", "capacity units for each balancer"],
    natUnits: ["nat-units", "capacity units for each NAT gateway"],
    storageGib: ["storage", "GiB in each file system"],
    queryMillions: ["queries", "million queries for each private zone"],
};

/** The difference of an update. */
export interface CostChange {
    readonly before: Estimate;
    readonly after: Estimate;
}

const OUTSIDE = "outside of components";
/** Less than that is rounding. */
const CENT = 0.005;

/** `1,234.50`. */
export function money(amount: number): string {
    const text = amount.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    return text === "-0.00" ? "0.00" : text;
}

const signed = (amount: number): string => (amount > CENT ? `+${money(amount)}` : money(amount));

/** Names of components with what they cost on both sides. */
function rowsOf({ before, after }: CostChange): [component: string, before: number, after: number][] {
    const [old, now] = [byComponent(before), byComponent(after)];
    return [...new Set([...old.keys(), ...now.keys()])].map((component) => [
        component === "" ? OUTSIDE : component,
        old.get(component) ?? 0,
        now.get(component) ?? 0,
    ]);
}

function assumed(estimates: readonly Estimate[], assumptions: Assumptions): string[] {
    const used = new Set(estimates.flatMap(({ lines }) => lines.flatMap(({ assumed: key }) => key ?? [])));
    return (Object.keys(assumptionOptions) as (keyof Assumptions)[])
        .filter((key) => used.has(key))
        .map((key) => `${assumptions[key]} ${assumptionOptions[key][1]}`);
}

/** What share of an estimate is usage that is assumed. */
const assumedShare = ({ lines }: Estimate): number =>
    lines.reduce((sum, { assumed: key, monthly }) => sum + (key === undefined ? 0 : monthly), 0);

/** Titles and dates of the tables that were used: those that the vendor's list was read for, and approximations. */
function sources(estimates: readonly Estimate[], { tables }: PriceList, checked: boolean): string[] {
    const used = new Set(estimates.flatMap(({ lines }) => lines.map(({ table }) => table)));
    return Object.entries(tables)
        .filter(([name, table]) => used.has(name) && table.checked === checked)
        .map(([, { title, date }]) => `${title} (${date})`);
}

/** Resources without a price, alike ones together. */
function unpricedRows({ unpriced }: Estimate): [resources: string, type: string, reason: string][] {
    const groups = new Map<string, { type: string; reason: string; resources: string[] }>();
    for (const { resource, type, reason } of unpriced) {
        const group = groups.get(`${type}\0${reason}`) ?? { type, reason, resources: [] };
        group.resources.push(resource);
        groups.set(`${type}\0${reason}`, group);
    }
    return [...groups.values()].map(({ resources, type, reason }) => [resources.join(", "), type, reason]);
}

/** What the figures rest on, a sentence each. */
function remarks(estimates: readonly Estimate[], prices: PriceList, assumptions: Assumptions): string[] {
    const last = estimates.at(-1)!;
    const list = (found: readonly string[], before: string): string[] =>
        found.length === 0 ? [] : [`${before}: ${found.join("; ")}.`];
    const converted = estimates.some(({ lines, currency }) =>
        lines.some(({ table }) => prices.tables[table]!.currency !== currency),
    );
    const where = last.regions.length === 0 ? "" : ` in ${last.regions.join(", ")}`;
    return [
        `List prices without discounts and taxes, pay-as-you-go${where}, for ${HOURS} hours. An estimate, no quotation.`,
        ...list(assumed(estimates, assumptions), `Assumed usage, ${money(assumedShare(last))} of it all`),
        ...list(sources(estimates, prices, true), "From the vendor's lists"),
        ...list(sources(estimates, prices, false), "Approximations that nobody has compared with the vendor's lists"),
        ...(converted ? [`Converted at ${prices.exchange.cnyPerUsd} CNY for 1 USD.`] : []),
    ];
}

/** For a terminal; with what an update changes when it is given both sides. */
export function costTable(
    { before, after }: { readonly before?: Estimate; readonly after: Estimate },
    prices: PriceList,
    assumptions: Assumptions,
): string {
    const estimates = before === undefined ? [after] : [before, after];
    const row = (name: string, old: number, now: number): string[] =>
        before === undefined ? [name, money(now)] : [name, money(old), money(now), signed(now - old)];
    const month = `${after.currency} A MONTH`;
    const rows = [
        before === undefined ? ["COMPONENT", month] : ["COMPONENT", `${month}, NOW`, "AFTER", "DIFFERENCE"],
        ...rowsOf({ before: before ?? after, after }).map((cells) => row(...cells)),
        row("total", before?.monthly ?? 0, after.monthly),
    ];
    const missing = unpricedRows(after);
    return [
        columns(alignRight(rows)),
        "",
        ...remarks(estimates, prices, assumptions),
        ...(missing.length === 0 ? [] : ["", "Not priced:", columns(missing)]),
    ].join("\n");
}

/** Figures end where their column ends. */
function alignRight(rows: readonly (readonly string[])[]): string[][] {
    const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
    return rows.map((row) => row.map((cell, column) => (column === 0 ? cell : cell.padStart(widths[column]!))));
}

/** The section of a comment; undefined when the bill stays as it is. The total stands where it shows without unfolding. */
export function costSection(change: CostChange, prices: PriceList, assumptions: Assumptions): string | undefined {
    const { before, after } = change;
    const difference = after.monthly - before.monthly;
    const [wasMissing, missing] = [unpricedRows(before), unpricedRows(after)];
    const rows = rowsOf(change).filter(([, old, now]) => Math.abs(now - old) > CENT);
    if (rows.length === 0 && JSON.stringify(wasMissing) === JSON.stringify(missing)) return undefined;
    const open = missing.length === 0 ? "" : `, ${after.unpriced.length} not priced`;
    return [
        `<details><summary>Cost: ${money(before.monthly)} → ${money(after.monthly)} ${after.currency} a month (${signed(difference)}${open})</summary>`,
        "",
        `| Component | Now | After | Difference |`,
        `| --- | ---: | ---: | ---: |`,
        ...rows.map(([name, old, now]) => `| ${escape(name)} | ${money(old)} | ${money(now)} | ${signed(now - old)} |`),
        `| **total** | ${money(before.monthly)} | ${money(after.monthly)} | **${signed(difference)}** |`,
        "",
        ...missing.map(
            ([resources, type, reason]) => `- not priced: ${escape(resources)} (${escape(type)}): ${escape(reason)}`,
        ),
        ...(missing.length === 0 ? [] : [""]),
        `<sub>${remarks([before, after], prices, assumptions).join(" ")}</sub>`,
        "",
        "</details>",
    ].join("\n");
}
