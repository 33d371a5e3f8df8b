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

/** A page of a list that can be walked both ways: by number, or by token once a client asks for one. */
export function pageOf<T>(items: readonly T[], asked: Asked, limits: { default: number; max: number }): PageOf<T> {
    const { maxResults, nextToken = "" } = asked;
    if (maxResults === undefined && nextToken === "") return { ...paginate(items, asked, limits), nextToken: "" };
    const page = paginateByToken(
        items,
        { nextToken, ...(maxResults !== undefined && { maxResults }) },
        // Clients that walk by token ask for pages of 50 where the numbered ones may be smaller.
        { default: limits.default, max: Math.max(limits.max, 100) },
    );
    return {
        items: page.items,
        totalCount: items.length,
        pageNumber: 1,
        pageSize: page.maxResults,
        nextToken: page.nextToken ?? "",
    };
}
