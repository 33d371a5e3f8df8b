/** A figure, measured some times in one run. */
export interface Figure {
    readonly name: string;
    readonly unit: "s" | "ms" | "GiB" | "MiB";
    /** In the order they were taken; at least one. */
    readonly values: readonly number[];
    /** What the project has set itself, in the same unit; undefined where the figure is for information. */
    readonly goal?: number;
}

/** The middle value, or the mean of the two in the middle. @throws RangeError without values */
export function median(values: readonly number[]): number {
    if (values.length === 0) throw new RangeError("There is no median of nothing.");
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A Markdown table: median, extremes, and the median's ratio to the goal. */
export function table(figures: readonly Figure[]): string {
    const rows = figures.map(({ name, unit, values, goal }) => [
        name,
        `${digits(median(values))} ${unit}`,
        `${digits(Math.min(...values))}–${digits(Math.max(...values))}`,
        String(values.length),
        goal === undefined ? "" : `${goal} ${unit}`,
        goal === undefined ? "" : (median(values) / goal).toFixed(2),
    ]);
    const head = ["figure", "median", "range", "runs", "goal", "median / goal"];
    const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
    const line = (cells: readonly string[]): string =>
        `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
    return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

function digits(value: number): string {
    return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
