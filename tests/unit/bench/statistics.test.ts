import { median, table } from "../../../bench/statistics";

test("the median is the middle of the sorted values", () => {
    expect(median([10, 9, 100])).toBe(10);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
    expect(() => median([])).toThrow(RangeError);
});

test("the table shows median, range and the ratio to the goal", () => {
    expect(
        table([
            { name: "up", unit: "s", values: [60, 62, 90], goal: 180 },
            { name: "down", unit: "s", values: [1.234] },
        ]),
    ).toBe(
        [
            "| figure | median | range     | runs | goal  | median / goal |",
            "| ------ | ------ | --------- | ---- | ----- | ------------- |",
            "| up     | 62.0 s | 60.0–90.0 | 3    | 180 s | 0.34          |",
            "| down   | 1.23 s | 1.23–1.23 | 1    |       |               |",
        ].join("\n"),
    );
});
