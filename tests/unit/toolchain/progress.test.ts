import { createProgress, formatDuration } from "../../../toolchain/progress.cjs";

describe("durations", () => {
    it.each([
        [0, "0.0 s"],
        [950, "0.9 s"],
        [9_999, "9.9 s"],
        [42_300, "42 s"],
        [60_000, "1 min"],
        [75_000, "1 min 15 s"],
        [3_720_000, "1 h 2 min"],
    ])("%d ms is %s", (milliseconds, text) => expect(formatDuration(milliseconds)).toBe(text));
});

describe("progress", () => {
    let written: string;
    let clock: number;
    const now = (): number => clock;
    const stream = (isTTY: boolean): { write(text: string): void; isTTY: boolean; columns: number } => ({
        write: (text) => (written += text),
        isTTY,
        columns: 60,
    });
    beforeEach(() => {
        written = "";
        clock = 0;
        jest.useFakeTimers();
    });
    afterEach(() => jest.useRealTimers());

    const pass = async (milliseconds: number): Promise<void> => {
        clock += milliseconds;
        await jest.advanceTimersByTimeAsync(milliseconds);
    };

    it("writes a line every 15 s where there is no terminal", async () => {
        const progress = createProgress({ stream: stream(false), now });
        const done = progress.step("Build it", { about: "12 min" }, async (report) => {
            await pass(15_000);
            report("linking");
            await pass(15_000);
            return "built";
        });
        expect(await done).toBe("built");
        expect(written.split("\n")).toEqual([
            "… Build it (about 12 min)",
            "  … Build it, 15 s so far",
            "  … Build it, 30 s so far: linking",
            "✓ Build it 30 s",
            "",
        ]);
    });

    it("says what failed after how long, and lets the error through", async () => {
        const progress = createProgress({ stream: stream(false), now });
        const failing = progress.step("Build it", {}, async () => {
            await pass(2_500);
            throw new Error("disk full");
        });
        await expect(failing).rejects.toThrow("disk full");
        expect(written).toBe("… Build it\n✗ Build it failed after 2.5 s\n");
    });

    it("rewrites one line on a terminal, no longer than the terminal is wide", async () => {
        const progress = createProgress({ stream: stream(true), now, color: false });
        await progress.step("Build it", { about: "12 min" }, async (report) => {
            await pass(1_000);
            report("x".repeat(100));
            progress.note("by the way");
        });
        const erase = "\r\u001b[2K";
        const drawn = written.split(erase);
        expect(drawn[0]).toBe("… Build it (about 12 min) 0.0 s");
        expect(drawn[1]).toBe("… Build it (about 12 min) 1.0 s");
        expect(drawn[2]).toHaveLength(59);
        expect(drawn[3]).toMatch(/^by the way\n… Build it/);
        expect(written.endsWith(`${erase}✓ Build it 1.0 s\n`)).toBe(true);
    });

    it("keeps steps apart that run side by side", async () => {
        const progress = createProgress({ stream: stream(false), now });
        await Promise.all([
            progress.step("One", {}, () => pass(1_000)),
            progress.step("Two", {}, () => Promise.resolve()),
        ]);
        expect(written).toContain("✓ One 1.0 s\n");
        expect(written).toContain("✓ Two");
        expect(jest.getTimerCount()).toBe(0);
    });

    it("aligns a summary", () => {
        createProgress({ stream: stream(false), now }).summary("The lab is up", [
            ["hosts", "7"],
            ["endpoint", "http://127.0.0.1:1"],
        ]);
        expect(written).toBe("The lab is up\n  hosts     7\n  endpoint  http://127.0.0.1:1\n");
    });
});
