/** A pull request's comments and labels, through GitHub's REST API. */

export interface PullRequest {
    /** Such as `https://api.github.com`; GitHub Enterprise has its own. */
    readonly api: string;
    /** `owner/name`. */
    readonly repository: string;
    readonly number: number;
    readonly token: string;
    /** Login of who writes the comments; comments of others are never changed. @default "github-actions[bot]" */
    readonly author?: string;
}

interface Comment {
    readonly id: number;
    readonly body?: string | null;
    readonly user?: { readonly login: string } | null;
}

const PER_PAGE = 100;
/** GitHub shows no more pages of a single pull request's comments than anyone would read. */
const MAX_PAGES = 50;
const SECONDS = 30;

/** What became of a comment. */
export type Posted = "created" | "updated" | "unchanged" | "removed" | "nothing";

async function call(target: PullRequest, method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${target.api.replace(/\/$/, "")}/repos/${target.repository}${path}`, {
        method,
        headers: {
            accept: "application/vnd.github+json",
            authorization: `Bearer ${target.token}`,
            "user-agent": "multihost-preview",
            "x-github-api-version": "2022-11-28",
            ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(SECONDS * 1000),
    });
    const answer = await response.text();
    if (!response.ok) {
        const hint =
            response.status === 401 || response.status === 403
                ? " (does the token have write access to pull requests? A workflow that a fork triggers never has)"
                : "";
        throw new Error(`GitHub answered ${response.status} to ${method} ${path}${hint}: ${answer.slice(0, 500)}`);
    }
    return answer === "" ? undefined : JSON.parse(answer);
}

/** The names of the pull request's labels. @throws Error with GitHub's answer when it refuses */
export async function labelsOf(target: PullRequest): Promise<string[]> {
    // A pull request has no more than fit on one page.
    const labels = await call(target, "GET", `/issues/${target.number}/labels?per_page=${PER_PAGE}`);
    return (labels as readonly { readonly name: string }[]).map(({ name }) => name);
}

/** The texts of the author's comments on the pull request, of this tool and of others. */
export async function ownBodies(target: PullRequest): Promise<string[]> {
    return (await ownComments(target, "")).map(({ body }) => body ?? "");
}

async function ownComments(target: PullRequest, marker: string): Promise<Comment[]> {
    const author = target.author ?? "github-actions[bot]";
    const found: Comment[] = [];
    for (let page = 1; page <= MAX_PAGES; page += 1) {
        const comments = (await call(
            target,
            "GET",
            `/issues/${target.number}/comments?per_page=${PER_PAGE}&page=${page}`,
        )) as Comment[];
        found.push(...comments.filter(({ body, user }) => user?.login === author && (body ?? "").startsWith(marker)));
        if (comments.length < PER_PAGE) break;
    }
    return found;
}

/**
 * Makes the pull request have one comment that starts with the marker, with this text, or none when there is no text.
 * Running it again changes nothing.
 * @throws Error with GitHub's answer when it refuses
 */
export async function postComment(target: PullRequest, marker: string, text: string | undefined): Promise<Posted> {
    const [comment, ...surplus] = await ownComments(target, marker);
    // Two runs at the same time may have made one each.
    for (const { id } of surplus) await call(target, "DELETE", `/issues/comments/${id}`);
    if (text === undefined) {
        if (comment === undefined) return "nothing";
        await call(target, "DELETE", `/issues/comments/${comment.id}`);
        return "removed";
    }
    if (comment === undefined) {
        await call(target, "POST", `/issues/${target.number}/comments`, { body: text });
        return "created";
    }
    if (comment.body === text) return "unchanged";
    await call(target, "PATCH", `/issues/comments/${comment.id}`, { body: text });
    return "updated";
}
