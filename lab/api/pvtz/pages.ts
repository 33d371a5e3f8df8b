import { paginate } from "../listing";

/** Members of every answer that is a page of a list. */
export const pageFields = {
    RequestId: "string",
    TotalItems: "number",
    TotalPages: "number",
    PageNumber: "number",
    PageSize: "number",
} as const;

/** One page of a list, with the numbers of {@link pageFields}. */
export function pageOf<T>(items: readonly T[], asked: { readonly pageNumber?: number; readonly pageSize?: number }) {
    const page = paginate(items, asked, { default: 20, max: 100 });
    return {
        items: page.items,
        numbers: {
            totalItems: page.totalCount,
            totalPages: Math.ceil(page.totalCount / page.pageSize),
            pageNumber: page.pageNumber,
            pageSize: page.pageSize,
        },
    };
}

/** Whether a list's `Keyword` is met: by the whole text with `SearchMode` EXACT, else by a part of one of them. */
export function hasKeyword(
    { keyword = "", searchMode = "" }: { readonly keyword?: string; readonly searchMode?: string },
    ...texts: readonly string[]
): boolean {
    const asked = keyword.toLowerCase();
    return /^exact$/i.test(searchMode) && asked !== ""
        ? texts[0] === asked
        : texts.some((text) => text.toLowerCase().includes(asked));
}
