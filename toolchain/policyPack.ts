/** How Pulumi is told of the project's policies. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./folders";

type Settings = Readonly<Record<string, unknown>>;

/** The settings with further hosts that may be rebuilt. A level that stands for a policy's settings, such as `"disabled"`, stays. */
export function allowRebuild(settings: Settings, hosts: readonly string[]): Settings {
    const { "kept-hosts": kept = {} } = settings;
    if (typeof kept !== "object" || kept === null) return settings;
    const { rebuild = [] } = kept as { readonly rebuild?: readonly string[] };
    return { ...settings, "kept-hosts": { ...kept, rebuild: [...rebuild, ...hosts] } };
}

/**
 * Arguments for `up` and `preview`; `policy/settings.json`, where a team keeps what differs from the defaults, need not exist.
 * @param rebuilt names of hosts that may be rebuilt this time, `*` for all
 */
export function policyPackArguments(rebuilt: readonly string[] = []): string[] {
    const settings = join(root, "policy", "settings.json");
    const pack = ["--policy-pack", join(root, "policy", "analyzer")];
    if (rebuilt.length === 0) return [...pack, ...(existsSync(settings) ? ["--policy-pack-config", settings] : [])];
    const given = existsSync(settings) ? (JSON.parse(readFileSync(settings, "utf8")) as Settings) : {};
    const folder = mkdtempSync(join(tmpdir(), "multihost-policies-"));
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, "settings.json");
    writeFileSync(file, JSON.stringify(allowRebuild(given, rebuilt)));
    return [...pack, "--policy-pack-config", file];
}
