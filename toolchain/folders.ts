/** Where things live outside the repo, and the repo itself. */
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** The top of the checkout. */
export const root = dirname(__dirname);

function base(variable: string, fallback: string): string {
    const value = process.env[variable];
    return value === undefined || value === "" ? join(homedir(), fallback) : value;
}

/** Everything that can be had again: binaries, plugins, Go's caches, Pulumi's home. `MULTIHOST_CACHE` overrides it. */
export function cacheFolder(): string {
    return process.env["MULTIHOST_CACHE"] ?? join(base("XDG_CACHE_HOME", ".cache"), "alicloud-multihost");
}

/** What labs remember between runs. `MULTIHOST_STATE` overrides it. */
export function stateFolder(): string {
    return (
        process.env["MULTIHOST_STATE"] ?? join(base("XDG_STATE_HOME", join(".local", "state")), "alicloud-multihost")
    );
}

/** The state of one lab, by default the one that `LAB_NAME` names. */
export function labFolder(name = process.env["LAB_NAME"] ?? "lab"): string {
    return join(stateFolder(), "labs", name);
}
