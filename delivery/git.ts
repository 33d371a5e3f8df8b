/** What git says about a change. */
import { run } from "../toolchain/run";

const git = async (folder: string, ...args: string[]): Promise<string> =>
    (await run("git", ["-C", folder, ...args])).trim();

export interface ChangeSet {
    /** Files that differ from the point where the change left its base, relative to the folder. */
    readonly files: readonly string[];
    /** Messages of the change's commits. */
    readonly messages: readonly string[];
    /** The change's last commit, shortened. */
    readonly commit: string;
}

/**
 * The commits between a base and what is checked out.
 * @throws Error that says how to get the base when the clone doesn't have it
 */
export async function changeSince(base: string, folder: string): Promise<ChangeSet> {
    const fork = await git(folder, "merge-base", base, "HEAD").catch((error: unknown) => {
        throw new Error(
            `${base} and HEAD have no common commit in this clone: fetch the base with its history (\`git fetch --unshallow\`, or fetch-depth: 0 in a workflow), or name another with --base`,
            { cause: error },
        );
    });
    const [files, messages, commit] = await Promise.all([
        git(folder, "diff", "--name-only", "--no-renames", "--relative", "-z", fork, "HEAD"),
        git(folder, "log", "--format=%B%x00", `${fork}..HEAD`),
        git(folder, "rev-parse", "--short", "HEAD"),
    ]);
    const parts = (text: string): string[] => text.split("\0").filter((part) => part.trim() !== "");
    return { files: parts(files), messages: parts(messages), commit };
}
