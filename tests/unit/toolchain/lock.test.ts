import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../../../toolchain/lock.cjs";

const script = require.resolve("../../../toolchain/lock.cjs");

describe("lock", () => {
    let folder: string;
    let path: string;
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "lock-"));
        path = join(folder, "deep", "it.lock");
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    it("returns what the action returns, and is gone afterwards", async () => {
        expect(await withLock(path, { what: "a test" }, () => Promise.resolve(7))).toBe(7);
        expect(readdirSync(join(folder, "deep"))).toEqual([]);
    });

    it("is gone after an error, too", async () => {
        await expect(withLock(path, { what: "a test" }, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
        expect(existsSync(path)).toBe(false);
    });

    it("lets one in at a time, and says once whom the other waits for", async () => {
        const said: string[] = [];
        const events: string[] = [];
        const enter = (name: string): Promise<void> =>
            withLock(path, { what: "a test", pollMs: 5, onWait: (text) => said.push(text) }, async () => {
                events.push(`${name} in`);
                await sleep(40);
                events.push(`${name} out`);
            });
        await Promise.all([enter("first"), enter("second")]);
        expect(events).toEqual(["first in", "first out", "second in", "second out"]);
        expect(said).toEqual([`Another run (process ${process.pid}) is busy with: a test. Waiting for it.`]);
    });

    it("is waited for only until the waiting is ended", async () => {
        const controller = new AbortController();
        const events: string[] = [];
        await withLock(path, { what: "a test" }, async () => {
            const options = { what: "another", onWait: () => controller.abort(), signal: controller.signal };
            await expect(withLock(path, options, () => events.push("in"))).rejects.toThrow("aborted");
        });
        expect(events).toEqual([]);
    });

    it("is taken over from a process that died", async () => {
        const crash = `require(${JSON.stringify(script)}).withLock(${JSON.stringify(path)}, { what: "x" }, () => process.kill(process.pid, "SIGKILL"))`;
        spawnSync(process.execPath, ["-e", crash]);
        expect(existsSync(path)).toBe(true);
        expect(await withLock(path, { what: "a test" }, () => "mine")).toBe("mine");
    });

    it("is taken over from a process that died and that nobody reaps", async () => {
        const hold = `require(${JSON.stringify(script)}).withLock(${JSON.stringify(path)}, { what: "x" }, () => new Promise((done) => setTimeout(done, 60_000)))`;
        // What the shell becomes doesn't know that it has a child.
        const parent = spawn("sh", ["-c", `"${process.execPath}" -e "$0" & exec sleep 60`, hold], {
            stdio: ["ignore", "pipe", "inherit"],
        });
        try {
            while (!existsSync(path)) await sleep(10);
            const pid = Number(readFileSync(path, "utf8").split(" ")[0]);
            while (!readFileSync(`/proc/${parent.pid!}/comm`, "utf8").startsWith("sleep")) await sleep(10);
            process.kill(pid, "SIGKILL");
            while (!readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ")) await sleep(10);
            const taken = await Promise.race([
                withLock(path, { what: "a test", pollMs: 5, onWait: () => undefined }, () => "mine"),
                sleep(2000, "waits", { ref: false }),
            ]);
            expect(taken).toBe("mine");
        } finally {
            rmSync(path, { force: true });
            parent.kill();
        }
    });

    it("is taken over when its process id now belongs to another process", async () => {
        await withLock(path, { what: "a test" }, () => undefined);
        writeFileSync(path, `${process.pid} 1\n`);
        const taken = await withLock(path, { what: "a test", pollMs: 5 }, () => readFileSync(path, "utf8"));
        expect(taken).not.toBe(`${process.pid} 1\n`);
    });

    it("writes to no file that a link in its folder leads to", () => {
        const other = join(folder, "other");
        writeFileSync(other, "content");
        const first = `require("node:fs").symlinkSync(${JSON.stringify(other)}, ${JSON.stringify(join(folder, "it.lock"))} + "." + process.pid + ".1")`;
        const take = `require(${JSON.stringify(script)}).withLock(${JSON.stringify(join(folder, "it.lock"))}, { what: "x" }, () => console.log("taken"))`;
        const { stdout } = spawnSync(process.execPath, ["-e", `${first}; ${take}`], { encoding: "utf8" });
        expect(stdout).toBe("taken\n");
        expect(readFileSync(other, "utf8")).toBe("content");
    });

    it("keeps processes apart", async () => {
        const counter = join(folder, "counter");
        writeFileSync(counter, "0");
        // Reading, waiting and writing loses counts unless nobody else is in.
        const count = `const fs = require("node:fs");
            require(${JSON.stringify(script)}).withLock(${JSON.stringify(path)}, { what: "x", pollMs: 5, onWait() {} }, async () => {
                const value = Number(fs.readFileSync(${JSON.stringify(counter)}, "utf8"));
                await new Promise((done) => setTimeout(done, 20));
                fs.writeFileSync(${JSON.stringify(counter)}, String(value + 1));
            });`;
        await Promise.all(
            Array.from(
                { length: 6 },
                () => new Promise((done) => spawn(process.execPath, ["-e", count]).on("close", done)),
            ),
        );
        expect(readFileSync(counter, "utf8")).toBe("6");
    });
});
