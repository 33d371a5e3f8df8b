import { paginate, paginateByToken } from "../listing";

interface Asked {
    readonly pageNumber?: number;
    readonly pageSize?: number;
    readonly maxResults?: number;
    readonly nextToken?: string;
}

interface PageOf<T> {
    readonly items: readonly T[];
    readonly totalCount: number;
    readonly pageNumber: number;
    readonly pageSize: number;
    readonly nextToken: string;
}

interface Limits {
    readonly default: number;
    readonly max: number;
    /** Of the pages that a client walks by token, where a size outside of these counts as the nearest one. */
    readonly byToken?: readonly [least: number, most: number];
}

/** A page of a list that can be walked both ways: by number, or by token once a client asks for one. */
export function pageOf<T>(items: readonly T[], asked: Asked, limits: Limits): PageOf<T> {
    const { maxResults, nextToken = "" } = asked;
    if (maxResults === undefined && nextToken === "") return { ...paginate(items, asked, limits), nextToken: "" };
    const { byToken } = limits;
    const page = paginateByToken(
        items,
        { nextToken, ...(maxResults !== undefined && { maxResults }) },
        byToken
            ? { default: limits.default, max: byToken[1], clampFrom: byToken[0] }
            : { default: limits.default, max: limits.max },
    );
    return {
        items: page.items,
        totalCount: items.length,
        pageNumber: 1,
        pageSize: page.maxResults,
        nextToken: page.nextToken ?? "",
    };
}
