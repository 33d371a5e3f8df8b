/** The last release: `release.json` names its version and its commit. Upgrades are tested from there. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "./errors";
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

/** What git prints, also of a checkout that is another user's: who runs this runs its code anyway. @throws Error with git's complaint */
export function git(folder: string, ...args: readonly string[]): string {
    return execFileSync("git", ["-c", `safe.directory=${folder}`, ...args], {
        cwd: folder,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
    }).trim();
}

/** Why the release's sources can't be had here, and what helps; undefined when they can. */
export function releaseProblem(folder = root): string | undefined {
    const { commit } = lastRelease(folder);
    const complaint = (...args: readonly string[]): string | undefined => {
        try {
            git(folder, ...args);
            return undefined;
        } catch (error) {
            const { stderr } = error as { readonly stderr?: string };
            return stderr?.trim().split("\n")[0] ?? messageOf(error);
        }
    };
    if (complaint("cat-file", "-e", `${commit}^{commit}`) === undefined) return undefined;
    const unusable = complaint("rev-parse", "--git-dir");
    if (unusable !== undefined) return `git can't tell the last release in this copy of the project: ${unusable}`;
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
