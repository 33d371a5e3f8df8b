/** `npm run graph`: a picture of a stack; docs/graph.md. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { previewedStates } from "../delivery/engine";
import { perform, runCommandLine } from "../toolchain/commandLine";
import { pulumiOutput } from "../toolchain/pulumi";
import { exitCodeOf } from "../toolchain/run";
import { LAB_STACK, stackOf } from "../toolchain/stacks";
import { toMermaid } from "./change";
import { toDot } from "./dot";
import { readTopology, type Topology, topologyOf } from "./topology";

const help = `Usage: npm run graph -- [--stack NAME] [--preview] [--output FILE] [--format NAME]

Draws a stack: network, zones, hosts, services, and who may connect to whom on which port.

  --stack NAME    the stack (default: PULUMI_STACK, else "${LAB_STACK}")
  --preview       draws what an update would make of it instead of what is there
  --output FILE   where the picture goes (default: standard output)
  --format NAME   svg (default), dot for Graphviz's own tools, json for programs, mermaid for Markdown: with --preview, that shows
                  what comes, changes and goes in colours
`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const formats = ["svg", "dot", "json", "mermaid"] as const;

export interface Options {
    readonly stack: string;
    readonly preview: boolean;
    readonly output: string | undefined;
    readonly format: (typeof formats)[number];
}

/** @throws Error for words that ask for no picture */
export function parseOptions(words: readonly string[], env: NodeJS.ProcessEnv): Options {
    const { values } = parseArgs({
        args: [...words],
        options: {
            stack: { type: "string", short: "s" },
            preview: { type: "boolean", default: false },
            output: { type: "string", short: "o" },
            format: { type: "string", default: "svg" },
        },
    });
    const format = formats.find((name) => name === values.format);
    if (format === undefined) throw new Error(`--format: "${values.format}" is none of ${formats.join(", ")}.`);
    return { stack: stackOf(values.stack, env), preview: values.preview, output: values.output, format };
}

/** Graphviz's language as SVG. @throws Error when it can't be drawn */
export async function layOut(dot: string): Promise<string> {
    const child = spawn(process.execPath, [join(__dirname, "layout.mjs")], { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin.on("error", () => undefined).end(dot);
    const [svg, code] = await Promise.all([text(child.stdout), exitCodeOf(child)]);
    if (code !== 0) throw new Error("Graphviz could not draw the stack.");
    return svg;
}

async function sides({ stack, preview }: Options): Promise<{ readonly before: Topology; readonly after: Topology }> {
    if (preview) {
        const states = await previewedStates(stack);
        return { before: topologyOf(states.before), after: topologyOf(states.after) };
    }
    const topology = readTopology(JSON.parse(await pulumiOutput(["stack", "export", "--stack", stack])));
    return { before: topology, after: topology };
}

function draw({ format }: Options, before: Topology, after: Topology): Promise<string> | string {
    switch (format) {
        case "json":
            return `${JSON.stringify(after, undefined, 2)}\n`;
        case "dot":
            return `${toDot(after)}\n`;
        case "mermaid":
            return `${toMermaid(before, after)}\n`;
        case "svg":
            return layOut(toDot(after));
    }
}

async function run(options: Options): Promise<number> {
    const { stack, output } = options;
    const { before, after } = await sides(options);
    if (after.pools.length === 0) {
        throw new Error(
            options.preview
                ? `The stack "${stack}" would have no hosts.`
                : `The stack "${stack}" has no hosts yet: \`npm run pulumi -- up --stack ${stack}\` makes them or takes in those that exist, --preview draws them before.`,
        );
    }
    const picture = await draw(options, before, after);
    if (output === undefined) process.stdout.write(picture);
    else {
        mkdirSync(dirname(resolve(output)), { recursive: true });
        writeFileSync(output, picture);
    }
    return 0;
}

/** @returns the exit code */
export function main(words: readonly string[]): Promise<number> {
    return perform({ help, misused: EXIT_USAGE, parse: (given) => parseOptions(given, process.env), run }, words);
}

if (require.main === module) runCommandLine(main, EXIT_FAILED);
