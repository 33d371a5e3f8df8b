import type { Tags } from "../../model/state";

/** Tags as this product answers them. */
export function tagsView(tags: Tags): { readonly key: string; readonly value: string }[] {
    return Object.entries(tags).map(([key, value]) => ({ key, value }));
}

/** Whether a filter that lists values is absent or met. */
export function among(asked: readonly string[] | undefined, actual: string): boolean {
    return asked === undefined || asked.length === 0 || asked.includes(actual);
}
