/** Our own command and tls plugins, for where the official ones can't be downloaded. */
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./folders";
import { step } from "./progress.cjs";
import { contentHash } from "./sources";

export type StandIn = "command" | "tls";

const plugins = "toolchain/plugins";

/** Hash of what a stand-in is made of: its sources, and the packages that it bundles. */
export function standInHash(name: StandIn, version: string): string {
    if (!existsSync(join(root, plugins, name, "main.ts"))) throw new Error(`${plugins}/${name}/main.ts is missing`);
    return contentHash(
        root,
        [`${plugins}/${name}`, `${plugins}/common`, `${plugins}/build.ts`, "package-lock.json"],
        version,
    );
}

/** Bundles a stand-in into `folder`/plugin, so that it runs without node_modules. */
export async function packStandIn(name: StandIn, version: string, folder: string): Promise<void> {
    await step(`Pack the stand-in for the ${name} plugin`, { about: "2 s" }, async () => {
        // Loaded only here: the bundler would slow down every warm start.
        const { buildPlugin } = await import("./plugins/build");
        const built = await buildPlugin(name, folder);
        if (built.version !== version)
            throw new Error(
                `the stand-in for the ${name} plugin stands in for ${built.version}, package.json pins ${version}`,
            );
        await rename(built.directory, join(folder, "plugin"));
        await rm(built.archive);
    });
}
