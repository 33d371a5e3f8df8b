/**
 * Between the flat parameters of an RPC request (`Tag.1.Key=a`) or the JSON of an answer and typed values. Wire names
 * and types come from the vendor's own TypeScript SDK: each of its model classes carries `names()` and `types()`.
 */
import { CloudError, invalidParameter } from "./errors";

/** A model class of the vendor's SDK. */
export interface ModelClass<T = object> {
    new (map?: Record<string, unknown>): T;
    names(): Record<string, string>;
    types(): Record<string, unknown>;
}

type Declared<T> = {
    [K in keyof T as string extends K ? never : K extends "toMap" | "validate" | "copyWithoutStream" ? never : K]: T[K];
};

/** The data of a model class without its methods and its index signature, all the way down. */
export type Plain<T> = T extends string | number | boolean | undefined
    ? T
    : T extends readonly (infer E)[]
      ? readonly Plain<E>[]
      : T extends object
        ? { readonly [K in keyof Declared<T>]: Plain<Declared<T>[K]> }
        : T;

interface Tree {
    [key: string]: Tree | string;
}

/** Flat `A.1.B` parameters as a tree; list positions stay keys here. */
function toTree(flat: ReadonlyMap<string, string>): Tree {
    const root: Tree = Object.create(null) as Tree;
    for (const [key, value] of flat) {
        const path = key.split(".");
        let node = root;
        for (const part of path.slice(0, -1)) {
            const next = node[part];
            if (typeof next === "object") node = next;
            else node = node[part] = Object.create(null) as Tree;
        }
        const last = path[path.length - 1]!;
        if (typeof node[last] !== "object") node[last] = value;
    }
    return root;
}

function isModelClass(type: unknown): type is ModelClass {
    return typeof type === "function" && "names" in type;
}

function listItems(node: Tree): (Tree | string)[] {
    return Object.keys(node)
        .filter((key) => /^\d+$/.test(key))
        .sort((a, b) => Number(a) - Number(b))
        .map((key) => node[key]!);
}

function parseValue(type: unknown, node: Tree | string, wireName: string): unknown {
    if (isModelClass(type))
        return typeof node === "object" ? parseModel(type, node, wireName) : parseJson(type, node, wireName);
    if (typeof type === "object" && type !== null) {
        const { type: kind, itemType, valueType } = type as { type: string; itemType?: unknown; valueType?: unknown };
        if (kind === "array") {
            // Newer clients send a list as one JSON parameter.
            if (typeof node === "string")
                return node.startsWith("[")
                    ? parseJson(type, node, wireName)
                    : node === ""
                      ? undefined
                      : [parseValue(itemType, node, wireName)];
            return listItems(node).map((item, i) => parseValue(itemType, item, `${wireName}.${i + 1}`));
        }
        if (kind === "map") {
            if (typeof node === "string") return parseJson(type, node, wireName);
            return Object.fromEntries(
                Object.entries(node).map(([key, item]) => [
                    key,
                    parseValue(valueType ?? "string", item, `${wireName}.${key}`),
                ]),
            );
        }
    }
    if (typeof node !== "string") return undefined;
    switch (type) {
        case "number": {
            if (node === "") return undefined;
            const value = Number(node);
            if (!Number.isFinite(value))
                throw invalidParameter(wireName, `The specified parameter "${wireName}" must be a number.`);
            return value;
        }
        case "boolean":
            if (node === "") return undefined;
            if (/^true$/i.test(node)) return true;
            if (/^false$/i.test(node)) return false;
            throw invalidParameter(wireName, `The specified parameter "${wireName}" must be true or false.`);
        default:
            return node;
    }
}

function parseJson(type: unknown, text: string, wireName: string): unknown {
    if (text === "") return undefined;
    let value: unknown;
    try {
        value = JSON.parse(text);
    } catch {
        throw invalidParameter(wireName, `The specified parameter "${wireName}" is not valid JSON.`);
    }
    // A string in a string would go on like this without an end.
    if (typeof value === "string") throw wrongType(wireName);
    return fromJson(type, value, wireName);
}

