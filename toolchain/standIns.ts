/** Our own command and tls plugins, packed as the engine expects a plugin: a folder with one executable. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./folders";
import { step } from "./progress.cjs";
import { contentHash } from "./sources";

export type StandIn = "command" | "tls";

const plugins = join(root, "toolchain", "plugins");

function entryPoint(name: StandIn): string {
    return join(plugins, name, "main.ts");
}

/** Hash of what a stand-in is made of: its sources, and the packages that it bundles. */
export function standInHash(name: StandIn, version: string): string {
    if (!existsSync(entryPoint(name))) throw new Error(`toolchain/plugins/${name}/main.ts is missing`);
    return contentHash(root, [`toolchain/plugins/${name}`, "toolchain/plugins/common", "package-lock.json"], version);
}

// The engine starts the plugin without a shell's comforts, so the launcher finds its own folder and a Node.js.
function launcher(name: StandIn): string {
    return ["#!/bin/sh", `exec node "$(dirname "$0")/pulumi-resource-${name}.cjs" "$@"`, ""].join("\n");
}

/** Bundles a stand-in into `folder`/plugin, so that it runs without node_modules. */
export async function packStandIn(name: StandIn, version: string, folder: string): Promise<void> {
    await step(`Pack the stand-in for the ${name} plugin`, { about: "2 s" }, async () => {
        const target = join(folder, "plugin");
        await mkdir(target, { recursive: true });
        // Only needed when packing; loading it would slow down every warm start.
        const { build } = await import("esbuild");
        await build({
            entryPoints: [entryPoint(name)],
            outfile: join(target, `pulumi-resource-${name}.cjs`),
            bundle: true,
            platform: "node",
            target: "node20",
            format: "cjs",
            // Optional accelerators that the packages do without.
            external: ["*.node", "cpu-features"],
            define: { "process.env.MULTIHOST_PLUGIN_VERSION": JSON.stringify(version) },
            logLevel: "error",
        });
        const executable = join(target, `pulumi-resource-${name}`);
        await writeFile(executable, launcher(name));
        await chmod(executable, 0o755);
    });
}
