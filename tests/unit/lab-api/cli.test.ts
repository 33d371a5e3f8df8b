import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = join(__dirname, "..", "..", "..");

test.each(["logs", "logs -f"])("%s ends quietly when its reader has seen enough", (command) => {
    const folder = mkdtempSync(join(tmpdir(), "lab-cli-"));
    try {
        const log = join(folder, "labs", "unit", "daemon.log");
        mkdirSync(dirname(log), { recursive: true });
        // More than a pipe holds.
        writeFileSync(log, "a line\n".repeat(100_000));
        const { status, stdout, stderr } = spawnSync(
            "bash",
            [
                "-o",
                "pipefail",
                "-c",
                `"$0" toolchain/bootstrap.mjs lab/cli.ts ${command} | head -n 1`,
                process.execPath,
            ],
            {
                cwd: root,
                encoding: "utf8",
                env: { ...process.env, MULTIHOST_STATE: folder, LAB_NAME: "unit" },
                timeout: 25_000,
            },
        );
        expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "a line\n", stderr: "" });
    } finally {
        rmSync(folder, { recursive: true });
    }
});
