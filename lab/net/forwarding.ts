/** The one setting of the machine's own that a lab changes: whether it forwards packets. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { stateFolder } from "../../toolchain/folders";
import { remove } from "../hosts/files";
import { claimedIndices } from "../hosts/labs";
import type { Runner } from "../hosts/runner";

const SETTING = "/proc/sys/net/ipv4/ip_forward";

/** Says that a lab switched forwarding on, so that the last lab to go switches it off. */
function marker(): string {
    return path.join(stateFolder(), "forwarding");
}

/** Switches forwarding on. */
export async function allowForwarding(runner: Runner): Promise<void> {
    if (readFileSync(SETTING, "utf8").trim() === "1") return;
    mkdirSync(stateFolder(), { recursive: true });
    writeFileSync(marker(), "");
    await runner.run(["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
}

/** Switches forwarding off again when a lab switched it on, nobody's lab is left, and no engine has come to rely on it. */
export async function restoreForwarding(runner: Runner): Promise<void> {
    if (!existsSync(marker()) || Object.keys(claimedIndices()).length > 0) return;
    remove(marker());
    if (existsSync("/sys/class/net/docker0")) return;
    await runner.run(["sysctl", "-qw", "net.ipv4.ip_forward=0"]);
}
