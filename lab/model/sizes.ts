/** Size of an instance type. */
export interface InstanceSize {
    readonly vcpus: number;
    readonly memoryMiB: number;
}

/** What this machine has to give. */
export interface MachineSize {
    readonly cores: number;
    readonly memoryMiB: number;
}

/** GiB per vCPU by the letter that a family's name begins with; 4 for others. */
const memoryPerVcpu: Readonly<Record<string, number>> = { c: 2, g: 4, r: 8, hfc: 2, hfg: 4, hfr: 8, u: 4, e: 4, t: 4 };

/** A host may use a quarter of its type's memory: services of a test don't hold a production's data. */
const MEMORY_FRACTION = 1 / 4;
const MIN_MEMORY_MIB = 512;
/** No single host may take more than this part of the machine. */
const MACHINE_FRACTION = 1 / 8;
/** Of one with a kernel of its own, which fills all the memory that it is given. */
const MAX_OWN_MEMORY_MIB = 1024;

/** Whether hosts of this type have a kernel of their own: those of the families of bare metal. */
export function ownsKernel(instanceType: string): boolean {
    return /^(ecs\.)?ebm/.test(instanceType);
}

/**
 * vCPUs and memory that the name of a type promises: `ecs.c7.large`, `ecs.g8i.4xlarge`, `ecs.t6-c1m2.large`,
 * `ecs.u1-c1m4.xlarge`, `ecs.n4.small`.
 */
export function nominalSize(instanceType: string): InstanceSize {
    const [, family = "", size = ""] = instanceType.split(".");
    const vcpus = vcpusOf(size);
    const ratio = /-c(\d+)m(\d+)$/.exec(family);
    const letters = /^[a-z]+/.exec(family)?.[0] ?? "";
    const perVcpu = ratio
        ? Number(ratio[2]) / Number(ratio[1])
        : (memoryPerVcpu[letters] ?? memoryPerVcpu[letters.charAt(0)] ?? 4);
    return { vcpus, memoryMiB: Math.round(vcpus * perVcpu * 1024) };
}

function vcpusOf(size: string): number {
    const times = /^(\d+)xlarge$/.exec(size);
    if (times) return Number(times[1]) * 4;
    return size === "xlarge" ? 4 : size === "large" ? 2 : 1;
}

/** The limits of a host of this type on this machine. They are ceilings: nothing is set aside. */
export function labSize(instanceType: string, machine: MachineSize): { cpus: number; memoryMiB: number } {
    const nominal = nominalSize(instanceType);
    const most = Math.max(
        MIN_MEMORY_MIB,
        Math.min(
            Math.floor(machine.memoryMiB * MACHINE_FRACTION),
            ownsKernel(instanceType) ? MAX_OWN_MEMORY_MIB : Infinity,
        ),
    );
    return {
        cpus: Math.max(1, Math.min(nominal.vcpus, machine.cores)),
        memoryMiB: Math.min(most, Math.max(MIN_MEMORY_MIB, Math.round(nominal.memoryMiB * MEMORY_FRACTION))),
    };
}
