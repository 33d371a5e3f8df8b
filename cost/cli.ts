/** `npm run cost`: what a month of a stack costs; docs/cost.md. */
import { parseArgs } from "node:util";
import { previewedStates } from "../delivery/engine";
import { exportedResources } from "../delivery/states";
import { perform, runCommandLine } from "../toolchain/commandLine";
import { pulumiOutput } from "../toolchain/pulumi";
import { LAB_STACK, stackOf } from "../toolchain/stacks";
import { type Assumptions, standardAssumptions } from "./charges";
import { byComponent, type Estimate, estimateOf } from "./estimate";
import { currencies, type Currency, pricedRegions, readPrices } from "./prices";
import { assumptionOptions, costTable } from "./report";
import { costSettings, type CostSettings } from "./settings";

const help = `Usage: npm run cost -- [--stack NAME] [--preview] [options]

Estimates what a month of a stack costs, by the list prices in cost/prices.yaml.

  --stack NAME         the stack (default: PULUMI_STACK, else "${LAB_STACK}")
  --preview            also previews the stack, and shows what the update would change
  --currency NAME      ${currencies.join(" or ")} (default: that of cost/settings.json, else CNY)
  --region ID          prices of this region (default: where the resources are)
  --json               for programs

Usage that no state knows is assumed (defaults: cost/settings.json, else these):
${Object.entries(assumptionOptions)
    .map(
        ([key, [option, meaning]]) =>
            `  ${`--${option} N`.padEnd(20)} ${meaning} (${standardAssumptions[key as keyof Assumptions]})`,
    )
    .join("\n")}
`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

export interface Options {
    readonly stack: string;
    readonly preview: boolean;
    readonly currency: Currency;
    readonly region: string | undefined;
    readonly json: boolean;
    readonly assumptions: Assumptions;
}

/** @throws Error that lists all words that ask for no estimate */
export function parseOptions(
    words: readonly string[],
    env: NodeJS.ProcessEnv,
    settings: CostSettings,
    regions: readonly string[],
): Options {
    const { values } = parseArgs({
        args: [...words],
        options: {
            stack: { type: "string", short: "s" },
            preview: { type: "boolean", default: false },
            currency: { type: "string", default: settings.currency },
            region: { type: "string" },
            json: { type: "boolean", default: false },
            traffic: { type: "string" },
            "balancer-units": { type: "string" },
            "nat-units": { type: "string" },
            storage: { type: "string" },
            queries: { type: "string" },
        },
    });
    const problems: string[] = [];
    const currency = currencies.find((name) => name === values.currency);
    if (currency === undefined) problems.push(`--currency: "${values.currency}" is none of ${currencies.join(", ")}.`);
    if (values.region !== undefined && !regions.includes(values.region))
        problems.push(`--region: cost/prices.yaml has no prices of "${values.region}", but of ${regions.join(", ")}.`);
    const assumptions: Record<keyof Assumptions, number> = { ...settings.assumptions };
    for (const [key, [option]] of Object.entries(assumptionOptions)) {
        const given = (values as Readonly<Record<string, unknown>>)[option];
        if (typeof given !== "string") continue;
        if (/^\d+(\.\d+)?$/.test(given)) assumptions[key as keyof Assumptions] = Number(given);
        else problems.push(`--${option}: "${given}" is no number of 0 or more.`);
    }
    if (problems.length > 0 || currency === undefined) throw new Error(problems.join("\n"));
    return {
        stack: stackOf(values.stack, env),
        preview: values.preview,
        currency,
        region: values.region,
        json: values.json,
        assumptions,
    };
}

/** As programs read it: an estimate, and its sums. */
export function estimateJson(estimate: Estimate): object {
    return { ...estimate, components: Object.fromEntries(byComponent(estimate)) };
}

async function run(options: Options, prices: ReturnType<typeof readPrices>): Promise<number> {
    const { stack, currency, region, assumptions, json } = options;
    const estimate = (resources: Parameters<typeof estimateOf>[0]): Estimate =>
        estimateOf(resources, { prices, currency, assumptions, ...(region !== undefined && { region }) });
    let sides: { readonly before?: Estimate; readonly after: Estimate };
    if (options.preview) {
        const states = await previewedStates(stack);
        sides = { before: estimate(states.before), after: estimate(states.after) };
    } else {
        const exported: unknown = JSON.parse(await pulumiOutput(["stack", "export", "--stack", stack]));
        sides = { after: estimate(exportedResources(exported)) };
    }
    const { before, after } = sides;
    process.stdout.write(
        json
            ? `${JSON.stringify({ stack, assumptions, ...(before && { now: estimateJson(before) }), [before ? "after" : "now"]: estimateJson(after) }, undefined, 2)}\n`
            : `${costTable(sides, prices, assumptions)}\n`,
    );
    return 0;
}

/** @returns the exit code */
export async function main(words: readonly string[]): Promise<number> {
    const prices = readPrices();
    const settings = costSettings();
    return perform(
        {
            help,
            misused: EXIT_USAGE,
            parse: (given) => parseOptions(given, process.env, settings, pricedRegions(prices)),
            run: (options) => run(options, prices),
        },
        words,
    );
}

if (require.main === module) runCommandLine(main, EXIT_FAILED);
