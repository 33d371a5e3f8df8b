/** What a promotion takes from one stack's configuration to another's. */

/** A stack's configuration: `redis.maxmemory` and its value. Values are as in the stack's file. */
export type Settings = ReadonlyMap<string, unknown>;

/** What `pulumi config --json --show-secrets` prints. */
export type PrintedConfig = Readonly<
    Record<string, { readonly value?: string; readonly objectValue?: unknown; readonly secret: boolean }>
>;

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

const travels = (key: string): boolean => (versionKeys as readonly string[]).includes(key);

/** Settings of a stack, and the groups of them that hold something secret. */
export interface StackSettings {
    readonly settings: Settings;
    readonly secretGroups: ReadonlySet<string>;
}

/**
 * Takes printed configuration apart.
 * @param project whose settings go without a prefix; those of providers keep theirs
 */
export function readSettings(printed: PrintedConfig, project: string): StackSettings {
    const settings = new Map<string, unknown>();
    const secretGroups = new Set<string>();
    for (const [key, { value, objectValue, secret }] of Object.entries(printed)) {
        const name = key.startsWith(`${project}:`) ? key.slice(project.length + 1) : key;
        if (secret) secretGroups.add(name);
        if (typeof objectValue === "object" && objectValue !== null && !Array.isArray(objectValue))
            for (const [member, inner] of Object.entries(objectValue)) settings.set(`${name}.${member}`, inner);
        else settings.set(name, objectValue ?? value);
    }
    return { settings, secretGroups };
}

/** A setting in which two stacks differ; undefined where a stack leaves it at its default. */
export interface Difference {
    readonly key: string;
    readonly from: unknown;
    readonly to: unknown;
    /** Whether the promotion takes it along. */
    readonly travels: boolean;
    /** Whether its values may be shown. In a group that holds a secret, only versions are. */
    readonly open: boolean;
}

/** In which settings two stacks differ, versions first, by name. */
export function differences(from: StackSettings, to: StackSettings): Difference[] {
    const keys = [...new Set([...from.settings.keys(), ...to.settings.keys()])].sort();
    const found = keys.flatMap((key): Difference[] => {
        const [one, other] = [from.settings.get(key), to.settings.get(key)];
        if (JSON.stringify(one) === JSON.stringify(other)) return [];
        const group = key.split(".")[0]!;
        const open = travels(key) || !(from.secretGroups.has(group) || to.secretGroups.has(group));
        return [{ key, from: one, to: other, travels: travels(key), open }];
    });
    return found.sort((one, other) => Number(other.travels) - Number(one.travels));
}

/** A version to set, or to take away when it is undefined. */
export interface VersionChange {
    readonly key: string;
    readonly value: string | undefined;
}

/** What gives `to` the versions of `from`. */
export function versionChanges(found: readonly Difference[]): VersionChange[] {
    return found.filter((one) => one.travels).map(({ key, from }) => ({ key, value: asText(from) }));
}

/** What gives `to` its own versions back. */
export function goingBack(found: readonly Difference[]): VersionChange[] {
    return found.filter((one) => one.travels).map(({ key, to }) => ({ key, value: asText(to) }));
}

const asText = (value: unknown): string | undefined =>
    value === undefined || typeof value === "string" ? value : JSON.stringify(value);

/** Why the versions can't travel as they are, each with its remedy. */
export function obstacles(from: StackSettings, to: StackSettings): string[] {
    const region = (settings: Settings): unknown => settings.get("alicloud:region");
    const image = from.settings.get("hosts.imageId");
    // Images that an account makes have another id in each region; the cloud's own have the same one everywhere.
    return typeof image === "string" && image.startsWith("m-") && region(from.settings) !== region(to.settings)
        ? [
              `hosts.imageId: "${image}" exists in one region only, and the stacks are in two: copy the image there and promote with hosts.imageName, or keep one region.`,
          ]
        : [];
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
export function unpinned({ settings }: StackSettings): string[] {
    return versionKeys.filter((key) => {
        const [service, setting] = key.split(".");
        return setting === "version" && settings.get(`${service}.enabled`) !== false && !settings.has(key);
    });
}

/** The words of a `pulumi` command that makes a change. */
export function configWords({ key, value }: VersionChange, stack: string): string[] {
    return value === undefined
        ? ["config", "rm", "--path", key, "--stack", stack]
        : ["config", "set", "--path", "--type", "string", key, value, "--stack", stack];
}
