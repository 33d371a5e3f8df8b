/** Checks that several SLB actions share. This product answers most of what is wrong with `InvalidParameter`. */
import { refuse } from "../ecs/checks";
import { withinLimits } from "../limits";
import { TagPair, tagProblem } from "../listing";

export { refuse, valueOr } from "../ecs/checks";

/** Refuses a parameter's value. */
export function refuseParameter(wireName: string): never {
    refuse("InvalidParameter", `The specified ${wireName} is invalid.`);
}

/** The value of a parameter if it is one of those that there are; its default when it is absent or empty. */
export function oneOf<const T extends string>(
    value: string | undefined,
    allowed: readonly T[],
    wireName: string,
    fallback: T,
): T {
    if (value === undefined || value === "") return fallback;
    return allowed.find((candidate) => candidate === value) ?? refuseParameter(wireName);
}

/** Whether a parameter says `on`. */
export function isOn(value: string | undefined, wireName: string, fallback: boolean): boolean {
    return oneOf(value, ["on", "off"], wireName, fallback ? "on" : "off") === "on";
}

/** A whole number within limits; its default when it is absent. */
export const within = withinLimits(refuseParameter);

/** A name of 1 to 80 letters, digits, `-`, `/`, `.` and `_`. */
export function checkName(name: string | undefined, wireName: string): void {
    if (name !== undefined && name !== "" && !/^[\p{Letter}\p{Number}/._-]{1,80}$/u.test(name))
        refuseParameter(wireName);
}

/** Refuses tags that can't be set. */
export function checkTags(tags: readonly TagPair[] | undefined): void {
    switch (tagProblem(tags)) {
        case "key":
            return refuse("InvalidTagKey", "The tag keys are not valid.");
        case "value":
            return refuse("InvalidTagValue", "The tag values are not valid.");
        case "count":
            return refuse("SizeLimitExceeded.TagNum", "The maximum number of tags is exceeded.");
        case "duplicate":
            return refuse("Duplicate.TagKey", "The Tag.N.Key contain duplicate key.");
        case undefined:
            return;
    }
}

/**
 * A list that stands in one parameter as JSON, or as what the provider takes for it: with single quotes.
 * @throws CloudError `InvalidParameter` when it is neither, or not a list.
 */
export function parseList(text: string | undefined, wireName: string): readonly unknown[] {
    for (const candidate of [text ?? "[]", (text ?? "").replaceAll("'", '"')])
        try {
            const value: unknown = JSON.parse(candidate);
            if (Array.isArray(value)) return value as unknown[];
        } catch {
            // The other spelling may fit.
        }
    return refuseParameter(wireName);
}

/**
 * The same for a list of objects, whose members come as text.
 * @param only the member that a text in place of an object stands for; absent where there is no such form.
 */
export function parseItems(
    text: string | undefined,
    wireName: string,
    only?: string,
): readonly Readonly<Record<string, string>>[] {
    return parseList(text, wireName).map((item) => {
        if (typeof item === "string" && only !== undefined) return { [only]: item.trim() };
        if (typeof item !== "object" || item === null) return refuseParameter(wireName);
        return Object.fromEntries(
            Object.entries(item).map(([key, value]) => [key, typeof value === "string" ? value.trim() : String(value)]),
        );
    });
}
