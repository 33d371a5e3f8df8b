import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";

export type PluginKind = "command" | "tls";

export interface BuiltPlugin {
    readonly kind: PluginKind;
    readonly version: string;
    /** The folder with the executable; it needs nothing but node. */
    readonly directory: string;
    /** The same as an archive for `pulumi plugin install resource <kind> v<version> --file <archive>`. */
    readonly archive: string;
}

/** The versions of the official plugins that the stand-ins stand in for; they match the npm packages. */
export const pluginVersions: Readonly<Record<PluginKind, string>> = { command: "1.2.1", tls: "5.6.1" };

// Symbolic links are followed because the engine may start a plugin through one.
const wrapper = `#!/bin/sh
self=$(readlink -f "$0")
exec node --no-warnings "\${self%/*}/plugin.js" "$@"
`;

/** Builds a stand-in as a self-contained folder below \`outDir\`, and as an archive beside it. */
export async function buildPlugin(kind: PluginKind, outDir: string): Promise<BuiltPlugin> {
    const version = pluginVersions[kind];
    const name = `pulumi-resource-${kind}`;
    const directory = path.join(outDir, `${name}-v${version}`);
    const archive = `${directory}.tgz`;
    const unfinished = await fs.mkdtemp(path.join(await ensured(outDir), `.${name}-`));
    try {
        await build({
            entryPoints: [path.join(__dirname, kind, "main.ts")],
            outfile: path.join(unfinished, "plugin.js"),
            bundle: true,
            platform: "node",
            target: "node20",
            minify: true,
            keepNames: true,
            legalComments: "none",
            logLevel: "error",
            // ssh2 does without its native parts when they can't be loaded.
            external: ["cpu-features", "*.node"],
        });
        await fs.writeFile(path.join(unfinished, name), wrapper, { mode: 0o755 });
        await fs.chmod(unfinished, 0o755);
        await promisify(execFile)("tar", ["-czf", `${unfinished}.tgz`, "-C", unfinished, "."]);
        await fs.rm(directory, { recursive: true, force: true });
        await fs.rename(unfinished, directory);
        await fs.rename(`${unfinished}.tgz`, archive);
    } finally {
        await fs.rm(unfinished, { recursive: true, force: true });
        await fs.rm(`${unfinished}.tgz`, { force: true });
    }
    return { kind, version, directory, archive };
}

async function ensured(directory: string): Promise<string> {
    await fs.mkdir(directory, { recursive: true });
    return directory;
}
