"use strict";
// Plain JavaScript, because start.mjs needs it before the packages that run TypeScript are installed.
const { linkSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } = require("node:fs");
const { dirname } = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");

// One that has ended stays in the table for good where the first process reaps none.
function startOf(pid) {
    try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        // The second field may hold spaces and brackets; the state is the third field, the start time the 22nd.
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return fields[0] === "Z" ? undefined : (fields[19] ?? "");
    } catch {
        return "";
    }
}

function isAlive(holder) {
    const [pid, start] = holder.split(" ");
    if (!/^[1-9]\d*$/.test(pid)) return false;
    try {
        process.kill(Number(pid), 0);
    } catch (error) {
        if (error.code !== "EPERM") return false;
    }
    const current = startOf(pid);
    return current !== undefined && (!start || current === start);
}

function readHolder(path) {
    try {
        return readFileSync(path, "utf8").trim();
    } catch (error) {
        if (error.code === "ENOENT") return undefined;
        throw error;
    }
}

let counter = 0;

function acquire(path) {
    const mine = `${path}.${process.pid}.${++counter}`;
    // Whoever held the lock may have removed the folder, which was empty then: also between these two calls.
    mkdirSync(dirname(path), { recursive: true });
    try {
        // What has this name already, of a process that died or somebody's link to another file, is left alone: the next try has another one.
        writeFileSync(mine, `${identify(process.pid)}\n`, { flag: "wx" });
    } catch (error) {
        if (error.code === "ENOENT" || error.code === "EEXIST") return false;
        throw error;
    }
    try {
        // A link either appears with its content or not at all.
        linkSync(mine, path);
        return true;
    } catch (error) {
        if (error.code === "EEXIST") return false;
        throw error;
    } finally {
        unlinkSync(mine);
    }
}

/** Removes the lock of a dead process, and puts it back when another process has taken it over in the meantime. */
function removeStale(path, dead) {
    const aside = `${path}.${process.pid}.stale`;
    try {
        renameSync(path, aside);
    } catch (error) {
        if (error.code === "ENOENT") return;
        throw error;
    }
    if (readHolder(aside) !== dead) {
        try {
            linkSync(aside, path);
        } catch (error) {
            if (error.code !== "EEXIST") throw error;
        }
    }
    unlinkSync(aside);
}

async function withLock(path, options, action) {
    const pollMs = options.pollMs ?? 250;
    const tell = options.onWait ?? ((text) => process.stderr.write(`${text}\n`));
    let told = false;
    while (!acquire(path)) {
        const holder = readHolder(path);
        if (holder === undefined) continue;
        if (!isAlive(holder)) {
            removeStale(path, holder);
            continue;
        }
        if (!told) tell(`Another run (process ${holder.split(" ")[0]}) is busy with: ${options.what}. Waiting for it.`);
        told = true;
        await sleep(pollMs, undefined, { signal: options.signal });
    }
    try {
        return await action();
    } finally {
        unlinkSync(path);
    }
}

/** Names a process so that {@link isAlive} can tell it from a later one with the same id. */
function identify(pid) {
    return `${pid} ${startOf(pid) ?? ""}`.trim();
}

module.exports = { withLock, identify, isAlive, startOf };
