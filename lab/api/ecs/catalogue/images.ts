/** System images as the cloud offers them. The lab lists them all, as clients look for them; it boots a few. */
export interface Image {
    readonly id: string;
    readonly family: string;
    readonly architecture: "x86_64" | "arm64";
    readonly osName: string;
    readonly osNameEnglish: string;
    readonly osType: "linux" | "windows";
    readonly platform: string;
    readonly createdAt: string;
    /** GiB; a system disk can't be smaller. */
    readonly sizeGiB: number;
    /** Whether the lab has a machine for it. */
    readonly bootable: boolean;
}

interface Release {
    /** First part of the id. */
    readonly id: string;
    readonly platform: string;
    readonly name: string;
    /** Dates of its builds, newest first. */
    readonly builds: readonly string[];
    readonly arm?: boolean;
    readonly bootable?: boolean;
}

const linux: readonly Release[] = [
    { id: "debian_13_1", platform: "Debian", name: "Debian 13.1", builds: ["20251030"] },
    { id: "debian_12_12", platform: "Debian", name: "Debian 12.12", builds: ["20251030", "20250923"], bootable: true },
    { id: "debian_12_11", platform: "Debian", name: "Debian 12.11", builds: ["20250625"], bootable: true },
    { id: "debian_11_11", platform: "Debian", name: "Debian 11.11", builds: ["20250625"] },
    { id: "ubuntu_24_04", platform: "Ubuntu", name: "Ubuntu 24.04", builds: ["20251030"], arm: true },
    { id: "ubuntu_22_04", platform: "Ubuntu", name: "Ubuntu 22.04", builds: ["20251030", "20250625"], arm: true },
    { id: "ubuntu_20_04", platform: "Ubuntu", name: "Ubuntu 20.04", builds: ["20250625"] },
    { id: "ubuntu_18_04", platform: "Ubuntu", name: "Ubuntu 18.04", builds: ["20241023"] },
    { id: "aliyun_4", platform: "Aliyun", name: "Alibaba Cloud Linux 4.0.1", builds: ["20251015"] },
    {
        id: "aliyun_3",
        platform: "Aliyun",
        name: "Alibaba Cloud Linux 3.2104 LTS",
        builds: ["20251030", "20250629"],
        arm: true,
    },
    { id: "aliyun_2_1903", platform: "Aliyun", name: "Alibaba Cloud Linux 2.1903 LTS", builds: ["20250625"] },
    { id: "anolisos_8_9", platform: "Anolis", name: "Anolis OS 8.9 ANCK", builds: ["20250625"] },
    { id: "centos_stream_9", platform: "CentOS Stream", name: "CentOS Stream 9", builds: ["20251030"] },
    { id: "centos_8_5", platform: "CentOS", name: "CentOS 8.5", builds: ["20220113"] },
    { id: "centos_7_9", platform: "CentOS", name: "CentOS 7.9", builds: ["20250625", "20240628"] },
    { id: "almalinux_9_6", platform: "AlmaLinux", name: "AlmaLinux 9.6", builds: ["20251030"] },
    { id: "rockylinux_9_6", platform: "Rocky Linux", name: "Rocky Linux 9.6", builds: ["20251030"] },
    { id: "opensuse_15_6", platform: "OpenSUSE", name: "OpenSUSE 15.6", builds: ["20250625"] },
    { id: "fedora_42", platform: "Fedora", name: "Fedora 42", builds: ["20250625"] },
];

const windows: readonly Release[] = [
    {
        id: "win2025_24H2_x64_dtc_en-us",
        platform: "Windows Server 2025",
        name: "Windows Server 2025 Datacenter",
        builds: ["20251015"],
    },
    {
        id: "win2022_21H2_x64_dtc_en-us",
        platform: "Windows Server 2022",
        name: "Windows Server 2022 Datacenter",
        builds: ["20251015"],
    },
    {
        id: "win2019_1809_x64_dtc_en-us",
        platform: "Windows Server 2019",
        name: "Windows Server 2019 Datacenter",
        builds: ["20251015"],
    },
];

function dateOf(build: string): string {
    return `${build.slice(0, 4)}-${build.slice(4, 6)}-${build.slice(6, 8)}T02:00:00Z`;
}

function linuxImages(release: Release): Image[] {
    return release.builds.flatMap((build) =>
        (release.arm ? (["x64", "arm64"] as const) : (["x64"] as const)).map((architecture) => ({
            id: `${release.id}_${architecture}_20G_alibase_${build}.vhd`,
            family: `acs:${release.id}_${architecture}`,
            architecture: architecture === "x64" ? ("x86_64" as const) : ("arm64" as const),
            osName: `${release.name} 64位${architecture === "arm64" ? " ARM版" : ""}`,
            osNameEnglish: `${release.name} 64 bit${architecture === "arm64" ? " for ARM" : ""}`,
            osType: "linux" as const,
            platform: release.platform,
            createdAt: dateOf(build),
            sizeGiB: 20,
            bootable: release.bootable === true && architecture === "x64",
        })),
    );
}

function windowsImages(release: Release): Image[] {
    return release.builds.map((build) => ({
        id: `${release.id}_40G_alibase_${build}.vhd`,
        family: `acs:${release.id}`,
        architecture: "x86_64",
        osName: `${release.name} 64位英文版`,
        osNameEnglish: `${release.name} 64 bit English Edition`,
        osType: "windows",
        platform: release.platform,
        createdAt: dateOf(build),
        sizeGiB: 40,
        bootable: false,
    }));
}

/** All images, newest first. */
export const images: readonly Image[] = [...linux.flatMap(linuxImages), ...windows.flatMap(windowsImages)].sort(
    (a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0),
);

const byId = new Map(images.map((image) => [image.id, image]));
const debian12 = images.find(({ bootable }) => bootable)!;

/**
 * An image by its id. The cloud replaces its builds every few weeks and keeps old ones for those who know their ids:
 * so does the lab with Debian 12, which it boots whatever the build.
 */
export function findImage(id: string | undefined): Image | undefined {
    if (id === undefined) return undefined;
    return byId.get(id) ?? (/^debian_12(_\d+)?_x64_20G_alibase_\d{8}\.vhd$/.test(id) ? { ...debian12, id } : undefined);
}

/** The newest image of a family. */
export function findImageFamily(family: string): Image | undefined {
    return images.find((image) => image.family === family);
}
