export interface StepOptions {
    /** About how long the step takes on the machine to plan for, such as "12 min". */
    readonly about?: string;
}

/** Says what a running step is busy with; shown beside the elapsed time. */
export type Report = (detail: string) => void;

export interface Progress {
    /**
     * Runs a long step: says what begins and about how long it takes, shows the elapsed time while it runs (live on a
     * terminal, a line every 15 s elsewhere) and ends with ✓ or ✗ and the duration. Steps may nest and run side by side.
     * Errors pass through.
     */
    step<T>(title: string, options: StepOptions, action: (report: Report) => Promise<T> | T): Promise<T>;
    /** Prints a line without tearing the live line. */
    note(line: string): void;
    /** Prints a title and rows of name and value, aligned. */
    summary(title: string, rows: readonly (readonly [name: string, value: string])[]): void;
}

export interface ProgressSettings {
    /** Where to write; live when it is a terminal. @default standard error, so that standard output stays machine-readable */
    readonly stream?: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
    /** The clock, in milliseconds. @default Date.now */
    readonly now?: () => number;
    /** Time between two looks at the clock, in milliseconds. @default 1000 on a terminal, 15000 elsewhere */
    readonly tickMs?: number;
    /** @default true on a terminal unless NO_COLOR is set */
    readonly color?: boolean;
}

export function createProgress(settings?: ProgressSettings): Progress;

/** A duration for people: "0.9 s", "42 s", "1 min 15 s", "1 h 2 min". */
export function formatDuration(milliseconds: number): string;

export const step: Progress["step"];
export const note: Progress["note"];
export const summary: Progress["summary"];
