/** Instance types that people use most, as data. Every zone of the lab sells all of them. */
export interface InstanceType {
    readonly id: string;
    readonly family: string;
    readonly generation: string;
    readonly vcpus: number;
    readonly memoryGiB: number;
    readonly architecture: "X86" | "ARM";
    readonly category: string;
    readonly level: "EntryLevel" | "EnterpriseLevel" | "CreditEntryLevel";
    readonly processor: string;
    readonly ghz: number;
    readonly turboGhz: number;
    readonly nvme: "required" | "unsupported";
    /** Categories of disks that it takes. */
    readonly diskCategories: readonly string[];
    readonly enis: number;
    readonly ipsPerEni: number;
    readonly ipv6PerEni: number;
    readonly queues: number;
    /** Gbit/s. */
    readonly bandwidth: number;
    readonly packets: number;
    /** Of burstable types. */
    readonly credits?: { readonly initial: number; readonly baseline: number };
    readonly gpus: number;
    readonly gpuSpec: string;
    readonly gpuMemoryGiB: number;
}

type Family = Pick<
    InstanceType,
    "family" | "generation" | "category" | "level" | "processor" | "ghz" | "turboGhz" | "diskCategories"
> & {
    readonly architecture?: InstanceType["architecture"];
    readonly nvme?: InstanceType["nvme"];
    /** GiB for each vCPU, where the name does not say it. */
    readonly ratio?: number;
    /** Last part of the name, with `-cNmM` where a family has several ratios. */
    readonly sizes: readonly string[];
    readonly burstable?: boolean;
    readonly gpu?: { readonly spec: string; readonly memoryGiB: number };
    /** Sizes whose vCPUs and memory follow no rule. */
    readonly odd?: Readonly<Record<string, readonly [vcpus: number, memoryGiB: number]>>;
};

const older = ["cloud_efficiency", "cloud_ssd", "cloud_essd"] as const;
const newer = ["cloud_essd", "cloud_auto"] as const;
const entry = ["cloud_efficiency", "cloud_ssd", "cloud_essd", "cloud_auto", "cloud_essd_entry"] as const;
const platinum = "Intel Xeon (Skylake) Platinum 8163";
const cascade = "Intel Xeon(Cascade Lake) Platinum 8269CY";
const iceLake = "Intel Xeon(Ice Lake) Platinum 8369B";
const sapphire = "Intel Xeon(Sapphire Rapids) Platinum 8475B";
const granite = "Intel Xeon 6 (Granite Rapids)";
const rome = "AMD EPYC ROME";
const milan = "AMD EPYC MILAN";
const amd = "AMD Genoa 9T24";
const yitian = "Yitian710 arm";
const usual = ["large", "xlarge", "2xlarge", "3xlarge", "4xlarge", "6xlarge", "8xlarge"] as const;
/** Of families that don't have all of the usual ones. */
const doubled = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge"] as const;
const huge = ["12xlarge", "16xlarge", "24xlarge", "32xlarge", "48xlarge"] as const;

interface Line {
    readonly name: string;
    readonly ratio: number;
    readonly category: string;
}

const lines: readonly Line[] = [
    { name: "c", ratio: 2, category: "Compute-optimized" },
    { name: "g", ratio: 4, category: "General-purpose" },
    { name: "r", ratio: 8, category: "Memory-optimized" },
];

/** The general-purpose, compute- and memory-optimized family of one generation, in sizes that all three have. */
function generation(
    suffix: string,
    sizes: readonly string[],
    given: Pick<Family, "generation" | "processor" | "ghz" | "turboGhz" | "diskCategories" | "architecture" | "nvme">,
): Family[] {
    return lines.map(({ name, ratio, category }) => ({
        ...given,
        family: `ecs.${name}${suffix}`,
        level: "EnterpriseLevel",
        category,
        ratio,
        sizes,
    }));
}

interface BareMetal extends Pick<Family, "processor" | "ghz" | "turboGhz"> {
    readonly size: string;
    readonly vcpus: number;
    /** GiB of the compute-optimized one; the others have two and four times as much. */
    readonly perC: number;
}

/** The families of whole machines of one generation. */
function bareMetal(suffix: string, { size, vcpus, perC, ...given }: BareMetal): Family[] {
    return lines.map(({ name, ratio }) => ({
        ...given,
        family: `ecs.ebm${name}${suffix}`,
        generation: `ecs-${suffix}`,
        level: "EnterpriseLevel",
        category: "ECS Bare Metal",
        diskCategories: newer,
        sizes: [size],
        odd: { [size]: [vcpus, (perC * ratio) / 2] },
    }));
}

