/** How Pulumi is told of the project's policies. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./folders";

/** Arguments for `up` and `preview`; `policy/settings.json`, where a team keeps what differs from the defaults, need not exist. */
export function policyPackArguments(): string[] {
    const settings = join(root, "policy", "settings.json");
    return [
        "--policy-pack",
        join(root, "policy", "analyzer"),
        ...(existsSync(settings) ? ["--policy-pack-config", settings] : []),
    ];
}
