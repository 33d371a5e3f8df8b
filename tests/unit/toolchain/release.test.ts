import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(__dirname, "..", "..", "..");
let folder: string;
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "release-"));
    mkdirSync(join(folder, "toolchain"));
    const release = { version: "0.1.0", commit: "0123456789".repeat(4) };
    writeFileSync(join(folder, "toolchain", "release.json"), JSON.stringify(release));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What stands in the way, in a process of its own: a test can't change the environment of what it starts. */
function problem(environment: NodeJS.ProcessEnv = {}): string {
    const script = `
        require("tsx/cjs");
        process.stdout.write(String(require("./toolchain/release.ts").releaseProblem(${JSON.stringify(folder)})));`;
    const env = { ...process.env, ...environment };
    return execFileSync(process.execPath, ["-e", script], { cwd: root, env, encoding: "utf8" });
}

test("a copy that is no clone is told of in git's words", () => {
    expect(problem()).toMatch(
        /^git can't tell the last release in this copy of the project: fatal: not a git repository/,
    );
});

test("a clone that is another user's is read like one's own", () => {
    execFileSync("git", ["-C", folder, "init", "--quiet"]);
    expect(problem({ GIT_TEST_ASSUME_DIFFERENT_OWNER: "1" })).toBe(
        "this clone lacks the last release, 012345678901: git fetch origin 0123456789012345678901234567890123456789",
    );
});