const families: readonly Family[] = [
    {
        family: "ecs.t5",
        generation: "ecs-5",
        category: "Shared",
        level: "CreditEntryLevel",
        processor: platinum,
        ghz: 2.5,
        turboGhz: 0,
        diskCategories: older,
        burstable: true,
        sizes: ["-lc2m1.nano", "-lc1m1.small", "-lc1m2.small", "-lc1m2.large", "-lc1m4.large", "-c1m2.xlarge"],
        odd: { "-lc2m1.nano": [1, 0.5] },
    },
    {
        family: "ecs.t6",
        generation: "ecs-6",
        category: "Shared",
        level: "CreditEntryLevel",
        processor: cascade,
        ghz: 2.5,
        turboGhz: 3.2,
        diskCategories: older,
        burstable: true,
        sizes: [
            "-c4m1.large",
            "-c2m1.large",
            "-c1m1.large",
            "-c1m2.large",
            "-c1m4.large",
            "-c1m4.xlarge",
            "-c1m4.2xlarge",
        ],
    },
    {
        family: "ecs.s6",
        generation: "ecs-6",
        category: "Shared",
        level: "EntryLevel",
        processor: cascade,
        ghz: 2.5,
        turboGhz: 3.2,
        diskCategories: older,
        sizes: ["-c1m1.small", "-c1m2.small", "-c1m2.large", "-c1m2.xlarge", "-c1m4.large", "-c1m4.xlarge"],
    },
    {
        family: "ecs.e",
        generation: "ecs-7",
        category: "Shared",
        level: "EntryLevel",
        processor: "Intel Xeon Platinum",
        ghz: 2.5,
        turboGhz: 0,
        diskCategories: ["cloud_efficiency", "cloud_essd", "cloud_auto", "cloud_essd_entry"],
        sizes: [
            "-c1m1.large",
            "-c1m2.large",
            "-c1m4.large",
            "-c1m2.xlarge",
            "-c1m4.xlarge",
            "-c1m4.2xlarge",
            "-c1m2.2xlarge",
        ],
    },
    {
        family: "ecs.u1",
        generation: "ecs-7",
        category: "General-purpose",
        level: "EnterpriseLevel",
        processor: "Intel Xeon Platinum",
        ghz: 2.5,
        turboGhz: 3.2,
        diskCategories: entry,
        sizes: ["1", "2", "4", "8"].flatMap((memory) =>
            ["large", "xlarge", "2xlarge", "4xlarge"].map((size) => `-c1m${memory}.${size}`),
        ),
    },
    {
        family: "ecs.n1",
        generation: "ecs-2",
        category: "Shared",
        level: "EntryLevel",
        processor: "Intel Xeon E5-2680v3",
        ghz: 2.5,
        turboGhz: 0,
        diskCategories: ["cloud_efficiency", "cloud_ssd"],
        sizes: [".tiny", ".small", ".medium", ".large", ".xlarge"],
        odd: { ".tiny": [1, 1], ".small": [1, 2], ".medium": [2, 4], ".large": [4, 8], ".xlarge": [8, 16] },
    },
    {
        family: "ecs.n4",
        generation: "ecs-3",
        category: "Shared",
        level: "EntryLevel",
        processor: platinum,
        ghz: 2.5,
        turboGhz: 0,
        diskCategories: older,
        ratio: 2,
        sizes: [".small", ".large", ".xlarge", ".2xlarge", ".4xlarge"],
    },
    {
        family: "ecs.mn4",
        generation: "ecs-3",
        category: "Shared",
        level: "EntryLevel",
        processor: platinum,
        ghz: 2.5,
        turboGhz: 0,
        diskCategories: older,
        ratio: 4,
        sizes: [".small", ".large", ".xlarge", ".2xlarge"],
    },
    {
        family: "ecs.sn1ne",
        generation: "ecs-3",
        category: "Compute-optimized",
        level: "EnterpriseLevel",
        processor: platinum,
        ghz: 2.5,
        turboGhz: 0,
        diskCategories: older,
        ratio: 2,
        sizes: [".large", ".xlarge", ".2xlarge"],
    },
    {
        family: "ecs.sn2ne",
        generation: "ecs-3",
        category: "General-purpose",
        level: "EnterpriseLevel",
        processor: platinum,
        ghz: 2.5,
        turboGhz: 0,
        diskCategories: older,
        ratio: 4,
        sizes: [".large", ".xlarge", ".2xlarge"],
    },
    ...generation("5", [...usual, "16xlarge"], {
        generation: "ecs-5",
        processor: platinum,
        ghz: 2.5,
        turboGhz: 2.7,
        diskCategories: older,
    }),
    ...generation("6", usual, {
        generation: "ecs-6",
        processor: cascade,
        ghz: 2.5,
        turboGhz: 3.2,
        diskCategories: older,
    }),
    ...generation("7", [...usual, "16xlarge", "32xlarge"], {
        generation: "ecs-7",
        processor: iceLake,
        ghz: 2.7,
        turboGhz: 3.5,
        diskCategories: newer,
    }),
    ...generation("8i", [...usual, "12xlarge", "16xlarge"], {
        generation: "ecs-8",
        processor: sapphire,
        ghz: 2.7,
        turboGhz: 3.2,
        diskCategories: [...newer, "cloud_essd_entry"],
        nvme: "required",
    }),
    ...generation("9i", [...usual, ...huge], {
        generation: "ecs-9",
        processor: granite,
        ghz: 2.8,
        turboGhz: 3.6,
        diskCategories: [...newer, "cloud_essd_entry"],
        nvme: "required",
    }),
    ...generation("8a", [...usual, ...huge], {
        generation: "ecs-8",
        processor: amd,
        ghz: 2.7,
        turboGhz: 3.7,
        diskCategories: [...newer, "cloud_essd_entry"],
        nvme: "required",
    }),
    ...generation("8y", [...usual, "16xlarge"], {
        generation: "ecs-8",
        processor: yitian,
        ghz: 2.75,
        turboGhz: 2.75,
        diskCategories: [...newer, "cloud_essd_entry"],
        architecture: "ARM",
        nvme: "required",
    }),
    {
        family: "ecs.hfc7",
        generation: "ecs-7",
        category: "High clock speed",
        level: "EnterpriseLevel",
        processor: "Intel Xeon(Cooper Lake) Platinum 8369",
        ghz: 3.3,
        turboGhz: 3.8,
        diskCategories: newer,
        ratio: 2,
        sizes: [".large", ".xlarge", ".2xlarge"],
    },
    ...bareMetal("6", { processor: cascade, ghz: 2.5, turboGhz: 3.2, size: ".26xlarge", vcpus: 104, perC: 192 }),
    ...bareMetal("7", { processor: iceLake, ghz: 2.7, turboGhz: 3.5, size: ".32xlarge", vcpus: 128, perC: 256 }),
    {
        family: "ecs.gn6i",
        generation: "ecs-6",
        category: "GPU-accelerated compute-optimized",
        level: "EnterpriseLevel",
        processor: "Intel Xeon(Skylake) Platinum 8163",
        ghz: 2.5,
        turboGhz: 0,
        diskCategories: older,
        gpu: { spec: "NVIDIA T4", memoryGiB: 16 },
        sizes: ["-c4g1.xlarge", "-c8g1.2xlarge", "-c16g1.4xlarge"],
        odd: { "-c4g1.xlarge": [4, 15], "-c8g1.2xlarge": [8, 31], "-c16g1.4xlarge": [16, 62] },
    },
    // Last, as are later sizes of a family: programs take the first type that has what they ask for, and go on with it.
    ...generation("6e", doubled, {
        generation: "ecs-6",
        processor: cascade,
        ghz: 2.5,
        turboGhz: 3.2,
        diskCategories: newer,
    }),
    ...generation("6a", [...doubled, "16xlarge", "32xlarge"], {
        generation: "ecs-6",
        processor: rome,
        ghz: 2.6,
        turboGhz: 3.3,
        diskCategories: older,
    }),
    ...generation("7a", [...doubled, "16xlarge", "32xlarge"], {
        generation: "ecs-7",
        processor: milan,
        ghz: 2.55,
        turboGhz: 3.5,
        diskCategories: newer,
    }),
    {
        family: "ecs.g5ne",
        generation: "ecs-5",
        category: "General-purpose",
        level: "EnterpriseLevel",
        processor: platinum,
        ghz: 2.5,
        turboGhz: 2.7,
        diskCategories: older,
        ratio: 4,
        sizes: [...doubled, "16xlarge", "18xlarge"],
    },
    {
        family: "ecs.g7ne",
        generation: "ecs-7",
        category: "General-purpose",
        level: "EnterpriseLevel",
        processor: "Intel Xeon(Cooper Lake) Platinum 8369HB",
        ghz: 3.3,
        turboGhz: 3.8,
        diskCategories: newer,
        ratio: 4,
        sizes: [...doubled, "12xlarge", "24xlarge"],
    },
    {
        family: "ecs.u2a",
        generation: "ecs-8",
        category: "General-purpose",
        level: "EnterpriseLevel",
        processor: "AMD EPYC",
        ghz: 2.7,
        turboGhz: 3.7,
        diskCategories: [...newer, "cloud_essd_entry"],
        nvme: "required",
        sizes: [
            ...["large", "xlarge"].map((size) => `-c1m1.${size}`),
            ...["2", "4"].flatMap((memory) =>
                [...doubled, "6xlarge", "12xlarge", "16xlarge"].map((size) => `-c1m${memory}.${size}`),
            ),
        ],
    },
    {
        family: "ecs.u2i",
        generation: "ecs-8",
        category: "General-purpose",
        level: "EnterpriseLevel",
        processor: "Intel Xeon Platinum",
        ghz: 2.7,
        turboGhz: 3.2,
        diskCategories: [...newer, "cloud_essd_entry"],
        nvme: "required",
        sizes: ["1", "2", "4"].flatMap((memory) => usual.map((size) => `-c1m${memory}.${size}`)),
    },
];

