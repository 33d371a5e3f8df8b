import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { Runner } from "../../../lab/hosts/runner";
import { Network } from "../../../lab/net/network";

/** Index of no lab that could be running here. */
export const UNIT_LAB = 15;

/** A folder for a test, and in it the network of a lab whose commands go to a runner of the test's. */
export function unitNetwork(runner: (folder: string) => Partial<Runner>): {
    readonly folder: string;
    readonly network: Network;
    readonly close: () => void;
} {
    const folder = mkdtempSync(path.join(tmpdir(), "lab-network-"));
    const network = new Network({
        runner: runner(folder) as Runner,
        lab: "unit",
        index: UNIT_LAB,
        slotsFile: path.join(folder, "slots.json"),
        log: () => undefined,
        claimed: () => undefined,
    });
    const close = (): void => {
        network.close();
        rmSync(folder, { recursive: true, force: true });
    };
    return { folder, network, close };
}
