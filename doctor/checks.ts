/**
 * The scripts that examine: `scripts/doctor/<service>/<step>.sh` looks at what the step `<service>/<step>` has made. Those of `dns` and
 * `balancer` look at resources of the cloud's.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { scriptText, shellQuote } from "../components/scriptText";
import { readScript, type Script, scriptsFolder, serviceLibrary, sharedLibrary } from "../components/scripts";
import type { Task } from "./inventory";

export interface Check {
    /** Name of the step's script that it belongs to, such as `redis/node`, or its own where there is none. */
    readonly name: string;
    /** First part of the name. */
    readonly service: string;
    readonly script: Script;
    /**
     * Whether it asks the whole service, so that any of its hosts can run it when the step's own can't be reached: a line
     * `# doctor: any host` says so.
     */
    readonly anyHost: boolean;
    /** Script of the step that a host needs for that; any of the service's unless the line says `any host with storage/gluster-server`. */
    readonly needs?: string;
}

const loaded = new Map<string, Check | undefined>();

/** The check of a step's script; undefined where there is none. */
export function loadCheck(name: string): Check | undefined {
    if (!loaded.has(name)) loaded.set(name, readCheck(name));
    return loaded.get(name);
}

function readCheck(name: string): Check | undefined {
    const exists = (file: string): boolean => existsSync(join(scriptsFolder(), file));
    const file = `doctor/${name}.sh`;
    if (!exists(file)) return undefined;
    const service = name.split("/")[0]!;
    const script = readScript(`doctor/${name}`, [
        ...sharedLibrary(),
        "doctor/lib.sh",
        ...serviceLibrary(service),
        file,
    ]);
    const anyHost = /^# doctor: any host(?: with ([a-z0-9/-]+))?$/m.exec(script.body);
    return {
        name,
        service,
        script,
        anyHost: anyHost !== null,
        ...(anyHost?.[1] !== undefined && { needs: anyHost[1] }),
    };
}

/**
 * What bash reads on standard input to examine a step's work. The command is the step's own, so the parameters are, too;
 * its values reach the check as they reach the step.
 */
export function checkText(check: Check, { name, secrets }: Task): string {
    const assignments = [
        `STEP=${check.script.name}@${check.script.hash}`,
        // By which its advice names the step.
        `STEP_NAME=${shellQuote(name ?? "")}`,
        ...secrets,
    ];
    return scriptText(check.script, assignments, "doctor_run");
}
