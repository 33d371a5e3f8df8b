import { isArchive, isAsset, isMap, isUnknown, Secret, Unknown, type Value, type ValueMap } from "./values";

/** The contract of one input property. */
export type Field = {
    readonly required?: boolean;
    /** Kept encrypted whether or not the program marked it. */
    readonly secret?: boolean;
    readonly default?: boolean | number | string;
    /** Why a value of the right type is refused, or undefined when it is fine. */
    readonly problem?: (value: Value) => string | undefined;
} & (
    | { readonly type: "string" | "number" | "integer" | "boolean" | "any" | "assetOrArchive" }
    | { readonly type: "list" | "map"; readonly items: Field }
    | { readonly type: "object"; readonly fields: Fields }
);

export type Fields = Readonly<Record<string, Field>>;

export interface Failure {
    readonly property: string;
    readonly reason: string;
}

export interface Checked {
    readonly inputs: ValueMap;
    readonly failures: Failure[];
}

function typeName(value: Value): string {
    if (isAsset(value)) {
        return "asset";
    }
    if (isArchive(value)) {
        return "archive";
    }
    return Array.isArray(value) ? "list" : isMap(value) ? "object" : typeof value;
}

function hasType(value: Value, type: Field["type"]): boolean {
    switch (type) {
        case "any":
            return true;
        case "integer":
            return Number.isInteger(value);
        case "list":
            return Array.isArray(value);
        case "map":
        case "object":
            return isMap(value);
        case "assetOrArchive":
            return isAsset(value) || isArchive(value);
        default:
            return typeof value === type;
    }
}

function checkValue(path: string, value: Value, field: Field, failures: Failure[]): Value {
    if (value instanceof Secret) {
        const inner = checkValue(path, value.value, field, failures);
        return inner instanceof Secret ? inner : new Secret(inner);
    }
    const checked = value instanceof Unknown ? value : checkKnown(path, value, field, failures);
    return field.secret ? new Secret(checked) : checked;
}

function checkKnown(path: string, value: Value, field: Field, failures: Failure[]): Value {
    if (!hasType(value, field.type)) {
        // The value itself stays out of the message: it may be a secret in the wrong place.
        failures.push({ property: path, reason: `'${path}' must be of type ${field.type}, got ${typeName(value)}` });
        return value;
    }
    const problem = field.problem?.(value);
    if (problem !== undefined) {
        failures.push({ property: path, reason: problem });
    }
    if (field.type === "list") {
        return (value as Value[]).map((member, index) =>
            checkValue(`${path}[${index}]`, member, field.items, failures),
        );
    }
    if (field.type === "map") {
        return Object.fromEntries(
            Object.entries(value as ValueMap).map(([key, member]) => [
                key,
                checkValue(`${path}.${key}`, member, field.items, failures),
            ]),
        );
    }
    return field.type === "object" ? checkFields(path, value as ValueMap, field.fields, failures) : value;
}

function checkFields(path: string, values: ValueMap, fields: Fields, failures: Failure[]): ValueMap {
    const at = (key: string) => (path === "" ? key : `${path}.${key}`);
    const result: ValueMap = {};
    for (const [key, value] of Object.entries(values)) {
        const field = fields[key];
        if (field !== undefined) {
            if (value !== null) {
                result[key] = checkValue(at(key), value, field, failures);
            }
        } else if (!key.startsWith("__") && !(path === "" && key === "version")) {
            failures.push({ property: at(key), reason: `unrecognized property '${at(key)}'` });
        }
    }
    for (const [key, field] of Object.entries(fields)) {
        if (result[key] !== undefined) {
            continue;
        }
        if (field.default !== undefined) {
            result[key] = field.default;
        } else if (field.required) {
            failures.push({ property: at(key), reason: `missing required property '${at(key)}'` });
        }
    }
    return result;
}

/** Checks inputs against their contract, fills in defaults and marks secrets. All problems are reported at once. */
export function check(fields: Fields, inputs: ValueMap): Checked {
    const failures: Failure[] = [];
    return { inputs: checkFields("", inputs, fields, failures), failures };
}

/** True when a property is given and its value is known. */
export function isKnown(value: Value | undefined): value is Value {
    return value !== undefined && value !== null && !isUnknown(value);
}
