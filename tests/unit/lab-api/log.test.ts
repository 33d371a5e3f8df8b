import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { logTo } from "../../../lab/log";

let folder: string;
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lab-log-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("lines have their time, and a reader of their own", () => {
    const file = join(folder, "daemon.log");
    const log = logTo(file);
    log("first");
    log("second");
    expect(readFileSync(file, "utf8")).toMatch(/^[-0-9T:.]+Z first\n[-0-9T:.]+Z second\n$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("a line that finds no room is dropped", () => {
    const file = join(folder, "daemon.log");
    symlinkSync("/dev/full", file);
    expect(() => logTo(file)("lost")).not.toThrow();
});
