/** Python packages as they come from the package index, in a folder of their own. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Python {
    /** Folder of `python` and of the packages' commands. */
    readonly bin: string;
    remove(): void;
}

/**
 * Installs packages, each with its version.
 * @throws Error that says what is missing where Python makes no virtual environments
 */
export async function pythonWith(...packages: readonly string[]): Promise<Python> {
    const folder = mkdtempSync(join(tmpdir(), "multihost-python-"));
    const bin = join(folder, "bin");
    const remove = (): void => rmSync(folder, { recursive: true, force: true });
    try {
        await run("python3", ["-m", "venv", folder]).catch((error: unknown) => {
            throw new Error("python3 can't make a virtual environment: on Debian, install python3-venv.", {
                cause: error,
            });
        });
        await run(join(bin, "pip"), ["install", "--quiet", "--disable-pip-version-check", ...packages]);
        return { bin, remove };
    } catch (error) {
        remove();
        throw error;
    }
}
