/** What a comment says beside the plan: what the change costs, and how it changes the picture of the stack. */
import { estimateOf } from "../cost/estimate";
import { type PriceList, readPrices } from "../cost/prices";
import { costSection } from "../cost/report";
import { costSettings, type CostSettings } from "../cost/settings";
import { topologyChanges, toMermaid } from "../graph/change";
import { toDot } from "../graph/dot";
import { topologyOf } from "../graph/topology";
import { block, folded } from "../toolchain/markdown";
import type { StackReport } from "./report";
import type { States } from "./states";

/** A longer picture wouldn't leave the comment enough room for what it is about. */
const PICTURE_LIMIT = 15_000;

/** What estimates go by. */
export interface CostBasis extends CostSettings {
    readonly prices: PriceList;
}

/** @throws Error that lists what is wrong in the price table or the team's settings */
export function costBasis(): CostBasis {
    return { ...costSettings(), prices: readPrices() };
}

/**
 * The cost of both sides, and what the comment says of it when they differ.
 * @param basis may throw, which the comment then says
 */
export function costOf(
    { before, after }: States,
    basis: () => CostBasis,
): { readonly cost?: StackReport["cost"]; readonly section?: string } {
    try {
        const { prices, currency, assumptions } = basis();
        const change = {
            before: estimateOf(before, { prices, currency, assumptions }),
            after: estimateOf(after, { prices, currency, assumptions }),
        };
        const section = costSection(change, prices, assumptions);
        if (section === undefined) return {};
        return {
            section,
            cost: { currency, before: cents(change.before.monthly), after: cents(change.after.monthly) },
        };
    } catch (error) {
        // A bill that can't be foreseen is no reason to keep the rest from the reader.
        return {
            section: folded(
                "Cost: can't be estimated",
                block("", error instanceof Error ? error.message : String(error)),
            ),
        };
    }
}

const cents = (amount: number): number => Math.round(amount * 100) / 100;

/**
 * How the picture changes, and the new one in Graphviz's language; empty when it stays as it is.
 * @param drawing where a reader finds the drawn picture, in Markdown
 */
export function pictureOf(states: States, drawing?: string): { readonly dot?: string; readonly section?: string } {
    const [before, after] = [topologyOf(states.before), topologyOf(states.after)];
    const changes = topologyChanges(before, after);
    if (changes.length === 0) return {};
    const picture = toMermaid(before, after);
    const parts = [
        ...(picture.length > PICTURE_LIMIT ? [] : [block("mermaid", picture)]),
        block("diff", changes.join("\n")),
        ...(drawing === undefined ? [] : [drawing]),
    ];
    const gone = changes.filter((line) => line.startsWith("-")).length;
    const title = `Topology: ${changes.length - gone} added, ${gone} removed`;
    return { dot: toDot(after), section: folded(title, parts.join("\n\n")) };
}
