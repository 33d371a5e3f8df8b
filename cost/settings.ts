/** What a team sets for its estimates: `cost/settings.json`, which need not exist. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../toolchain/folders";
import { type Assumptions, standardAssumptions } from "./charges";
import { currencies, type Currency } from "./prices";

export interface CostSettings {
    /** @default "CNY" */
    readonly currency: Currency;
    readonly assumptions: Assumptions;
}

/** @throws Error that lists what is wrong, with the path of each */
export function parseCostSettings(value: unknown): CostSettings {
    const problems: string[] = [];
    const { currency = "CNY", assumptions = {}, ...others } = objectOr(value, "the file", problems);
    for (const key of Object.keys(others)) problems.push(`${key}: is not known; there are currency and assumptions.`);
    if (!currencies.some((known) => known === currency))
        problems.push(`currency: ${JSON.stringify(currency)} is none of ${currencies.join(", ")}.`);
    const own = objectOr(assumptions, "assumptions", problems);
    for (const [key, amount] of Object.entries(own)) {
        if (!(key in standardAssumptions))
            problems.push(
                `assumptions.${key}: is not known; there are ${Object.keys(standardAssumptions).join(", ")}.`,
            );
        else if (typeof amount !== "number" || !(amount >= 0))
            problems.push(`assumptions.${key}: ${JSON.stringify(amount)} is no number of 0 or more.`);
    }
    if (problems.length > 0)
        throw new Error(`cost/settings.json:\n${problems.map((line) => `  - ${line}`).join("\n")}`);
    return { currency: currency as Currency, assumptions: { ...standardAssumptions, ...own } };
}

function objectOr(value: unknown, what: string, problems: string[]): Record<string, unknown> {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    problems.push(`${what}: must be an object.`);
    return {};
}

/** The team's settings, with the defaults where it has set nothing. */
export function costSettings(): CostSettings {
    const file = join(root, "cost", "settings.json");
    if (!existsSync(file)) return parseCostSettings({});
    const text = readFileSync(file, "utf8");
    try {
        return parseCostSettings(JSON.parse(text));
    } catch (error) {
        throw error instanceof SyntaxError ? new Error(`cost/settings.json is no JSON: ${error.message}`) : error;
    }
}
