/** The certificates of a listener, as `ListListenerCertificates` of ALB and NLB tells them. */
import { among, matches, paginateByToken } from "./listing";

/** Which of them a client asks for. */
interface Asked {
    readonly certificateIds?: readonly string[];
    readonly nextToken?: string;
    readonly maxResults?: number;
}

/**
 * @param ids those of the listener, the default one first.
 * @param type that the client asks for, which either product has a name of its own for.
 * @param max the most that a page may have.
 */
export function listenerCertificates(ids: readonly string[], asked: Asked, type: string | undefined, max: number) {
    // The lab's listeners ask clients for none.
    const found = ids.filter((id) => among(asked.certificateIds, id) && matches(type, "Server"));
    const { items, ...page } = paginateByToken(found, asked, { default: 20, max });
    return {
        ...page,
        totalCount: found.length,
        certificates: items.map((certificateId) => ({
            certificateId,
            certificateType: "Server",
            isDefault: certificateId === ids[0],
            status: "Associated",
        })),
    };
}
