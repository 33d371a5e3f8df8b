import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { Container, Docker } from "../../../lab/hosts/docker";
import { Hosts } from "../../../lab/hosts/hosts";
import { Runner } from "../../../lab/hosts/runner";
import type { DesiredHost, MachineEvent } from "../../../lab/model/desired";
import type { Network } from "../../../lab/net/network";
import { hostOf } from "./hostOf";

/** Containers of an earlier process of the lab; none of them is a real one. */
class Engine {
    readonly running = new Map([
        ["c-i-1", true],
        ["c-i-2", true],
    ]);
    /** What a change to the first host fails with. */
    problem: string | undefined;
    /** Whether the host ends with it. */
    fatal = false;
    readonly events: MachineEvent[] = [];

    inspect(id: string): Container {
        const hostId = id.replace("c-", "");
        const labels = { "multihost.host": hostId, "multihost.disk": `d-${hostId}` };
        return {
            Id: id,
            State: { Running: this.running.get(id), ExitCode: 1, Pid: 0 },
            Config: { Labels: labels },
        } as unknown as Container;
    }

    hosts(folder: string): Hosts {
        return new Hosts({
            lab: "unit",
            folder,
            runner: new Runner(),
            docker: {
                list: async () => [...this.running.keys()],
                inspect: async (id: string) => this.inspect(id),
                stop: async (id: string) => void this.running.set(id, false),
            } as unknown as Docker,
            network: {
                forget: () => undefined,
                missing: (hostId: string) => {
                    if (hostId !== "i-1" || this.problem === undefined) return [];
                    if (this.fatal) this.running.set("c-i-1", false);
                    throw new Error(this.problem);
                },
            } as unknown as Network,
            log: () => undefined,
            emit: (event) => void this.events.push(event),
        });
    }
}

let folder: string;
let engine: Engine;
let hosts: Hosts;
const both = [hostOf("i-1"), hostOf("i-2")];
const apply = async (desired: readonly DesiredHost[]): Promise<void> => {
    hosts.note(desired);
    await hosts.removeOthers(desired);
    await hosts.apply(desired);
};
beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "lab-hosts-"));
    engine = new Engine();
    hosts = engine.hosts(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a host that runs is said to do so, also by a process that did not start it", async () => {
    await apply([{ ...hostOf("i-1"), bootCount: 2 }, hostOf("i-2")]);
    expect(engine.events).toContainEqual({ kind: "running", hostId: "i-1", bootCount: 2 });
});

test("a change that a running host does not take is to be asked for again, and the host is not down", async () => {
    engine.problem = "no link";
    await expect(apply(both)).rejects.toThrow("no link");
    // It keeps no other from its own.
    expect(engine.events).toEqual([{ kind: "running", hostId: "i-2", bootCount: 0 }]);
    engine.problem = undefined;
    await apply(both);
    expect(engine.events.at(-1)).toEqual({ kind: "running", hostId: "i-1", bootCount: 0 });
});

test("a host that ended with its change has failed", async () => {
    engine.problem = "no link";
    engine.fatal = true;
    await apply(both);
    expect(engine.events.at(-1)).toMatchObject({ kind: "failed", hostId: "i-1" });
});
