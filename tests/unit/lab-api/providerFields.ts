/** Paths of an answer, with what the provider takes the value there for. */
export type ExpectedFields = Readonly<Record<string, string>>;

/** Every value at `A.B[].C`; a list that is not there or empty is a failure too, as it would prove nothing. */
function valuesAt(answer: unknown, path: string): unknown[] {
    let values: unknown[] = [answer];
    for (const part of path.split(".")) {
        const key = part.replace("[]", "");
        values = values.map((value) => (value as Record<string, unknown> | undefined)?.[key]);
        if (!part.endsWith("[]")) continue;
        if (!values.every((value) => Array.isArray(value) && value.length > 0)) return [undefined];
        values = values.flat();
    }
    return values;
}

function isOf(type: string, value: unknown): boolean {
    if (value === undefined || value === null) return false;
    if (type === "any") return true;
    return type === (Array.isArray(value) ? "list" : typeof value);
}

/** What the provider can't read of an answer, by its path. Types are `any`, `list` and those of `typeof`. */
export function unreadable(answer: unknown, expected: ExpectedFields): Record<string, string> {
    const sent: unknown = JSON.parse(JSON.stringify(answer));
    return Object.fromEntries(
        Object.entries(expected).filter(([path, type]) => !valuesAt(sent, path).every((value) => isOf(type, value))),
    );
}
