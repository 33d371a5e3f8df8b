/** Which versions the project pins, and which found on a machine will do. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./folders";

export interface Versions {
    /** Pulumi CLI and engine. */
    readonly pulumi: string;
    readonly alicloud: string;
    readonly command: string;
    readonly tls: string;
}

/**
 * The versions that package.json pins: a plugin has the version of its npm package, and the CLI that of `@pulumi/pulumi`,
 * so that there is one place to change.
 */
export function pinnedVersions(folder = root): Versions {
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
        dependencies?: Record<string, string>;
    };
    const pinned = (name: string): string => {
        const version = manifest.dependencies?.[name];
        if (version === undefined || !/^\d+\.\d+\.\d+$/.test(version))
            throw new Error(`package.json must pin an exact version of ${name}, it has ${version ?? "none"}`);
        return version;
    };
    return {
        pulumi: pinned("@pulumi/pulumi"),
        alicloud: pinned("@pulumi/alicloud"),
        command: pinned("@pulumi/command"),
        tls: pinned("@pulumi/tls"),
    };
}

interface Parsed {
    readonly numbers: readonly [number, number, number];
    readonly isPrerelease: boolean;
}

function parse(version: string): Parsed | undefined {
    const match = /^(?:v|go)?(\d+)\.(\d+)(?:\.(\d+))?(-[\w.]+|(?:rc|beta)\d+)?/.exec(version.trim());
    if (match === null) return undefined;
    return {
        numbers: [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)],
        isPrerelease: match[4] !== undefined,
    };
}

/** Negative, zero or positive as `a` is older than, the same as or newer than `b`; a pre-release is older than its release. */
export function compareVersions(a: string, b: string): number {
    const [left, right] = [parse(a), parse(b)];
    if (left === undefined || right === undefined) throw new Error(`not a version: ${left === undefined ? a : b}`);
    for (const index of [0, 1, 2] as const) {
        const difference = left.numbers[index] - right.numbers[index];
        if (difference !== 0) return difference;
    }
    return Number(right.isPrerelease) - Number(left.isPrerelease);
}

/**
 * Whether a Pulumi CLI that a machine already has will do: the pinned version or a later one of the same major version.
 * An older engine may not know what the pinned SDK sends; a later one of the same major version does by Pulumi's promise.
 */
export function isNewEnough(found: string, pinned: string): boolean {
    const parsed = parse(found);
    if (parsed === undefined || parsed.numbers[0] !== parse(pinned)?.numbers[0]) return false;
    return compareVersions(found, pinned) >= 0;
}