function vcpusOf(size: string): number {
    const times = /(\d+)xlarge$/.exec(size);
    if (times) return Number(times[1]) * 4;
    return size.endsWith("xlarge") ? 4 : size.endsWith("large") ? 2 : 1;
}

/** By vCPUs: interfaces, addresses of each, queues, Gbit/s, thousand packets/s. */
const network: readonly (readonly [
    vcpus: number,
    enis: number,
    ips: number,
    queues: number,
    gbit: number,
    kpps: number,
])[] = [
    [1, 2, 2, 1, 0.5, 100],
    [2, 2, 6, 2, 1, 300],
    [4, 3, 10, 2, 1.5, 500],
    [8, 4, 10, 4, 2.5, 800],
    [12, 6, 10, 4, 4, 900],
    [16, 8, 20, 4, 5, 1000],
    [24, 8, 20, 6, 7.5, 1500],
    [32, 8, 20, 8, 10, 2000],
    [48, 8, 30, 24, 13, 4000],
    [64, 8, 30, 32, 16, 6000],
    [96, 15, 30, 32, 32, 12000],
];

function expand(family: Family): InstanceType[] {
    return family.sizes.map((size) => {
        const ratio = /-l?c(\d+)m(\d+)\./.exec(size);
        const vcpus = family.odd?.[size]?.[0] ?? vcpusOf(size);
        const perVcpu = ratio ? Number(ratio[2]) / Number(ratio[1]) : (family.ratio ?? 4);
        const memoryGiB = family.odd?.[size]?.[1] ?? vcpus * perVcpu;
        const [, enis, ips, queues, bandwidth, kpps] = network.findLast(([least]) => least <= vcpus) ?? network[0]!;
        const gpus = family.gpu ? 1 : 0;
        return {
            id: `${family.family}${/^[-.]/.test(size) ? "" : "."}${size}`,
            family: family.family,
            generation: family.generation,
            vcpus,
            memoryGiB,
            architecture: family.architecture ?? "X86",
            category: family.category,
            level: family.level,
            processor: family.processor,
            ghz: family.ghz,
            turboGhz: family.turboGhz,
            nvme: family.nvme ?? "unsupported",
            diskCategories: family.diskCategories,
            enis,
            ipsPerEni: ips,
            ipv6PerEni: vcpus < 2 ? 1 : Math.min(ips, 10),
            queues,
            bandwidth,
            packets: kpps * 1000,
            ...(family.burstable && { credits: { initial: 30 * vcpus, baseline: 12 * vcpus } }),
            gpus,
            gpuSpec: family.gpu?.spec ?? "",
            gpuMemoryGiB: family.gpu?.memoryGiB ?? 0,
        };
    });
}

/** All instance types. */
export const instanceTypes: readonly InstanceType[] = families.flatMap(expand);

const byId = new Map(instanceTypes.map((type) => [type.id, type]));

/** An instance type by its name. */
export function findInstanceType(id: string | undefined): InstanceType | undefined {
    return id === undefined ? undefined : byId.get(id);
}

/** Families with their generations. */
export const instanceTypeFamilies: readonly { readonly id: string; readonly generation: string }[] = families.map(
    ({ family, generation: id }) => ({ id: family, generation: id }),
);
