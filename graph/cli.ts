/** `npm run graph`: a picture of a stack; docs/graph.md. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { runCommandLine } from "../toolchain/commandLine";
import { exitCodeOf, pulumiOutput } from "../toolchain/pulumi";
import { LAB_STACK } from "../toolchain/stacks";
import { toDot } from "./dot";
import { readTopology } from "./topology";

const help = `Usage: npm run graph -- [--stack NAME] [--output FILE] [--format svg|dot|json]

Draws a stack: network, zones, hosts, services, and who may connect to whom on which port.

  --stack NAME    the stack (default: PULUMI_STACK, else "${LAB_STACK}")
  --output FILE   where the picture goes (default: standard output)
  --format NAME   svg (default), dot for Graphviz's own tools, json for programs
`;

const formats = ["svg", "dot", "json"] as const;

export interface Options {
    readonly stack: string;
    readonly output: string | undefined;
    readonly format: (typeof formats)[number];
}

/** @returns undefined when help is asked for. @throws Error for words that ask for no picture */
export function parseOptions(words: readonly string[], env: NodeJS.ProcessEnv): Options | undefined {
    const { values } = parseArgs({
        args: [...words],
        options: {
            stack: { type: "string", short: "s", default: env["PULUMI_STACK"] ?? LAB_STACK },
            output: { type: "string", short: "o" },
            format: { type: "string", default: "svg" },
            help: { type: "boolean", short: "h", default: false },
        },
    });
    if (values.help) return undefined;
    const format = formats.find((name) => name === values.format);
    if (format === undefined) throw new Error(`--format: "${values.format}" is none of ${formats.join(", ")}.`);
    return { stack: values.stack, output: values.output, format };
}

/** Graphviz's language as SVG. @throws Error when it can't be drawn */
export async function layOut(dot: string): Promise<string> {
    const child = spawn(process.execPath, [join(__dirname, "layout.mjs")], { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin.on("error", () => undefined).end(dot);
    const [svg, code] = await Promise.all([text(child.stdout), exitCodeOf(child)]);
    if (code !== 0) throw new Error("Graphviz could not draw the stack.");
    return svg;
}

async function main(words: readonly string[]): Promise<number> {
    const options = parseOptions(words, process.env);
    if (options === undefined) {
        process.stdout.write(help);
        return 0;
    }
    const { stack, output, format } = options;
    const topology = readTopology(JSON.parse(await pulumiOutput(["stack", "export", "--stack", stack])));
    if (topology.pools.length === 0)
        throw new Error(`The stack "${stack}" has no hosts: \`npm run pulumi -- up --stack ${stack}\` makes them.`);
    const picture =
        format === "json"
            ? `${JSON.stringify(topology, undefined, 2)}\n`
            : format === "dot"
              ? `${toDot(topology)}\n`
              : await layOut(toDot(topology));
    if (output === undefined) process.stdout.write(picture);
    else {
        mkdirSync(dirname(resolve(output)), { recursive: true });
        writeFileSync(output, picture);
    }
    return 0;
}

if (require.main === module) runCommandLine(main, 1);
