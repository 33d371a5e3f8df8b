/** Where things live outside the repo, and the repo itself. */
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** The top of the checkout. */
export const root = dirname(__dirname);

/** What a variable of the environment says; an empty one says nothing. */
export function setting(variable: string, environment: NodeJS.ProcessEnv = process.env): string | undefined {
    const value = environment[variable] ?? "";
    return value === "" ? undefined : value;
}

/** The folder that a variable names, from the top of the checkout where it isn't absolute: npm and users start programs in different folders. */
function named(variable: string): string | undefined {
    const value = setting(variable);
    return value === undefined ? undefined : resolve(root, value);
}

function base(variable: string, fallback: string): string {
    return join(named(variable) ?? join(homedir(), fallback), "alicloud-multihost");
}

/** Everything that can be had again: binaries, plugins, Go's caches, Pulumi's home. `MULTIHOST_CACHE` overrides it. */
export function cacheFolder(): string {
    return named("MULTIHOST_CACHE") ?? base("XDG_CACHE_HOME", ".cache");
}

/** What labs remember between runs. `MULTIHOST_STATE` overrides it. */
export function stateFolder(): string {
    return named("MULTIHOST_STATE") ?? base("XDG_STATE_HOME", join(".local", "state"));
}

/** The state of one lab, by default the one that `LAB_NAME` names. */
export function labFolder(name = setting("LAB_NAME") ?? "lab"): string {
    return join(stateFolder(), "labs", name);
}
