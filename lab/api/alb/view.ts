import type { Tags } from "../../model/state";

/** Tags as this product answers them. */
export function tagsView(tags: Tags): { readonly key: string; readonly value: string }[] {
    return Object.entries(tags).map(([key, value]) => ({ key, value }));
}
