/** The two ways in which a host runs in its container. */
import type { DesiredHost } from "../model/desired";
import { attachScript, bootScript, detachOthersScript } from "./boot";
import { type ImageDefinition, definitionFor } from "./definitions";
import type { AttachedDisk } from "./disks";
import {
    EMULATOR_MIB,
    emulated,
    emulatorAttachScript,
    emulatorBootScript,
    emulatorDetachOthersScript,
    hasVirtualization,
} from "./emulator";

export interface HostKind {
    /** Which image the container is made of. */
    image(host: DesiredHost): ImageDefinition;
    /** Shell text for a container whose first process waits for the network. */
    boot(host: DesiredHost, disks: readonly AttachedDisk[], network: string): string;
    /** Shell text for a running container: a disk that is new to the host, or has grown. */
    attach(disk: AttachedDisk): string;
    /** Shell text for a running container: takes every data disk but these from the host, and fails where one does not go. */
    detachOthers(kept: readonly AttachedDisk[]): string;
    /** Shell text for a running container: interfaces that the host has got. */
    plugged(network: string): string;
    /** What asks the first process to shut the host down. */
    readonly stopSignal: string;
    /** Seconds that it has for that before it is switched off. */
    readonly shutdownSeconds: number;
    /** MiB that the container needs beside the host's own. */
    readonly overheadMiB: number;
    /** Weight against other containers where processors are short; 1024 is that of any other. */
    readonly cpuShares: number;
    /** Devices of the machine that the container is given where they exist. */
    readonly devices: readonly string[];
}

const shared: HostKind = {
    image: ({ imageId }) => definitionFor(imageId),
    boot: bootScript,
    attach: attachScript,
    detachOthers: detachOthersScript,
    plugged: (network) => network,
    stopSignal: "SIGRTMIN+4",
    shutdownSeconds: 15,
    overheadMiB: 0,
    cpuShares: 1024,
    devices: ["/dev/fuse", "/dev/net/tun"],
};

const own: HostKind = {
    image: () => emulated,
    boot: emulatorBootScript,
    attach: emulatorAttachScript,
    detachOthers: emulatorDetachOthersScript,
    // The guest finds them at its next boot: nothing reaches into it.
    plugged: () => "",
    stopSignal: "SIGTERM",
    shutdownSeconds: 90,
    overheadMiB: EMULATOR_MIB,
    // An emulated processor takes all that it gets, for minutes. Whoever has the machine's own goes first.
    cpuShares: hasVirtualization() ? 1024 : 128,
    devices: ["/dev/net/tun", ...(hasVirtualization() ? ["/dev/kvm"] : [])],
};

/** How a host runs, by whose kernel it has. */
export function kindOf({ kernel }: Pick<DesiredHost, "kernel">): HostKind {
    return kernel === "own" ? own : shared;
}
