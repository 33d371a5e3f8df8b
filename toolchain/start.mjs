/**
 * What bootstrap.mjs starts once it knows that this Node.js will do: brings node_modules in line with package-lock.json when they differ, and
 * then runs the file in this same process (one start-up to pay for, and signals and the exit code need no forwarding).
 */
import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import lock from "./lock.cjs";
import progress from "./progress.cjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const stamp = join(modules, ".bootstrap-stamp");
const neededBytes = 1.5 * 2 ** 30;

function fail(message) {
    process.stderr.write(`${message}\n`);
    process.exit(1);
}

function wantedStamp() {
    const lockfile = readFileSync(join(root, "package-lock.json"));
    return `${createHash("sha256").update(lockfile).digest("hex")} ${process.platform}-${process.arch}\n`;
}

function isStamped(wanted) {
    try {
        return readFileSync(stamp, "utf8") === wanted;
    } catch {
        return false;
    }
}

/** Whether node_modules holds what the lockfile says, as after `npm ci`, or `npm install <package>` by a developer. */
function isInstalled() {
    let installed, wanted;
    try {
        installed = JSON.parse(readFileSync(join(modules, ".package-lock.json"), "utf8")).packages;
        wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
    } catch {
        return false;
    }
    return Object.entries(wanted).every(([path, entry]) => {
        if (path === "" || entry.link) return true;
        const found = installed[path];
        // Packages for other platforms are in the lockfile but never on disk.
        if (found === undefined) return entry.optional === true;
        return found.version === entry.version && existsSync(join(root, path, "package.json"));
    });
}

function writeStamp(wanted) {
    const temporary = `${stamp}.${process.pid}`;
    writeFileSync(temporary, wanted);
    renameSync(temporary, stamp);
}

/** The part of npm's complaint that says what is wrong, without its page of usage. */
function essence(output) {
    const lines = output.split("\n").map((line) => line.replace(/^npm error ?/, "").trimEnd());
    const end = lines.findIndex((line) => /^(Clean install a project|A complete log of this run)/.test(line));
    return lines
        .slice(0, end < 0 ? lines.length : end)
        .filter((line) => line !== "")
        .slice(0, 15)
        .join("\n");
}

/** Runs npm. It ends with this process, and its identity is in `pidFile` for a run that comes after a SIGKILL. */
function runNpm(args, pidFile) {
    return new Promise((done, reject) => {
        const child = spawn("npm", args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
        if (child.pid !== undefined) writeFileSync(pidFile, lock.identify(child.pid));
        const stop = (signal) => {
            child.once("close", () => process.exit(signal === "SIGINT" ? 130 : 143));
            child.kill(signal);
        };
        const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
        for (const signal of signals) process.on(signal, stop);
        let output = "";
        const keep = (chunk) => (output += chunk);
        child.stdout.on("data", keep);
        child.stderr.on("data", keep);
        child.on("error", (error) =>
            reject(
                error.code === "ENOENT"
                    ? new Error("There is no npm: install it with Node.js (https://nodejs.org).")
                    : error,
            ),
        );
        child.on("close", (code) => {
            for (const signal of signals) process.off(signal, stop);
            rmSync(pidFile, { force: true });
            if (code === 0) done();
            else reject(new Error(`\`npm ${args.join(" ")}\` failed:\n${essence(output)}`));
        });
    });
}

/** Waits for an npm whose parent was killed: two of them in one folder destroy each other's work. */
async function waitForOrphan(pidFile) {
    let orphan;
    try {
        orphan = readFileSync(pidFile, "utf8");
    } catch {
        return;
    }
    if (lock.isAlive(orphan))
        process.stderr.write(`Waiting for npm (process ${orphan.split(" ")[0]}) of an interrupted run to end.\n`);
    while (lock.isAlive(orphan)) await sleep(250);
    rmSync(pidFile, { force: true });
}

/** A folder for locks that nobody else writes to, outside of the checkout, which several machines may share. */
function ownFolder() {
    // The user's name or its entry in the system's list may be missing, as for the arbitrary users of containers.
    const user = process.getuid?.();
    const folder = join(tmpdir(), `multihost-${user ?? "user"}`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const found = lstatSync(folder);
    // Whoever made it first, where everybody may, could lead what is written there to any file of this user's.
    if (user !== undefined && (!found.isDirectory() || found.uid !== user || (found.mode & 0o022) !== 0))
        fail(
            `${folder} is a link, another user's or writable by others: remove it, or name a folder of your own in TMPDIR.`,
        );
    return folder;
}

async function install(wanted) {
    const name = createHash("sha256").update(root).digest("hex").slice(0, 12);
    const folder = ownFolder();
    const pidFile = join(folder, `npm-${name}.pid`);
    await lock.withLock(join(folder, `npm-${name}.lock`), { what: "npm ci" }, async () => {
        await waitForOrphan(pidFile);
        if (isStamped(wanted)) return;
        if (isInstalled()) return writeStamp(wanted);
        const disk = statfsSync(root);
        const free = disk.bavail * disk.bsize;
        if (free < neededBytes)
            fail(
                `Installing the npm packages needs 1.5 GiB on the disk of ${root}, ${(free / 2 ** 30).toFixed(1)} GiB are free: make room and run this again.`,
            );
        // Every kind, whatever NODE_ENV and npm's settings leave out elsewhere: all of them are needed here.
        const kinds = ["--include=dev", "--include=optional"];
        await progress.step("Install the npm packages", { about: "1 min" }, () =>
            runNpm(["ci", ...kinds, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], pidFile),
        );
        if (!isInstalled())
            fail("npm reported success, but node_modules lacks packages of package-lock.json: run this again.");
        writeStamp(wanted);
    });
}

const [file, ...args] = process.argv.slice(2);
if (file === undefined) fail("usage: node toolchain/bootstrap.mjs <file.ts> [arguments…]");
const script = resolve(root, file);
if (!existsSync(script)) fail(`There is no ${file} in ${root}.`);

const wanted = wantedStamp();
if (!isStamped(wanted)) await install(wanted).catch((error) => fail(error.message));

// The first serves `import … from`, which TypeScript compiles to require; the second serves `import()`.
createRequire(import.meta.url)("tsx/cjs");
const { register } = await import("tsx/esm/api");
register();
process.argv.splice(1, process.argv.length, script, ...args);
// Loaded as the main module, so that `require.main === module` tells a script that it was started, not imported.
Module._load(script, null, true);
