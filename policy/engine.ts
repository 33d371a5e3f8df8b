/** The engine that the pack works for. */

/** How often to look whether the engine is still there. */
const LOOK_MS = 500;

/**
 * Ends this process once the engine that started it is gone. An engine ends its analyzers itself, but one that is killed
 * can't, and nothing else would ever end them: an analyzer serves until somebody tells it to stop.
 */
export function endWithEngine(): void {
    // The analyzer's shell knows the engine from the start; by the time that this runs, the engine may be gone already.
    const engine = Number(process.env["MULTIHOST_ENGINE_PID"] ?? process.ppid);
    setInterval(() => {
        if (process.ppid !== engine) process.exit();
    }, LOOK_MS).unref();
}
