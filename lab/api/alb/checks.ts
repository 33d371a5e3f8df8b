/** Checks that several ALB actions share. This product names what is wrong after the dot: `IllegalParam.Priority`. */
import { refuse } from "../ecs/checks";
import { withinLimits } from "../limits";
import { TagPair, tagProblem } from "../listing";

export { refuse, valueOr } from "../ecs/checks";

/** Refuses a parameter's value. */
export function refuseParameter(wireName: string): never {
    refuse(`IllegalParam.${wireName}`, `The param of ${wireName} is illegal.`);
}

/** Refuses more of something than the account may have. */
export function refuseQuota(what: string): never {
    refuse(`QuotaExceeded.${what}`, `The quota of ${what} is exceeded.`);
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

/** A whole number within limits; its default when it is absent. */
export const within = withinLimits(refuseParameter);

/** A name of 2 to 128 letters, digits, `.`, `_`, `-` and spaces that begins with a letter or a digit. */
export function checkName(name: string | undefined, wireName: string): void {
    if (name && !/^[\p{Letter}\p{Number}][\p{Letter}\p{Number}._ -]{1,127}$/u.test(name)) refuseParameter(wireName);
}

/** Refuses tags that can't be set. */
export function checkTags(tags: readonly TagPair[] | undefined): void {
    switch (tagProblem(tags)) {
        case "key":
            return refuseParameter("TagKey");
        case "value":
            return refuseParameter("TagValue");
        case "count":
            return refuseQuota("TagsNum");
        case "duplicate":
            return refuse("Duplicated.TagKey", "The tag keys are duplicated.");
        case undefined:
            return;
    }
}
