import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(__dirname, "..", "..", "..");

test("a program starts for a user whom the system's list of users doesn't have", () => {
    const folder = mkdtempSync(join(tmpdir(), "bootstrap-"));
    try {
        // A checkout whose packages are there, and which has yet to notice.
        for (const file of ["bootstrap.mjs", "lock.cjs", "progress.cjs"])
            cpSync(join(root, "toolchain", file), join(folder, "toolchain", file));
        mkdirSync(join(folder, "node_modules"));
        symlinkSync(join(root, "node_modules", "tsx"), join(folder, "node_modules", "tsx"));
        for (const file of ["package-lock.json", "node_modules/.package-lock.json"])
            writeFileSync(join(folder, file), JSON.stringify({ packages: {} }));
        writeFileSync(join(folder, "program.ts"), 'const text: string = "started"; console.log(text);');
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
