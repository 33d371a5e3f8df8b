/** Data disks: sparse files behind loop devices. */
import {
    closeSync,
    existsSync,
    ftruncateSync,
    mkdirSync,
    openSync,
    readFileSync,
    readdirSync,
    realpathSync,
    rmSync,
    statSync,
} from "node:fs";
import * as path from "node:path";
import type { DesiredDisk } from "../model/desired";
import type { Runner } from "./runner";

/** A disk on this machine. */
export interface AttachedDisk {
    readonly id: string;
    readonly sizeGiB: number;
    /** Loop device number. */
    readonly minor: number;
    /** The name that guests see: `vdb`. */
    readonly name: string;
    /** What the guest finds below /dev/disk/by-id. */
    readonly serial: string;
}

/** Device major number of loop devices. */
export const LOOP_MAJOR = 7;

/** The cloud says `/dev/xvdb` where guests see `/dev/vdb`. */
export function guestName(device: string): string {
    return device.replace(/^\/dev\//, "").replace(/^xvd/, "vd");
}

export class Disks {
    constructor(
        private readonly folder: string,
        private readonly runner: Runner,
    ) {}

    private file(id: string): string {
        return path.join(this.folder, `${id}.img`);
    }

    /** Makes sure that a disk exists, has its size and is behind a loop device. */
    async attach({ id, sizeGiB, device }: DesiredDisk): Promise<AttachedDisk> {
        mkdirSync(this.folder, { recursive: true, mode: 0o700 });
        const file = this.file(id);
        const grown = !existsSync(file) || statSync(file).size < sizeGiB * 2 ** 30;
        if (grown) {
            const descriptor = openSync(file, "a", 0o600);
            ftruncateSync(descriptor, sizeGiB * 2 ** 30);
            closeSync(descriptor);
        }
        const known = this.loops().get(realpathSync(file));
        if (known !== undefined && grown) await this.runner.run(["losetup", "-c", `/dev/loop${known}`]);
        const loop = known ?? (await this.loop(file));
        return { id, sizeGiB, minor: loop, name: guestName(device), serial: id.replace(/^d-/, "").slice(0, 20) };
    }

    private async loop(file: string): Promise<number> {
        const shown = await this.runner.run(["losetup", "--find", "--show", "--nooverlap", file]);
        return Number(/loop(\d+)/.exec(shown)?.[1]);
    }

    /** Takes loop devices away from disks that no host has. The files stay: a disk keeps its content while nobody has it. */
    async detachOthers(ids: ReadonlySet<string>): Promise<void> {
        const kept = new Set(
            [...ids]
                .map((id) => this.file(id))
                .filter(existsSync)
                .map((file) => realpathSync(file)),
        );
        const lines = [...this.loops()]
            .filter(([file]) => !kept.has(file))
            .map(([, minor]) => `losetup -d /dev/loop${minor} 2>/dev/null || true`);
        if (lines.length > 0) await this.runner.script(lines.join("\n"));
    }

    /** Removes the content of disks that are no more. */
    removeOthers(ids: ReadonlySet<string>): void {
        if (!existsSync(this.folder)) return;
        for (const name of readdirSync(this.folder)) {
            const id = /^(.+)\.img$/.exec(name)?.[1];
            if (id !== undefined && !ids.has(id)) rmSync(this.file(id), { force: true });
        }
    }

    /** Loop device by file, of this lab only. */
    private loops(): Map<string, number> {
        const found = new Map<string, number>();
        if (!existsSync(this.folder)) return found;
        const own = realpathSync(this.folder);
        for (const name of readdirSync("/sys/block")) {
            const minor = /^loop(\d+)$/.exec(name)?.[1];
            if (minor === undefined) continue;
            try {
                const file = readFileSync(`/sys/block/${name}/loop/backing_file`, "utf8")
                    .trim()
                    .replace(/ \(deleted\)$/, "");
                if (path.dirname(file) === own) found.set(file, Number(minor));
            } catch {
                // A loop device without a file.
            }
        }
        return found;
    }
}
