/** Limits of numbers, which every product checks alike and refuses in its own words. */

/** A check of a whole number: itself when it is within the limits, its default when it is absent, and else refused. */
export function withinLimits(refuseParameter: (wireName: string) => never) {
    return (
        value: number | undefined,
        [min, max]: readonly [number, number],
        wireName: string,
        fallback: number,
    ): number => {
        if (value === undefined) return fallback;
        return Number.isInteger(value) && value >= min && value <= max ? value : refuseParameter(wireName);
    };
}
