import type { ModelClass } from "../wire";

type Scalar = "string" | "number" | "boolean";
type FieldType = Scalar | readonly [Scalar] | readonly [Fields] | Fields;
/** Members by wire name. A list holds the type of its items. */
export interface Fields {
    readonly [wireName: string]: FieldType;
}

type Decapitalized<Name extends string> = Uncapitalize<Name>;
type Value<T> = T extends "string"
    ? string
    : T extends "number"
      ? number
      : T extends "boolean"
        ? boolean
        : T extends readonly [infer Item]
          ? Value<Item>[]
          : T extends Fields
            ? Members<T>
            : never;
/** The data of a model of these fields; names begin in lower case, as in the vendor's classes. */
export type Members<F extends Fields> = { -readonly [K in keyof F & string as Decapitalized<K>]?: Value<F[K]> };

/** A model class like those of the vendor's SDK, for products whose SDK is not worth a dependency. */
export function model<const F extends Fields>(fields: F): ModelClass<Members<F>> {
    const names: Record<string, string> = {};
    const types: Record<string, unknown> = {};
    for (const [wireName, type] of Object.entries(fields)) {
        const property = wireName.charAt(0).toLowerCase() + wireName.slice(1);
        names[property] = wireName;
        types[property] = typeOf(type);
    }
    function Model(this: object, map?: Record<string, unknown>): void {
        Object.assign(this, map);
    }
    return Object.assign(Model, { names: () => names, types: () => types }) as unknown as ModelClass<Members<F>>;
}

/** A class of the vendor's SDK with members that it leaves out and clients send all the same. */
export function extended<T, const F extends Fields>(base: ModelClass<T>, fields: F): ModelClass<T & Members<F>> {
    const more = model(fields);
    function Model(this: object, map?: Record<string, unknown>): void {
        Object.assign(this, map);
    }
    return Object.assign(Model, {
        names: () => ({ ...base.names(), ...more.names() }),
        types: () => ({ ...base.types(), ...more.types() }),
    }) as unknown as ModelClass<T & Members<F>>;
}

function typeOf(type: FieldType): unknown {
    if (typeof type === "string") return type;
    if (Array.isArray(type)) return { type: "array", itemType: typeOf((type as readonly [FieldType])[0]) };
    return model(type as Fields);
}
