import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { alicloudTarget, availableMemory, build, buildProblems } from "../../../toolchain/goBuild";

const gib = 2 ** 30;
const mockDisk = { freeGiB: 1 };

jest.mock("node:os", () => ({
    ...jest.requireActual<typeof import("node:os")>("node:os"),
    totalmem: () => 8 * 2 ** 30,
    freemem: () => 0.1 * 2 ** 30,
}));

jest.mock("node:fs/promises", () => ({
    ...jest.requireActual<typeof import("node:fs/promises")>("node:fs/promises"),
    statfs: () => Promise.resolve({ bavail: mockDisk.freeGiB, bsize: 2 ** 30 }),
}));

describe("a build", () => {
    let folder: string;
    const saved = { ...process.env };
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "go-build-"));
        jest.spyOn(process, "constrainedMemory").mockReturnValue(0);
        jest.spyOn(process.stderr, "write").mockReturnValue(true);
        process.env["MULTIHOST_CACHE"] = join(folder, "cache");
        process.env["PATH"] = `${folder}${delimiter}${saved["PATH"] ?? ""}`;
        delete process.env["GOCACHE"];
    });
    afterEach(() => {
        jest.restoreAllMocks();
        process.env = { ...saved };
        rmSync(folder, { recursive: true });
    });

    it("goes by the memory that Linux says can be had, and elsewhere not by what is unused at the moment", () => {
        const meminfo = join(folder, "meminfo");
        expect(availableMemory(meminfo)).toBe(6 * gib);
        writeFileSync(meminfo, "MemTotal:       8388608 kB\nMemAvailable:   2097152 kB\n");
        expect(availableMemory(meminfo)).toBe(2 * gib);
        jest.spyOn(process, "constrainedMemory").mockReturnValue(gib);
        expect(availableMemory(meminfo)).toBe(gib);
    });

    it("needs room on the disk beside what others are about to take", async () => {
        const of = async (freeGiB: number): Promise<string[]> => {
            mockDisk.freeGiB = freeGiB;
            const problems = await buildProblems([alicloudTarget("1.0.0")], 3 * gib);
            mockDisk.freeGiB = 1;
            return problems.filter((problem) => problem.includes("of disk"));
        };
        expect(await of(10)).toEqual([
            expect.stringContaining(
                "which takes 8.0 GiB of disk beside 3.0 GiB for the rest, and 10.0 GiB are free at",
            ),
        ]);
        expect(await of(11)).toEqual([]);
    });

    it("needs room on the disk until one has gone through, also after one that was interrupted", async () => {
        const target = alicloudTarget("1.0.0");
        const diskProblems = async (): Promise<string[]> =>
            (await buildProblems([target])).filter((problem) => problem.includes("of disk"));
        const go = (text: string): void => {
            writeFileSync(join(folder, "go"), `#!/bin/sh\n[ "$1" = env ] && echo go9.0.0 && exit\n${text}\n`);
            chmodSync(join(folder, "go"), 0o755);
        };
        go('mkdir -p "$GOCACHE"; echo interrupted >&2; exit 1');
        expect(await diskProblems()).toHaveLength(1);
        await expect(build(target, join(folder, "target"))).rejects.toThrow("interrupted");
        expect(await diskProblems()).toHaveLength(1);
        go("exit 0");
        await build(target, join(folder, "target"));
        expect(await diskProblems()).toEqual([]);
        rmSync(join(folder, "cache", "go"), { recursive: true });
        expect(await diskProblems()).toHaveLength(1);
    });
});
