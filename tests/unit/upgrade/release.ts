/** `npm run release:record`: records what the last release asks the engine for. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { runCommandLine } from "../../../toolchain/commandLine";
import { checkOutRelease, lastRelease } from "../../../toolchain/release";
import { recordFile, recordProgram } from "./record";

async function main(): Promise<number> {
    const folder = mkdtempSync(join(tmpdir(), "multihost-release-"));
    const release = join(folder, "release");
    try {
        checkOutRelease(release);
        const resources = await recordProgram(release);
        const record = JSON.stringify({ ...lastRelease(), resources });
        writeFileSync(recordFile, await format(record, { ...(await resolveConfig(recordFile)), parser: "json" }));
        process.stdout.write(`${resources.length} resources of ${lastRelease().version} are recorded.\n`);
        return 0;
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

if (require.main === module) runCommandLine(main, 1);
