/** Parts of answers that several resources share. */
import type { Tags } from "../../model/state";

/** `Tags.Tag[]` of VPC, VSwitch, route table and EIP. */
export function tagsView(tags: Tags): { tag: { key: string; value: string }[] } {
    return { tag: Object.entries(tags).map(([key, value]) => ({ key, value })) };
}
