import { spawnSync } from "node:child_process";
import {
    chmodSync,
    chownSync,
    cpSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Linter } from "eslint";

const root = join(__dirname, "..", "..", "..");

/** A checkout with a program, whose packages are there but for those of its lockfile. */
function checkout(folder: string, packages: object): void {
    for (const file of ["bootstrap.mjs", "start.mjs", "lock.cjs", "progress.cjs"])
        cpSync(join(root, "toolchain", file), join(folder, "toolchain", file));
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(join(root, "node_modules", "tsx"), join(folder, "node_modules", "tsx"));
    writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages }));
    writeFileSync(join(folder, "program.ts"), 'const text: string = "started"; console.log(text);');
}

test("a program starts for a user whom the system's list of users doesn't have", () => {
    const folder = mkdtempSync(join(tmpdir(), "bootstrap-"));
    try {
        // It has yet to notice that its packages are there.
        checkout(folder, {});
        writeFileSync(join(folder, "node_modules/.package-lock.json"), JSON.stringify({ packages: {} }));
        const without = join(folder, "without.cjs");
        writeFileSync(
            without,
            `require("node:os").userInfo = () => { throw new Error("ENOENT: uv_os_get_passwd"); };
            require("node:module").syncBuiltinESMExports();`,
        );
        const { stdout, stderr } = spawnSync(
            process.execPath,
            ["--require", without, join(folder, "toolchain", "bootstrap.mjs"), "program.ts"],
            { encoding: "utf8", env: { ...process.env, TMPDIR: folder } },
        );
        expect({ stdout, stderr }).toEqual({ stdout: "started\n", stderr: "" });
    } finally {
        rmSync(folder, { recursive: true });
    }
});

test.each([
    ["18.20.0", false],
    ["20.18.3", false],
    ["20.19.0", true],
    ["21.7.0", false],
    ["22.12.0", false],
    ["22.13.0", true],
    ["23.11.0", false],
    ["24.0.0", true],
    ["25.1.0", true],
])("Node.js %s: %p, as the manifest says", (version, isSupported) => {
    const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { engines: { node: string } };
    expect(engines.node).toBe("^20.19.0 || ^22.13.0 || >=24.0.0");
    const other = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`;
    const { stderr } = spawnSync(
        process.execPath,
        ["--import", `data:text/javascript,${other}`, join(root, "toolchain", "bootstrap.mjs")],
        { encoding: "utf8" },
    );
    expect(stderr.split("\n")[0]).toBe(
        isSupported
            ? "usage: node toolchain/bootstrap.mjs <file.ts> [arguments…]"
            : `Node.js ${version} won't do: install 20.19 or a later 20, 22.13 or a later 22, or 24 or newer (https://nodejs.org).`,
    );
});

test("what says that a Node.js is too old can be read by one", () => {
    const text = readFileSync(join(root, "toolchain", "bootstrap.mjs"), "utf8");
    // Node.js 12 has `import()` of ES2020, and nothing else of it.
    expect(new Linter().verify(text, { languageOptions: { ecmaVersion: 2020, sourceType: "module" } })).toEqual([]);
    expect(text).not.toMatch(/^import[^(]/m);
    expect(text.replace(/\/\*[^]*?\*\//, "")).not.toMatch(/\?\.|\?\?|\d+n\b|globalThis|allSettled|matchAll/);
});

test("packages for development are installed, too, whatever the environment leaves out", () => {
    const folder = mkdtempSync(join(tmpdir(), "bootstrap-"));
    try {
        const [name, version] = ["node_modules/needed", "1.0.0"];
        checkout(folder, { [name]: { version, dev: true } });
        // It leaves out what npm leaves out.
        writeFileSync(
            join(folder, "npm"),
            `#!/bin/sh
            case "$NODE_ENV $*" in "production "*--include=dev*) ;; *) exit 0 ;; esac
            mkdir ${name}
            echo '{}' >${name}/package.json
            echo '{ "packages": { "${name}": { "version": "${version}" } } }' >node_modules/.package-lock.json`,
            { mode: 0o755 },
        );
        const { stdout, stderr } = spawnSync(
            process.execPath,
            [join(folder, "toolchain", "bootstrap.mjs"), "program.ts"],
            {
                encoding: "utf8",
                env: {
                    ...process.env,
                    NODE_ENV: "production",
                    TMPDIR: folder,
                    PATH: `${folder}:${process.env["PATH"] ?? ""}`,
                },
            },
        );
        expect(stderr).not.toContain("lacks packages");
        expect(stdout).toBe("started\n");
    } finally {
        rmSync(folder, { recursive: true });
    }
});

describe("the folder for locks in the one that everybody writes to", () => {
    const user = process.getuid?.() ?? -1;
    const asRoot = user === 0 ? test : test.skip;
    let folder: string;
    let locks: string;
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "bootstrap-"));
        locks = join(folder, `multihost-${user}`);
        // It has yet to notice that its packages are there.
        checkout(folder, {});
        writeFileSync(join(folder, "node_modules/.package-lock.json"), JSON.stringify({ packages: {} }));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    function start(): { stdout: string; stderr: string; status: number | null } {
        const { stdout, stderr, status } = spawnSync(
            process.execPath,
            [join(folder, "toolchain", "bootstrap.mjs"), "program.ts"],
            { encoding: "utf8", env: { ...process.env, TMPDIR: folder } },
        );
        return { stdout, stderr, status };
    }
    const refusal = () => ({
        stdout: "",
        stderr: `${locks} is a link, another user's or writable by others: remove it, or name a folder of your own in TMPDIR.\n`,
        status: 1,
    });

    test("is taken as an earlier run left it", () => {
        mkdirSync(locks, { mode: 0o700 });
        expect(start()).toEqual({ stdout: "started\n", stderr: "", status: 0 });
    });

    test("may be no link", () => {
        const other = join(folder, "other");
        mkdirSync(other, { mode: 0o700 });
        symlinkSync(other, locks);
        expect(start()).toEqual(refusal());
        expect(readdirSync(other)).toEqual([]);
    });

    test("may not be writable by others", () => {
        mkdirSync(locks);
        chmodSync(locks, 0o777);
        expect(start()).toEqual(refusal());
    });

    asRoot("may not be another user's", () => {
        mkdirSync(locks, { mode: 0o700 });
        chownSync(locks, 65534, 65534);
        expect(start()).toEqual(refusal());
    });
});
