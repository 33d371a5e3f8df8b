import * as pulumi from "@pulumi/pulumi";

import type { Problems } from "./problems";
import { sha256 } from "./scripts";

/** Tags as Alibaba Cloud takes them: keys are known at preview, values may be outputs. */
export type Tags = Readonly<Record<string, pulumi.Input<string>>>;

/**
 * The caller's tags, and which project, stack and resource something belongs to: what an interrupted run has left behind is
 * found by them, and every cost on the bill has a name.
 */
export function tagsFor(resource: string, tags: Tags = {}): Record<string, pulumi.Input<string>> {
    return {
        ...tags,
        "multihost:project": pulumi.getProject(),
        "multihost:stack": pulumi.getStack(),
        "multihost:resource": resource,
    };
}

/** What the cloud keeps for itself, in keys and values. */
const reserved = /^(aliyun|acs:)|https?:\/\//i;

/** What ECS refuses in values; all others refuse `aliyun` and `acs:` at their beginning as well. */
export const reservedByEcs = /https?:\/\//i;

/**
 * Adds what Alibaba Cloud would refuse; three of its 20 tags are taken. Values that are outputs are not known yet.
 *
 * @param inValues what the values may not be.
 */
export function checkTags(problems: Problems, tags: Tags | undefined, inValues = reserved): void {
    const count = Object.keys(tags ?? {}).length;
    if (count > 17) {
        problems.add("tags", `${count} tags are too many: at most 17 beside the three that every resource gets.`);
    }
    for (const [key, value] of Object.entries(tags ?? {})) {
        if (key === "" || key.length > 128 || reserved.test(key)) {
            problems.add(
                `tags["${key}"]`,
                "a key has 1 to 128 characters, doesn't start with aliyun or acs: and holds no http:// or https://.",
            );
        }
        if (typeof value === "string" && (value.length > 128 || inValues.test(value))) {
            problems.add(
                `tags["${key}"]`,
                "a value has up to 128 characters, doesn't start with aliyun or acs: and holds no http:// or https://.",
            );
        }
        if (key.startsWith("multihost:")) {
            problems.add(`tags["${key}"]`, "keys that start with multihost: are set by the components.");
        }
    }
}

/**
 * A name that is unique in the account's region, for what Alibaba Cloud identifies by name. It begins with a letter, as the cloud asks of most
 * names; a project's may begin with a digit.
 *
 * @param longest how many characters the cloud takes
 */
export function physicalName(name: string, longest = 128): string {
    const plain = `${pulumi.getProject()}-${pulumi.getStack()}-${name}`.replace(/[^A-Za-z0-9_-]/g, "-");
    // With a digest, since a letter alone might make it the name of another project's resource.
    return shortened(/^[A-Za-z]/.test(plain) ? plain : `p${sha256(plain).slice(0, 8)}-${plain}`, longest);
}

/** A name that is too long, cut to `longest` characters, the last of which are a digest of the whole: what tells names apart is at their end. */
export function shortened(name: string, longest: number): string {
    return name.length <= longest ? name : `${name.slice(0, longest - 9)}-${sha256(name).slice(0, 8)}`;
}

/** Adds a problem when a component's name can't be the beginning of its resources' names on Alibaba Cloud. */
export function checkName(problems: Problems, name: string, longest: number, path = "name"): void {
    if (!/^[a-z](-?[a-z0-9])*$/.test(name) || name.length > longest) {
        problems.add(
            path,
            `"${name}" can't name resources: up to ${longest} lower-case letters, digits and single hyphens, beginning with a letter.`,
        );
    }
}
