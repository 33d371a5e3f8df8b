/** What every list of resources has in common: pages, and filters by tag, name and region. */
import type { Tags } from "../model/state";
import { CloudError } from "./errors";

/** One page of a list, with the numbers that the answer repeats. */
export interface Page<T> {
    readonly items: readonly T[];
    readonly totalCount: number;
    readonly pageNumber: number;
    readonly pageSize: number;
}

/**
 * Cuts a page out of a list.
 * @param limits default and largest `PageSize` of the action; 10 and 50 where the documentation says nothing.
 * @throws CloudError `InvalidParameter` for a page that can't be.
 */
export function paginate<T>(
    items: readonly T[],
    asked: { readonly pageNumber?: number; readonly pageSize?: number },
    limits: { readonly default?: number; readonly max?: number } = {},
): Page<T> {
    const { pageNumber = 1, pageSize = limits.default ?? 10 } = asked;
    if (!Number.isInteger(pageNumber) || pageNumber < 1)
        throw new CloudError("InvalidParameter", 'The specified parameter "PageNumber" is not valid.');
    if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > (limits.max ?? 50))
        throw new CloudError("InvalidParameter", 'The specified parameter "PageSize" is not valid.');
    return {
        items: items.slice((pageNumber - 1) * pageSize, pageNumber * pageSize),
        totalCount: items.length,
        pageNumber,
        pageSize,
    };
}

/**
 * Cuts a page out of a list that is walked by tokens. `nextToken` is absent on the last page.
 * @throws CloudError `InvalidNextToken` for a token that this list did not hand out.
 */
export function paginateByToken<T>(
    items: readonly T[],
    asked: { readonly nextToken?: string; readonly maxResults?: number },
    limits: { readonly default: number; readonly max: number },
): { readonly items: readonly T[]; readonly nextToken?: string; readonly maxResults: number } {
    const { maxResults = limits.default, nextToken = "" } = asked;
    if (!Number.isInteger(maxResults) || maxResults < 1 || maxResults > limits.max)
        throw new CloudError("InvalidParameter", 'The specified parameter "MaxResults" is not valid.');
    const start = nextToken === "" ? 0 : Number(/^from-(\d+)$/.exec(decode(nextToken))?.[1]);
    if (Number.isNaN(start))
        throw new CloudError("InvalidNextToken", 'The specified parameter "NextToken" is not valid.');
    const end = start + maxResults;
    return {
        items: items.slice(start, end),
        maxResults,
        ...(end < items.length && { nextToken: Buffer.from(`from-${end}`).toString("base64") }),
    };
}

function decode(token: string): string {
    return Buffer.from(token, "base64").toString();
}

/** A `Tag.N` of a request. */
export interface TagPair {
    readonly key?: string;
    readonly value?: string;
}

/** Whether a resource has all the tags; one without a value asks for the key only. */
export function hasTags(resource: { readonly tags: Tags }, asked: readonly TagPair[] | undefined): boolean {
    return (asked ?? []).every(
        ({ key = "", value = "" }) =>
            key === "" || (Object.hasOwn(resource.tags, key) && (value === "" || resource.tags[key] === value)),
    );
}

/** Why tags of a request can't be set. */
export type TagProblem = "key" | "value" | "duplicate" | "count";

/** Reserved by the cloud for itself. */
const reserved = /^(aliyun|acs:)|https?:\/\//i;

/** Checks tags that are to be set: at most 20, keys of 1 to 128 and values of up to 128 characters, no reserved words. */
export function tagProblem(asked: readonly TagPair[] | undefined): TagProblem | undefined {
    const tags = asked ?? [];
    if (tags.length > 20) return "count";
    for (const { key = "", value = "" } of tags) {
        if (key === "" || key.length > 128 || reserved.test(key)) return "key";
        if (value.length > 128 || reserved.test(value)) return "value";
    }
    return new Set(tags.map(({ key }) => key)).size < tags.length ? "duplicate" : undefined;
}

/** Tags of a request as the model keeps them. */
export function toTags(asked: readonly TagPair[] | undefined): Tags {
    return Object.fromEntries((asked ?? []).map(({ key = "", value = "" }) => [key, value]));
}

/** Whether a filter is absent or met; an empty string is no filter. */
export function matches<T extends string | boolean | number>(asked: T | undefined, actual: T): boolean {
    return asked === undefined || asked === "" || asked === actual;
}

/** The same for a filter that lists values separated by commas. */
export function matchesAny(asked: string | undefined, actual: string): boolean {
    return (
        asked === undefined ||
        asked === "" ||
        asked
            .split(",")
            .map((value) => value.trim())
            .includes(actual)
    );
}

/** Resources of a region, oldest first. */
export function inRegion<T extends { readonly regionId: string }>(
    resources: Readonly<Record<string, T>>,
    regionId: string,
): T[] {
    return Object.values(resources).filter((resource) => resource.regionId === regionId);
}

/** A resource of a region by its id; undefined also for one of another region, which the cloud doesn't see either. */
export function findInRegion<T extends { readonly regionId: string }>(
    resources: Readonly<Record<string, T>>,
    regionId: string,
    id: string | undefined,
): T | undefined {
    const resource = id !== undefined && Object.hasOwn(resources, id) ? resources[id] : undefined;
    return resource?.regionId === regionId ? resource : undefined;
}