/** A value out of JSON, with the names and types that the same would have had as flat parameters. */
function fromJson(type: unknown, value: unknown, wireName: string): unknown {
    if (value === null || value === undefined) return undefined;
    if (typeof value === "string") return parseValue(type, value, wireName);
    if (isModelClass(type)) {
        if (!isObject(value)) throw wrongType(wireName);
        return membersOf(type, (name) => at(value, name), fromJson, wireName);
    }
    if (typeof type === "object" && type !== null) {
        const { type: kind, itemType, valueType } = type as { type: string; itemType?: unknown; valueType?: unknown };
        if (kind === "array") {
            if (!Array.isArray(value)) throw wrongType(wireName);
            return value.map((item: unknown, i) => {
                const name = `${wireName}.${i + 1}`;
                if (item === null) throw wrongType(name);
                return fromJson(itemType, item, name);
            });
        }
        if (kind === "map") {
            if (!isObject(value)) throw wrongType(wireName);
            return Object.fromEntries(
                Object.entries(value).map(([key, item]) => [key, fromJson(valueType, item, `${wireName}.${key}`)]),
            );
        }
    }
    switch (type) {
        case "number":
        case "boolean":
            if (typeof value !== type) throw wrongType(wireName);
            return value;
        case "string":
            // Whoever writes `"Port": 80` means the same as with `Port=80`.
            if (typeof value === "object") throw wrongType(wireName);
            return JSON.stringify(value);
        default:
            return value;
    }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrongType(wireName: string): CloudError {
    return invalidParameter(wireName, `The specified parameter "${wireName}" is of the wrong type.`);
}

interface Described {
    readonly names: Readonly<Record<string, string>>;
    readonly types: Readonly<Record<string, unknown>>;
}

const described = new WeakMap<ModelClass, Described>();

/** Names and types of a class. The vendor's methods build both anew at every call, with dozens of members. */
function describe(cls: ModelClass): Described {
    let known = described.get(cls);
    if (!known) {
        known = { names: cls.names(), types: cls.types() };
        described.set(cls, known);
    }
    return known;
}

/** What stands under a wire name; some hold a dot (`Filter.1.Key` of old products). */
function at(node: Readonly<Record<string, unknown>>, wireName: string): unknown {
    let child: unknown = node;
    for (const part of wireName.split("."))
        child = isObject(child) && Object.hasOwn(child, part) ? child[part] : undefined;
    return child;
}

function parseModel(cls: ModelClass, node: Tree, prefix = ""): Record<string, unknown> {
    return membersOf(cls, (name) => at(node, name) as Tree | string | undefined, parseValue, prefix);
}

/** The members of a class, by property, out of what stands under their wire names. */
function membersOf<T>(
    cls: ModelClass,
    find: (wireName: string) => T | undefined,
    parse: (type: unknown, found: T, wireName: string) => unknown,
    prefix: string,
): Record<string, unknown> {
    const { names, types } = describe(cls);
    const result: Record<string, unknown> = {};
    for (const [property, wireName] of Object.entries(names)) {
        const found = find(wireName);
        if (found === undefined) continue;
        const value = parse(types[property], found, prefix === "" ? wireName : `${prefix}.${wireName}`);
        if (value !== undefined) result[property] = value;
    }
    return result;
}

/**
 * A typed request from flat parameters. Parameters that the vendor does not know are ignored, as the cloud does.
 * @throws CloudError `InvalidParameter` for a value of the wrong type.
 */
export function parseRequest<T>(cls: ModelClass<T>, flat: ReadonlyMap<string, string>): Plain<T> {
    return parseModel(cls as ModelClass, toTree(flat)) as Plain<T>;
}

/** Holds members, by wire name, that the cloud answers although the vendor's SDK does not list them. */
export const unlisted = Symbol("unlisted");

/** The JSON object of an answer, with the vendor's wire names; undefined members are left out. */
export function serialize(cls: ModelClass, value: object): Record<string, unknown> {
    const { names, types } = describe(cls);
    const result: Record<string, unknown> = {};
    for (const [property, member] of Object.entries(value)) {
        if (member === undefined) continue;
        const wireName = names[property];
        if (wireName === undefined)
            throw new CloudError("InternalError", `The lab has no wire name for "${property}" of ${cls.name}.`, 500);
        result[wireName] = serializeValue(types[property], member);
    }
    if (unlisted in value) {
        Object.assign(result, value[unlisted]);
        // Remembered for `answerProblems`, and seen by nobody else.
        Object.defineProperty(result, unlisted, { value: value[unlisted] });
    }
    return result;
}

function serializeValue(type: unknown, value: unknown): unknown {
    if (isModelClass(type)) return value === null ? null : serialize(type, value as object);
    if (typeof type === "object" && type !== null) {
        const { type: kind, itemType } = type as { type: string; itemType?: unknown };
        if (kind === "array" && Array.isArray(value)) return value.map((item) => serializeValue(itemType, item));
    }
    return value;
}

/**
 * What is wrong with an answer by the vendor's own classes: unknown names, values of another type, `null`. Strongly
 * typed clients fail on these, so tests look at every answer.
 */
export function answerProblems(cls: ModelClass, body: Readonly<Record<string, unknown>>, path = ""): string[] {
    const { names, types } = describe(cls);
    const properties = new Map(Object.entries(names).map(([property, wireName]) => [wireName, property]));
    const extra = (body as { readonly [unlisted]?: object })[unlisted] ?? {};
    return Object.entries(body).flatMap(([wireName, value]) => {
        if (Object.hasOwn(extra, wireName)) return [];
        const property = properties.get(wireName);
        const here = path === "" ? wireName : `${path}.${wireName}`;
        return property === undefined ? [`${here} is not in ${cls.name}`] : typeProblems(types[property], value, here);
    });
}

function typeProblems(type: unknown, value: unknown, path: string): string[] {
    if (value === null) return [`${path} is null`];
    if (isModelClass(type))
        return typeof value === "object" && !Array.isArray(value)
            ? answerProblems(type, value as Record<string, unknown>, path)
            : [`${path} is not an object`];
    if (typeof type === "object" && type !== null) {
        const { type: kind, itemType, valueType } = type as { type: string; itemType?: unknown; valueType?: unknown };
        if (kind === "array")
            return Array.isArray(value)
                ? value.flatMap((item, i) => typeProblems(itemType, item, `${path}[${i}]`))
                : [`${path} is not a list`];
        if (kind === "map")
            return typeof value === "object" && !Array.isArray(value)
                ? Object.entries(value).flatMap(([key, item]) => typeProblems(valueType, item, `${path}.${key}`))
                : [`${path} is not a map`];
        return [];
    }
    if (typeof type !== "string" || type === "any") return [];
    return typeof value === type ? [] : [`${path} is a ${typeof value}, not a ${type}`];
}
