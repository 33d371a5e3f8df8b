/** System images as the cloud offers them. The lab lists them all, as clients look for them; Debian 12 and 13 are what it boots. */
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
    /** What boots when an instance is made from it: the system that it names, Debian 12 in its place, or nothing. */
    readonly machine: "own" | "stand-in" | "none";
}

interface Release {
    /** First part of the id. */
    readonly id: string;
    readonly platform: string;
    readonly name: string;
    /** Dates of its builds, newest first. */
    readonly builds: readonly string[];
    readonly arm?: boolean;
    /** Whether the lab has a machine for it. */
    readonly own?: boolean;
}

const linux: readonly Release[] = [
    { id: "debian_13_1", platform: "Debian", name: "Debian 13.1", builds: ["20251030"], own: true },
    { id: "debian_12_12", platform: "Debian", name: "Debian 12.12", builds: ["20251030", "20250923"], own: true },
    { id: "debian_12_11", platform: "Debian", name: "Debian 12.11", builds: ["20250625"], own: true },
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

/** When a build was made. That for ARM is the older one: clients that look for the newest of a release, whatever it runs on, mean x86. */
function dateOf(build: string, architecture: "x64" | "arm64"): string {
    const time = architecture === "x64" ? "02:00:00" : "01:50:00";
    return `${build.slice(0, 4)}-${build.slice(4, 6)}-${build.slice(6, 8)}T${time}Z`;
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
            createdAt: dateOf(build, architecture),
            sizeGiB: 20,
            machine: release.own === true && architecture === "x64" ? ("own" as const) : ("stand-in" as const),
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
        createdAt: dateOf(build, "x64"),
        sizeGiB: 40,
        machine: "none",
    }));
}

/** All images, newest first. */
export const images: readonly Image[] = [...linux.flatMap(linuxImages), ...windows.flatMap(windowsImages)].sort(
    (a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0),
);

const byId = new Map(images.map((image) => [image.id, image]));

/** `centos_7_06_64_20G_alibase_20190711.vhd`: distribution, version, architecture, size, build. */
const linuxBuild = /^([a-z]+(?:_stream)?)_(\d\w*?)_(x64|arm64|64)_(\d+)G_[a-z]+_(\d{8})\.vhd$/;

/**
 * An image by its id. The cloud replaces its builds every few weeks and keeps old ones for those who know their ids:
 * so does the lab with the distributions that it lists.
 */
export function findImage(id: string | undefined): Image | undefined {
    if (id === undefined) return undefined;
    return byId.get(id) ?? oldBuild(id);
}

function oldBuild(id: string): Image | undefined {
    const [, distribution, version = "", architecture, size, build = ""] = linuxBuild.exec(id) ?? [];
    if (distribution === undefined) return undefined;
    const listed = linux.filter((release) => release.id.startsWith(`${distribution}_`));
    const [nearest] = [...listed.filter((release) => release.id === `${distribution}_${version}`), ...listed];
    if (nearest === undefined) return undefined;
    const arm = architecture === "arm64";
    const own = !arm && listed.some((release) => release.own === true && majorOf(release.id) === majorOf(version));
    const name = `${nearest.name.replace(/ [\d.]+( LTS| ANCK)?$/, "")} ${version.replaceAll("_", ".")}`;
    return {
        id,
        family: `acs:${distribution}_${version}_${arm ? "arm64" : "x64"}`,
        architecture: arm ? "arm64" : "x86_64",
        osName: `${name} 64位${arm ? " ARM版" : ""}`,
        osNameEnglish: `${name} 64 bit${arm ? " for ARM" : ""}`,
        osType: "linux",
        platform: nearest.platform,
        createdAt: dateOf(build, arm ? "arm64" : "x64"),
        sizeGiB: Number(size),
        machine: own ? "own" : "stand-in",
    };
}

/** `12` of `debian_12_11` or `12_11`. */
function majorOf(text: string): string | undefined {
    return /\d+/.exec(text)?.[0];
}

/** The newest image of a family. */
export function findImageFamily(family: string): Image | undefined {
    return images.find((image) => image.family === family);
}
