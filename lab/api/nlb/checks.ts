/** Checks that several NLB actions share. This product says `IllegalParam` of a value that can't be. */
import { refuse } from "../ecs/checks";
import { withinLimits } from "../limits";
import { TagPair, tagProblem } from "../listing";

export { refuse, valueOr } from "../ecs/checks";

/** Refuses a parameter's value. */
export function refuseParameter(wireName: string): never {
    refuse(`IllegalParam.${wireName}`, `The param of ${wireName} is illegal.`);
}

/** The value of a parameter if it is one of those that there are; its default when it is absent or empty. */
export function oneOf<const T extends string>(
    value: string | undefined,
    allowed: readonly T[],
    wireName: string,
    fallback: T,
): T {
    if (value === undefined || value === "") return fallback;
    return allowed.find((candidate) => candidate.toLowerCase() === value.toLowerCase()) ?? refuseParameter(wireName);
}

/** A whole number within limits; its default when it is absent. */
export const within = withinLimits(refuseParameter);

/** A name of 2 to 128 letters, digits, `.`, `_` and `-` that begins with a letter. */
export function checkName(name: string | undefined, wireName: string): void {
    if (name !== undefined && name !== "" && !/^\p{Letter}[\p{Letter}\p{Number}._-]{1,127}$/u.test(name))
        refuseParameter(wireName);
}

/** Refuses tags that can't be set. */
export function checkTags(tags: readonly TagPair[] | undefined): void {
    const problem = tagProblem(tags);
    if (problem === undefined) return;
    if (problem === "count") refuse("QuotaExceeded.TagsPerResource", "The quota of tags per resource is exceeded.");
    refuseParameter(problem === "value" ? "TagValue" : "TagKey");
}
