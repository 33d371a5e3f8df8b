/** The last release: `release.json` names its version and its commit. Upgrades are tested from there. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { root } from "./folders";

export interface Release {
    readonly version: string;
    /** All 40 digits. */
    readonly commit: string;
}

/** @throws Error when the file names no version or no commit */
export function lastRelease(folder = root): Release {
    const { version, commit } = JSON.parse(
        readFileSync(join(folder, "toolchain", "release.json"), "utf8"),
    ) as Partial<Release>;
    if (
        version === undefined ||
        !/^\d+\.\d+\.\d+$/.test(version) ||
        commit === undefined ||
        !/^[0-9a-f]{40}$/.test(commit)
    )
        throw new Error("toolchain/release.json must have a version such as 0.1.0 and all 40 digits of its commit.");
    return { version, commit };
}

function git(folder: string, ...args: readonly string[]): string {
    return execFileSync("git", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}

/** Why the release's sources can't be had here, and what helps; undefined when they can. */
export function releaseProblem(folder = root): string | undefined {
    const { commit } = lastRelease(folder);
    const succeeds = (...args: readonly string[]): boolean => {
        try {
            git(folder, ...args);
            return true;
        } catch {
            return false;
        }
    };
    if (succeeds("cat-file", "-e", `${commit}^{commit}`)) return undefined;
    if (!succeeds("rev-parse", "--git-dir"))
        return "this copy of the project is no clone, so it lacks the last release";
    return git(folder, "rev-parse", "--is-shallow-repository") === "true"
        ? "this clone is shallow and lacks the last release: git fetch --unshallow"
        : `this clone lacks the last release, ${commit.slice(0, 12)}: git fetch origin ${commit}`;
}

/**
 * Puts the release's sources into a folder, with this checkout's npm packages beside them.
 * @throws Error with {@link releaseProblem} when they can't be had
 */
export function checkOutRelease(target: string, folder = root): void {
    const problem = releaseProblem(folder);
    if (problem !== undefined) throw new Error(`The last release isn't there: ${problem}.`);
    mkdirSync(target, { recursive: true });
    const archive = `${target}.tar`;
    git(folder, "archive", "--format=tar", "--output", archive, lastRelease(folder).commit);
    execFileSync("tar", ["-xf", archive, "-C", target]);
    rmSync(archive);
    symlinkSync(join(folder, "node_modules"), join(target, "node_modules"));
}
