import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writePrivate } from "../../../lab/files";
import { writeAtomically } from "../../../lab/hosts/files";
import { Store } from "../../../lab/model/store";

// The last bytes of a disk: a write takes what fits, and tells only by its result that this was not all.
jest.mock("node:fs", () => {
    const fs = jest.requireActual<typeof import("node:fs")>("node:fs");
    return { ...fs, writeSync: (handle: number, text: string) => fs.writeSync(handle, text.slice(0, 3)) };
});

let folder: string;

beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lab-files-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Lets what is written before the file is replaced go to a disk that is full. */
function fill(file: string): void {
    symlinkSync("/dev/full", `${file}.${process.pid}.new`);
}

describe.each([
    ["writePrivate", writePrivate],
    ["writeAtomically", writeAtomically],
])("%s", (_name, write) => {
    test("writes all of a text", () => {
        const file = join(folder, "record.json");
        write(file, "before");
        expect(readFileSync(file, "utf8")).toBe("before");
    });

    test("leaves the former file where the disk is full, and nothing beside it", () => {
        const file = join(folder, "record.json");
        write(file, "before");
        fill(file);
        expect(() => write(file, "after")).toThrow(/ENOSPC/);
        expect(readFileSync(file, "utf8")).toBe("before");
        expect(readdirSync(folder)).toEqual(["record.json"]);
    });
});

test("a state is saved whole, or not at all and the former one is read again", () => {
    const file = join(folder, "state.json");
    const store = new Store(file);
    store.state.nextEip = 7;
    store.save();
    fill(file);
    store.state.nextEip = 8;
    expect(() => store.save()).toThrow(/ENOSPC/);
    expect(new Store(file).state.nextEip).toBe(7);
    store.save();
    expect(new Store(file).state.nextEip).toBe(8);
});
