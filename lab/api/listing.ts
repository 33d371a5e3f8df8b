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

/** Sizes of the pages of a list that is walked by tokens. */
export interface TokenLimits {
    readonly default: number;
    readonly max: number;
    /** Where the cloud takes a size outside of its limits for the nearest one within: the smallest. Elsewhere it refuses such a size. */
    readonly clampFrom?: number;
}

/**
 * Cuts a page out of a list that is walked by tokens. `nextToken` is absent on the last page.
 * @throws CloudError `InvalidNextToken` for a token that this list did not hand out.
 */
export function paginateByToken<T>(
    items: readonly T[],
    asked: { readonly nextToken?: string; readonly maxResults?: number },
    limits: TokenLimits,
): { readonly items: readonly T[]; readonly nextToken?: string; readonly maxResults: number } {
    const { nextToken = "" } = asked;
    const maxResults = sizeOf(asked.maxResults ?? limits.default, limits);
    const rest = nextToken === "" ? items : behind(items, markOf(nextToken));
    const page = rest.slice(0, maxResults);
    return {
        items: page,
        maxResults,
        ...(page.length < rest.length && { nextToken: tokenBehind(items, page, items.length - rest.length) }),
    };
}

function sizeOf(asked: number, { max, clampFrom }: TokenLimits): number {
    if (!Number.isInteger(asked) || (clampFrom === undefined && (asked < 1 || asked > max)))
        throw new CloudError("InvalidParameter", 'The specified parameter "MaxResults" is not valid.');
    return clampFrom === undefined ? asked : Math.min(max, Math.max(clampFrom, asked));
}

/** What a token holds: how far a walk has come, whatever is made or deleted before its next step. */
interface Mark {
    /** Number of items shown: the place of a walk among what has no time and id, such as tags. */
    readonly shown: number;
    /** When the last one shown was made. */
    readonly at?: string;
    /** Ids of those shown that were made then. */
    readonly ids?: readonly string[];
    readonly newestFirst?: boolean;
}

interface Dated {
    readonly id: string;
    readonly createdAt: string;
}

function isDated(item: unknown): item is Dated {
    const { id, createdAt } = (item ?? {}) as Partial<Record<keyof Dated, unknown>>;
    return typeof id === "string" && typeof createdAt === "string";
}

/** The end of an id, which is random: of many the whole ones would not fit into a URL. */
function short(id: string): string {
    return id.slice(-8);
}

function tokenBehind<T>(items: readonly T[], page: readonly T[], before: number): string {
    const [last, newest, oldest] = [page.at(-1), items[0], items.at(-1)];
    const mark: Mark = {
        shown: before + page.length,
        ...(isDated(last) && {
            at: last.createdAt,
            ids: items
                .slice(0, before + page.length)
                .flatMap((item) => (isDated(item) && item.createdAt === last.createdAt ? [short(item.id)] : [])),
            newestFirst: isDated(newest) && isDated(oldest) && newest.createdAt > oldest.createdAt,
        }),
    };
    return Buffer.from(JSON.stringify(mark)).toString("base64url");
}

function markOf(token: string): Mark {
    try {
        const mark = JSON.parse(Buffer.from(token, "base64url").toString()) as Mark;
        if (Number.isInteger(mark.shown) && mark.shown > 0 && (mark.at === undefined || Array.isArray(mark.ids)))
            return mark;
    } catch {
        // Told below.
    }
    throw new CloudError("InvalidNextToken", 'The specified parameter "NextToken" is not valid.');
}

function behind<T>(items: readonly T[], { shown, at, ids = [], newestFirst = false }: Mark): readonly T[] {
    if (at === undefined) return items.slice(shown);
    return items.filter(
        (item) =>
            isDated(item) &&
            (item.createdAt === at ? !ids.includes(short(item.id)) : newestFirst === item.createdAt < at),
    );
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

/** Reserved by the cloud for itself: in keys everywhere, in values of most products. */
export const reserved = /^(aliyun|acs:)|https?:\/\//i;

/**
 * Checks tags that are to be set: at most 20, keys of 1 to 128 and values of up to 128 characters, no reserved words.
 * @param inValues what the product's values may not be.
 */
export function tagProblem(asked: readonly TagPair[] | undefined, inValues = reserved): TagProblem | undefined {
    const tags = asked ?? [];
    if (tags.length > 20) return "count";
    for (const { key = "", value = "" } of tags) {
        if (key === "" || key.length > 128 || reserved.test(key)) return "key";
        if (value.length > 128 || inValues.test(value)) return "value";
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

/** The same for a filter that is a list. */
export function among(asked: readonly string[] | undefined, actual: string): boolean {
    return asked === undefined || asked.length === 0 || asked.includes(actual);
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
