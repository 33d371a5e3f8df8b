/** What a promotion takes from one stack's configuration to another's. */
import { keptAsText, membersOf, type PrintedConfig } from "../toolchain/settings";

/** A stack's configuration: `redis.maxmemory` and its value. Values are as in the stack's file. */
export type Settings = ReadonlyMap<string, unknown>;

/** Settings that say which version of something is installed. They travel; everything else belongs to its stack. */
export const versionKeys = [
    "hosts.imageId",
    "hosts.imageName",
    "redis.version",
    "mysql.version",
    "web.version",
    "web.release",
    "web.releaseUrl",
    "web.releaseSha256",
] as const;

/** Settings of a stack, and what of them is secret. */
export interface StackSettings {
    readonly settings: Settings;
    /** Groups that hold something secret: which of their members it is, `pulumi config` doesn't print. */
    readonly secretGroups: ReadonlySet<string>;
    /** Groups with versions that are kept as one text, so that nothing in them can be told or set. */
    readonly textGroups: ReadonlySet<string>;
    /** Versions that are secrets, such as an address with a signature. */
    readonly secretVersions: ReadonlySet<string>;
}

const groupOf = (key: string): string => key.split(".")[0]!;
const versionGroups: ReadonlySet<string> = new Set(versionKeys.map(groupOf));

/** Whether a stack runs what a setting is about. */
const runs = ({ settings }: StackSettings, key: string): boolean => settings.get(`${groupOf(key)}.enabled`) !== false;

/**
 * Takes printed configuration apart.
 * @param project whose settings go without a prefix; those of providers keep theirs
 */
export function readSettings(printed: PrintedConfig, project: string): Omit<StackSettings, "secretVersions"> {
    const settings = new Map<string, unknown>();
    const secretGroups = new Set<string>();
    const textGroups = new Set<string>();
    for (const [key, setting] of Object.entries(printed)) {
        const name = key.startsWith(`${project}:`) ? key.slice(project.length + 1) : key;
        if (setting.secret) secretGroups.add(name);
        const members = membersOf(setting);
        if (members === undefined) {
            settings.set(name, setting.objectValue ?? setting.value);
            if (versionGroups.has(name)) textGroups.add(name);
        } else for (const [member, inner] of Object.entries(members)) settings.set(`${name}.${member}`, inner);
    }
    return { settings, secretGroups, textGroups };
}

/** The versions of which nothing printed says whether they are secrets. */
export function doubtfulVersions({ settings, secretGroups }: Omit<StackSettings, "secretVersions">): string[] {
    return versionKeys.filter((key) => settings.has(key) && secretGroups.has(groupOf(key)));
}

/** A setting in which two stacks differ; undefined where a stack leaves it at its default. */
export interface Difference {
    readonly key: string;
    readonly from: unknown;
    readonly to: unknown;
    /** Whether the promotion takes it along. */
    readonly travels: boolean;
    /** Whether its values may be shown. In a group that holds a secret, only versions are that are none. */
    readonly open: boolean;
    /** On which side it is known to be a secret. */
    readonly secret: { readonly from: boolean; readonly to: boolean };
}

/** In which settings two stacks differ, versions first, by name. */
export function differences(from: StackSettings, to: StackSettings): Difference[] {
    const keys = [...new Set([...from.settings.keys(), ...to.settings.keys()])].sort();
    const found = keys.flatMap((key): Difference[] => {
        const [one, other] = [from.settings.get(key), to.settings.get(key)];
        if (JSON.stringify(one) === JSON.stringify(other)) return [];
        const isVersion = (versionKeys as readonly string[]).includes(key);
        const secret = { from: from.secretVersions.has(key), to: to.secretVersions.has(key) };
        const open = isVersion
            ? !secret.from && !secret.to
            : !(from.secretGroups.has(groupOf(key)) || to.secretGroups.has(groupOf(key)));
        // A version of what one of them doesn't run is proven by nothing there, or of no use here.
        const travels = isVersion && runs(from, key) && runs(to, key);
        return [{ key, from: one, to: other, travels, open, secret }];
    });
    return found.sort((one, other) => Number(other.travels) - Number(one.travels));
}

