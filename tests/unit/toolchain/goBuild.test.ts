import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { availableMemory } from "../../../toolchain/goBuild";

const gib = 2 ** 30;

jest.mock("node:os", () => ({
    ...jest.requireActual<typeof import("node:os")>("node:os"),
    totalmem: () => 8 * 2 ** 30,
    freemem: () => 0.1 * 2 ** 30,
}));

describe("a build", () => {
    let folder: string;
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "go-build-"));
        jest.spyOn(process, "constrainedMemory").mockReturnValue(0);
    });
    afterEach(() => {
        jest.restoreAllMocks();
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
});
