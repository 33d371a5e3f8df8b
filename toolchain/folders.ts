/** Where things live outside the repo, and the repo itself. */
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** The top of the checkout. */
export const root = dirname(__dirname);

/** The folder that a variable names, from the top of the checkout where it isn't absolute: npm and users start programs in different folders. */
function named(variable: string): string | undefined {
    const value = process.env[variable] ?? "";
    return value === "" ? undefined : resolve(root, value);
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
export function labFolder(name = process.env["LAB_NAME"] ?? "lab"): string {
    return join(stateFolder(), "labs", name);
}
