/** Pieces of answers that several ECS actions share. */
import type { Tags } from "../../model/state";

/** Tags as ECS answers them. */
export function tagsView(tags: Tags): {
    readonly tag: readonly { readonly tagKey: string; readonly tagValue: string }[];
} {
    return { tag: Object.entries(tags).map(([tagKey, tagValue]) => ({ tagKey, tagValue })) };
}

/** A time without its seconds, as ECS answers those of an instance: `2026-01-31T12:00Z`. */
export function minuteOf(time: string): string {
    return time.replace(/^(\d{4}-\d\d-\d\dT\d\d:\d\d):\d\dZ$/, "$1Z");
}
