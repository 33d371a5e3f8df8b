/** What people and scripts see of a lab; `docs/lab.md` documents the JSON. */
import { existsSync } from "node:fs";
import { findImage } from "./api/ecs/catalogue/images";
import { DEFAULT_REGION } from "./api/regions";
import { readJson } from "./files";
import { debian12, definitionFor } from "./hosts/definitions";
import { ownsKernel } from "./model/sizes";
import { emptyState, type Instance, type State } from "./model/state";
import type { LabPaths } from "./paths";
import { runningDaemon } from "./record";
import { configuredRegion } from "./stack";
import { setting } from "../toolchain/folders";
import { byName } from "../toolchain/order";

/** One host of `status --json`. */
export interface HostView {
    readonly name: string;
    readonly instanceId: string;
    /** `Pending`, `Starting`, `Running`, `Stopping` or `Stopped`, as the cloud says it. */
    readonly state: string;
    readonly privateAddress: string;
    /** Empty without one. */
    readonly publicAddress: string;
    readonly vpc: string;
    readonly zone: string;
    /** Id of the image that it was made from. */
    readonly image: string;
    /** Whether that is what runs, or Debian 12 in its place. */
    readonly standIn: boolean;
}

/** The whole of `status --json`. */
export interface LabView {
    readonly name: string;
    readonly state: "running" | "stopped" | "absent";
    /** URL of the API, empty unless it runs. */
    readonly endpoint: string;
    readonly region: string;
    readonly hosts: readonly HostView[];
}

/** What the lab has, as it was last written down; nothing where there is none. */
export function loadState(paths: LabPaths): State {
    return { ...emptyState(), ...(readJson(paths.state) as State | undefined) };
}

/** The region of a lab that starts: that of `LAB_REGION`, or of the stack's provider. */
export function chosenRegion(): string {
    return setting("LAB_REGION") ?? configuredRegion() ?? DEFAULT_REGION;
}

/** What `lab status` tells. */
export function labView(paths: LabPaths): LabView {
    const daemon = runningDaemon(paths);
    return {
        name: paths.name,
        state: daemon ? "running" : existsSync(paths.identity) ? "stopped" : "absent",
        endpoint: daemon ? `http://127.0.0.1:${daemon.port}` : "",
        region: daemon?.region ?? chosenRegion(),
        hosts: hostViews(loadState(paths), existsSync(paths.halted)),
    };
}

/** The hosts of a model, by name. */
export function hostViews(state: State, halted: boolean): HostView[] {
    return Object.values(state.instances)
        .map((instance) => ({
            name: instance.name,
            instanceId: instance.id,
            state: halted ? "Stopped" : instance.status,
            privateAddress: privateAddress(state, instance),
            publicAddress: publicAddress(state, instance),
            vpc: instance.vpcId,
            zone: instance.zoneId,
            image: instance.imageId,
            standIn: standsIn(instance),
        }))
        .sort((a, b) => byName(a.name, b.name) || (a.instanceId < b.instanceId ? -1 : 1));
}

/** The lab has one system with a kernel of its own. */
function standsIn({ imageId, instanceType }: Instance): boolean {
    return (
        findImage(imageId)?.machine === "stand-in" || (ownsKernel(instanceType) && definitionFor(imageId) !== debian12)
    );
}

function privateAddress(state: State, { id }: Instance): string {
    const primary = Object.values(state.networkInterfaces).find(
        (nic) => nic.instanceId === id && nic.kind === "Primary",
    );
    return primary?.primaryIp ?? "";
}

function publicAddress(state: State, { id }: Instance): string {
    const nics = new Set(
        Object.values(state.networkInterfaces)
            .filter(({ instanceId }) => instanceId === id)
            .map((nic) => nic.id),
    );
    const eip = Object.values(state.eips).find(
        ({ binding }) => binding !== undefined && (binding.instanceId === id || nics.has(binding.instanceId)),
    );
    return eip?.address ?? "";
}

/** The host that a person means by a name, an id or an address. */
export function chooseHost(hosts: readonly HostView[], word: string): HostView | undefined {
    return hosts.find(
        ({ name, instanceId, privateAddress, publicAddress }) =>
            name === word || instanceId === word || privateAddress === word || publicAddress === word,
    );
}
