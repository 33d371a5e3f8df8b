import { Struct } from "google-protobuf/google/protobuf/struct_pb";

/** A value that the engine must keep encrypted. */
export class Secret {
    constructor(readonly value: Value) {}
}

/** A value that is not known yet, because what it depends on has not been created. */
export class Unknown {
    readonly isUnknown = true;
}

export const UNKNOWN = new Unknown();

export type Value = null | boolean | number | string | Secret | Unknown | Value[] | ValueMap;

export interface ValueMap {
    [key: string]: Value;
}

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const ASSET_SIGNATURE = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE_SIGNATURE = "0def7320c3a5731c473e5ecbe6d01bc7";

const UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
// The engine marks an unknown by what type it expects; to a plugin they all mean the same.
const UNKNOWN_TEXTS = new Set([
    UNKNOWN_TEXT,
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

export function isMap(value: Value | undefined): value is ValueMap {
    return (
        typeof value === "object" &&
        value !== null &&
        !Array.isArray(value) &&
        !(value instanceof Secret) &&
        !(value instanceof Unknown)
    );
}

export function isAsset(value: Value | undefined): value is ValueMap {
    return isMap(value) && value[SIGNATURE] === ASSET_SIGNATURE;
}

export function isArchive(value: Value | undefined): value is ValueMap {
    return isMap(value) && value[SIGNATURE] === ARCHIVE_SIGNATURE;
}

export function asset(content: ValueMap): ValueMap {
    return { [SIGNATURE]: ASSET_SIGNATURE, ...content };
}

export function archive(content: ValueMap): ValueMap {
    return { [SIGNATURE]: ARCHIVE_SIGNATURE, ...content };
}

function fromWire(wire: unknown): Value {
    if (wire === null || wire === undefined) {
        return null;
    }
    if (typeof wire === "string") {
        return UNKNOWN_TEXTS.has(wire) ? UNKNOWN : wire;
    }
    if (typeof wire !== "object") {
        return wire as boolean | number;
    }
    if (Array.isArray(wire)) {
        return wire.map(fromWire);
    }
    const object = wire as Record<string, unknown>;
    if (object[SIGNATURE] === SECRET_SIGNATURE) {
        return new Secret(fromWire(object["value"]));
    }
    if (object[SIGNATURE] === OUTPUT_SIGNATURE) {
        const value = "value" in object ? fromWire(object["value"]) : UNKNOWN;
        return object["secret"] === true ? new Secret(value) : value;
    }
    return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, fromWire(value)]));
}

function toWire(value: Value): unknown {
    if (value instanceof Unknown) {
        return UNKNOWN_TEXT;
    }
    if (value instanceof Secret) {
        return { [SIGNATURE]: SECRET_SIGNATURE, value: toWire(value.value) };
    }
    if (Array.isArray(value)) {
        return value.map(toWire);
    }
    if (isMap(value)) {
        return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toWire(member)]));
    }
    return value;
}

export function decode(struct: Struct | undefined): ValueMap {
    return struct === undefined ? {} : (fromWire(struct.toJavaScript()) as ValueMap);
}

export function encode(values: ValueMap): Struct {
    return Struct.fromJavaScript(toWire(values) as Parameters<typeof Struct.fromJavaScript>[0]);
}

/** The value without its secret marks, at every depth. */
export function plain(value: Value): Value {
    if (value instanceof Secret) {
        return plain(value.value);
    }
    if (Array.isArray(value)) {
        return value.map(plain);
    }
    if (isMap(value)) {
        return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
    }
    return value;
}

export function isUnknown(value: Value | undefined): boolean {
    return value instanceof Unknown || (value instanceof Secret && isUnknown(value.value));
}

export function containsUnknown(value: Value | undefined): boolean {
    if (value instanceof Unknown) {
        return true;
    }
    if (value instanceof Secret) {
        return containsUnknown(value.value);
    }
    if (Array.isArray(value)) {
        return value.some(containsUnknown);
    }
    return isMap(value) && Object.values(value).some(containsUnknown);
}

/** Equality of content: whether a value is marked secret makes no difference, an unknown equals nothing. */
export function equal(left: Value | undefined, right: Value | undefined): boolean {
    if (left instanceof Secret) {
        return equal(left.value, right);
    }
    if (right instanceof Secret) {
        return equal(left, right.value);
    }
    if (left === undefined || left === null || right === undefined || right === null) {
        return (left ?? null) === (right ?? null);
    }
    if (left instanceof Unknown || right instanceof Unknown) {
        return false;
    }
    if (Array.isArray(left) || Array.isArray(right)) {
        return (
            Array.isArray(left) &&
            Array.isArray(right) &&
            left.length === right.length &&
            left.every((member, index) => equal(member, right[index]))
        );
    }
    if ((isAsset(left) && isAsset(right)) || (isArchive(left) && isArchive(right))) {
        if (left["hash"] && right["hash"]) {
            return left["hash"] === right["hash"];
        }
    }
    if (isMap(left) && isMap(right)) {
        const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
        return [...keys].every((key) => equal(left[key], right[key]));
    }
    return left === right;
}

/** Texts inside values marked secret, wherever they are: what must not appear in a message. */
export function secretTexts(value: Value, inSecret = false): string[] {
    if (value instanceof Secret) {
        return secretTexts(value.value, true);
    }
    if (typeof value === "string") {
        return inSecret ? [value] : [];
    }
    if (Array.isArray(value)) {
        return value.flatMap((member) => secretTexts(member, inSecret));
    }
    return isMap(value) ? Object.values(value).flatMap((member) => secretTexts(member, inSecret)) : [];
}
