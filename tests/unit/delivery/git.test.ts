import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { changeSince } from "../../../delivery/git";

let folder: string;
const git = (...args: string[]): void => {
    execFileSync("git", ["-C", folder, "-c", "user.name=t", "-c", "user.email=t@localhost", ...args], {
        stdio: "ignore",
    });
};
const commit = (file: string, message: string): void => {
    writeFileSync(join(folder, file), message);
    git("add", "-A");
    git("commit", "-m", message);
};

beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "multihost-git-"));
    git("init", "-b", "main");
    commit("base", "Start");
    git("checkout", "-b", "change");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a change is what its commits did since it left the base, not what the base did meanwhile", async () => {
    mkdirSync(join(folder, "größe"));
    commit("größe/a file", "One\n\nReplaces: node-1");
    commit("Pulumi.dev.yaml", "Two");
    git("checkout", "main");
    commit("elsewhere", "Meanwhile");
    git("checkout", "change");
    const { files, messages, commit: short } = await changeSince("main", folder);
    expect([...files].sort()).toEqual(["Pulumi.dev.yaml", "größe/a file"]);
    expect(messages.map((message) => message.trim())).toEqual(["Two", "One\n\nReplaces: node-1"]);
    expect(short).toMatch(/^[0-9a-f]{7,}$/);
});

test("a base that the clone doesn't have is said with the remedy", async () => {
    await expect(changeSince("origin/main", folder)).rejects.toThrow(/origin\/main and HEAD.*fetch-depth: 0.*--base/);
});
