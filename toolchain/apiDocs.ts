/** `npm run docs:api`: the public API as a web page, out of the types and their comments, by TypeDoc. */
import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { runCommandLine } from "./commandLine";
import { root } from "./folders";
import { exitCodeOf } from "./run";

const help = `Usage: npm run docs:api -- [--output FOLDER]

Writes what the package exports as HTML, with an example for each component.

  --output FOLDER   where it goes (default: dist/api, which git ignores)
`;

/** Arguments of TypeDoc. A warning, such as one of a link that leads nowhere, is an error. */
export function typedocArguments(output: string): string[] {
    return [
        // Both that package.json exports.
        ...["components", "testing"].flatMap((folder) => ["--entryPoints", join(root, folder, "index.ts")]),
        ...["--tsconfig", join(root, "tsconfig.json")],
        ...["--name", "@multihost/alicloud", "--readme", "none", "--out", output],
        // What components inherit from Pulumi is documented there; a git remote need not be known.
        ...["--excludePrivate", "--excludeProtected", "--excludeExternals", "--disableSources"],
        "--treatWarningsAsErrors",
    ];
}

async function main(words: readonly string[]): Promise<number> {
    const { values } = parseArgs({
        args: [...words],
        options: {
            output: { type: "string", short: "o", default: join(root, "dist", "api") },
            help: { type: "boolean", short: "h", default: false },
        },
    });
    if (values.help) {
        process.stdout.write(help);
        return 0;
    }
    const output = resolve(values.output);
    mkdirSync(dirname(output), { recursive: true });
    const program = join(root, "node_modules", "typedoc", "bin", "typedoc");
    const child = spawn(process.execPath, [program, ...typedocArguments(output)], { cwd: root, stdio: "inherit" });
    return exitCodeOf(child);
}

if (require.main === module) runCommandLine(main, 1);
