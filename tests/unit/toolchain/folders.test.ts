import { homedir } from "node:os";
import { join } from "node:path";
import { cacheFolder, labFolder, root, stateFolder } from "../../../toolchain/folders";

const before = process.env;

beforeEach(() => {
    process.env = {};
});

afterAll(() => {
    process.env = before;
});

test("folders are in the user's home unless variables name others", () => {
    expect(cacheFolder()).toBe(join(homedir(), ".cache", "alicloud-multihost"));
    expect(stateFolder()).toBe(join(homedir(), ".local", "state", "alicloud-multihost"));
    process.env["XDG_CACHE_HOME"] = "/cache";
    process.env["XDG_STATE_HOME"] = "/state";
    expect(cacheFolder()).toBe("/cache/alicloud-multihost");
    expect(labFolder("blue")).toBe("/state/alicloud-multihost/labs/blue");
    process.env["MULTIHOST_CACHE"] = "/other";
    process.env["MULTIHOST_STATE"] = "/other";
    expect(cacheFolder()).toBe("/other");
    expect(labFolder("blue")).toBe("/other/labs/blue");
});

test("a relative folder is one of the checkout, wherever a program was started", () => {
    process.env["MULTIHOST_CACHE"] = "cache";
    process.env["MULTIHOST_STATE"] = "../state";
    expect(cacheFolder()).toBe(join(root, "cache"));
    expect(stateFolder()).toBe(join(root, "..", "state"));
});

test("an empty variable names nothing", () => {
    process.env["MULTIHOST_CACHE"] = "";
    process.env["MULTIHOST_STATE"] = "";
    expect(cacheFolder()).toBe(join(homedir(), ".cache", "alicloud-multihost"));
    expect(stateFolder()).toBe(join(homedir(), ".local", "state", "alicloud-multihost"));
});
