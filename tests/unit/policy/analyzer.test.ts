/** The pack's process, as an engine starts it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { isAlive, startOf } from "../../../lab/process";

const analyzer = join(resolve(__dirname, "..", "..", ".."), "policy", "analyzer");

async function until(what: string, found: () => boolean): Promise<void> {
    for (const deadline = Date.now() + 30_000; !found(); await new Promise((next) => setTimeout(next, 50)))
        if (Date.now() > deadline) throw new Error(`not within 30 s: ${what}`);
}

/** An engine that starts the analyzer, says its process id, passes on the port that it serves, and waits. */
function startEngine(): ReturnType<typeof spawn> {
    return spawn("/bin/sh", ["-c", `"${analyzer}" & echo "analyzer $!"; wait`], {
        stdio: ["ignore", "pipe", "inherit"],
        detached: true,
    });
}

it.each([
    ["while it starts", /^analyzer \d+\n/],
    ["while it serves", /^analyzer \d+\n\d+\n/],
])(
    "ends with an engine that was killed %s",
    async (_when, moment) => {
        const engine = startEngine();
        let said = "";
        engine.stdout!.on("data", (chunk: Buffer) => (said += chunk.toString()));
        try {
            await until("the analyzer is there", () => moment.test(said));
            const pid = Number(/analyzer (\d+)/.exec(said)![1]);
            await until("the shell has made way for the pack", () =>
                readlinkSync(`/proc/${pid}/exe`).endsWith("/node"),
            );
            const start = startOf(pid)!;
            const ended = once(engine, "exit");
            process.kill(engine.pid!, "SIGKILL");
            await ended;
            await until("the analyzer has ended", () => !isAlive(pid, start));
        } finally {
            try {
                process.kill(-engine.pid!, "SIGKILL");
            } catch {
                // The group is gone, as it should be.
            }
        }
    },
    90_000,
);
