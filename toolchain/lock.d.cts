export interface LockOptions {
    /** What the lock protects, for the message to those who wait. */
    readonly what: string;
    /** How often a waiting run looks again, in milliseconds. @default 250 */
    readonly pollMs?: number;
    /** Told once when somebody else holds the lock. @default writes to standard error */
    readonly onWait?: (text: string) => void;
    /** Ends the waiting when it is aborted, with an error. */
    readonly signal?: AbortSignal;
}

/** Runs `action` while no other process runs one under the same path. The lock of a process that died is taken over. */
export function withLock<T>(path: string, options: LockOptions, action: () => Promise<T> | T): Promise<T>;

/** Names a process so that `isAlive` can tell it from a later one with the same id. */
export function identify(pid: number): string;

/** Whether the process that `identify` named still runs. */
export function isAlive(holder: string): boolean;

/**
 * When a process started, in the kernel's own unit: with its id it names a process even after the id was used again. Empty where the system
 * doesn't tell, undefined for one that has ended and that nobody has asked how.
 */
export function startOf(pid: number): string | undefined;
