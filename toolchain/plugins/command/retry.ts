import { setTimeout as sleep } from "node:timers/promises";

/** An error that another attempt cannot change. */
export class FinalError extends Error {}

const firstDelay = 100;
const longestDelay = 5_000;
const growth = 1.5;

export function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}

/** The reason for which a signal was aborted. */
export function abortReason(signal: AbortSignal): Error {
    return signal.reason instanceof Error ? signal.reason : new Error("context canceled");
}

/**
 * Dials until it works. `limit` is the number of failures that are tolerated, so that one attempt more is made;
 * -1 never gives up. Waits between attempts grow from 0.1 s to 5 s.
 */
export async function dialWithRetry<T>(
    label: string,
    limit: number,
    caller: { readonly signal: AbortSignal; readonly status: (text: string) => void },
    onFailure: (error: unknown) => void,
    dial: () => Promise<T>,
): Promise<T> {
    let delay = firstDelay;
    for (let attempt = 1; ; attempt++) {
        if (caller.signal.aborted) {
            throw abortReason(caller.signal);
        }
        try {
            return await dial();
        } catch (error) {
            onFailure(error);
            if (error instanceof FinalError) {
                throw error;
            }
            if (limit >= 0 && attempt > limit) {
                throw new Error(`after ${attempt - 1} failed attempts: ${messageOf(error)}`);
            }
        }
        caller.status(`${label} ${attempt}/${limit < 0 ? "inf" : limit} failed: retrying`);
        await sleep(delay, undefined, { signal: caller.signal }).catch(() => undefined);
        delay = Math.min(delay * growth, longestDelay);
    }
}
