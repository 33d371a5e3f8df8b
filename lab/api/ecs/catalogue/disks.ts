/** Categories of disks, with the sizes that the cloud sells. */
export interface DiskCategory {
    readonly id: string;
    /** GiB. */
    readonly system: readonly [min: number, max: number] | undefined;
    /** GiB. */
    readonly data: readonly [min: number, max: number];
}

const table: readonly DiskCategory[] = [
    { id: "cloud_efficiency", system: [20, 2048], data: [20, 32768] },
    { id: "cloud_ssd", system: [20, 2048], data: [20, 32768] },
    { id: "cloud_essd", system: [20, 2048], data: [20, 65536] },
    { id: "cloud_auto", system: [1, 2048], data: [1, 65536] },
    { id: "cloud_essd_entry", system: [10, 2048], data: [10, 32768] },
    { id: "cloud", system: [20, 500], data: [5, 2000] },
];

/** Categories by name. */
export const diskCategories: ReadonlyMap<string, DiskCategory> = new Map(table.map((each) => [each.id, each]));

/** Smallest sizes of an enterprise SSD by its performance level. */
const essdMinimum: Readonly<Record<string, number>> = { PL0: 1, PL1: 20, PL2: 461, PL3: 1261 };

/** Performance levels of enterprise SSDs. */
export const performanceLevels: readonly string[] = Object.keys(essdMinimum);

/** The sizes that a disk may have, or undefined when its category is unknown or not for this use. */
export function sizeLimits(
    category: string,
    kind: "system" | "data",
    performanceLevel: string,
): readonly [min: number, max: number] | undefined {
    const limits = diskCategories.get(category)?.[kind];
    if (!limits || category !== "cloud_essd") return limits;
    return [essdMinimum[performanceLevel] ?? limits[0], limits[1]];
}

/** Whether a category has performance levels. */
export function hasPerformanceLevel(category: string): boolean {
    return category === "cloud_essd";
}

/** Operations per second that the cloud promises for a disk. */
export function iopsOf(category: string, performanceLevel: string, sizeGiB: number, provisioned: number): number {
    switch (category) {
        case "cloud_efficiency":
            return Math.min(1800 + 8 * sizeGiB, 5000);
        case "cloud_ssd":
            return Math.min(1800 + 30 * sizeGiB, 25000);
        case "cloud_auto":
            return Math.min(Math.max(1800 + 50 * sizeGiB, 3000), 50000) + provisioned;
        case "cloud_essd_entry":
            return Math.min(1800 + 8 * sizeGiB, 6000);
        case "cloud_essd":
            return Math.min(
                1800 + (performanceLevel === "PL0" ? 12 : 50) * sizeGiB,
                { PL0: 10000, PL2: 100000, PL3: 1000000 }[performanceLevel] ?? 50000,
            );
        default:
            return 300;
    }
}

/** Megabytes per second that the cloud promises for a disk. */
export function throughputOf(category: string, performanceLevel: string, sizeGiB: number): number {
    switch (category) {
        case "cloud_efficiency":
            return Math.floor(Math.min(100 + 0.15 * sizeGiB, 140));
        case "cloud_ssd":
            return Math.floor(Math.min(120 + 0.5 * sizeGiB, 300));
        case "cloud_essd":
            return Math.floor(
                performanceLevel === "PL0" ? Math.min(100 + 0.25 * sizeGiB, 180) : Math.min(120 + 0.5 * sizeGiB, 350),
            );
        default:
            return Math.floor(Math.min(100 + 0.25 * sizeGiB, 350));
    }
}