/** A version to set, or to take away when it is undefined. */
export interface VersionChange {
    readonly key: string;
    readonly value: string | undefined;
    readonly secret: boolean;
}

/** What gives `to` the versions of `from`. */
export function versionChanges(found: readonly Difference[]): VersionChange[] {
    return found
        .filter((one) => one.travels)
        .map(({ key, from, secret }) => ({ key, value: asText(from), secret: secret.from }));
}

/** What gives `to` its own versions back. */
export function goingBack(found: readonly Difference[]): VersionChange[] {
    return found
        .filter((one) => one.travels)
        .map(({ key, to, secret }) => ({ key, value: asText(to), secret: secret.to }));
}

const asText = (value: unknown): string | undefined =>
    value === undefined || typeof value === "string" ? value : JSON.stringify(value);

/**
 * Why the versions can't travel as they are, each with its remedy.
 * @param names of both stacks
 */
export function obstacles(
    from: StackSettings,
    to: StackSettings,
    names: { readonly from: string; readonly to: string },
): string[] {
    // What else may be in the way can't be told then.
    if (from.textGroups.size + to.textGroups.size > 0)
        return [
            ...[...from.textGroups].map((group) => keptAsText(group, names.from)),
            ...[...to.textGroups].map((group) => keptAsText(group, names.to)),
        ];
    const region = (settings: Settings): unknown => settings.get("alicloud:region");
    const image = from.settings.get("hosts.imageId");
    const found: string[] = [];
    // Images that an account makes have another id in each region; the cloud's own have the same one everywhere.
    if (typeof image === "string" && image.startsWith("m-") && region(from.settings) !== region(to.settings))
        found.push(
            `hosts.imageId: "${image}" exists in one region only, and the stacks are in two: copy the image there and promote with hosts.imageName, or keep one region.`,
        );
    const engines = [from, to].map(({ settings }) => settings.get("mysql.engine") ?? "mariadb");
    const version = "mysql.version";
    if (
        engines[0] !== engines[1] &&
        from.settings.get(version) !== to.settings.get(version) &&
        runs(from, version) &&
        runs(to, version)
    )
        found.push(
            `${version}: the stacks have different servers (mysql.engine ${engines.map(String).join(" and ")}), whose versions have nothing in common: give both the same engine, or the same ${version}.`,
        );
    return found;
}

/** Rows of a table: setting, the values of both stacks, and what the promotion does with it. */
export function differenceRows(found: readonly Difference[], from: string, to: string): string[][] {
    const show = ({ open }: Difference, value: unknown): string =>
        value === undefined ? "-" : !open ? "[hidden]" : typeof value === "string" ? value : JSON.stringify(value);
    return [
        ["SETTING", from.toUpperCase(), to.toUpperCase(), "PROMOTION"],
        ...found.map((one) => [
            one.key,
            show(one, one.from),
            show(one, one.to),
            one.travels ? (one.from === undefined ? "taken away" : "travels") : "stays",
        ]),
    ];
}

/** Services whose version nothing pins, although they run. */
export function unpinned(stack: StackSettings): string[] {
    return versionKeys.filter((key) => key.endsWith(".version") && runs(stack, key) && !stack.settings.has(key));
}

/** The words of a `pulumi` command that makes a change. A secret isn't among them: the command reads it from its input. */
export function configWords({ key, value, secret }: VersionChange, stack: string): string[] {
    if (value === undefined) return ["config", "rm", "--path", key, "--stack", stack];
    return secret
        ? ["config", "set", "--path", "--secret", key, "--stack", stack]
        : ["config", "set", "--path", "--type", "string", key, value, "--stack", stack];
}
