/** `web`: web servers on a pool of their own. */
import type { WebTierArgs } from "../components";
import { checkDigest, checkReleaseName, checkReleaseUrl, defaultStatusPort } from "../components/web/settings";
import type { HostsConfig } from "./hosts";
import type { StackConfig } from "../config";
import type { Reader } from "./reader";
import type { StorageConfig } from "./storage";

export interface WebConfig {
    /** @default true */
    readonly enabled: boolean;
    /** How many hosts the pool `web` has. @default 2 */
    readonly count: number;
    /** @default "ecs.g7.large" */
    readonly instanceType: string;
    /** TCP port of HTTP. @default 80 */
    readonly port: number;
    /** Whether the servers have one copy of the releases, on the shared storage. @default false */
    readonly shared: boolean;
    /** Name of the release that is served. @default a page that says that there is none */
    readonly release?: string;
    /** Where the release is fetched from, with its SHA-256. @default it is on the hosts already */
    readonly releaseUrl?: string;
    readonly releaseSha256?: string;
    /** Version of nginx's package, or its beginning. @default any */
    readonly version?: string;
}

export const webKeys = [
    "enabled",
    "count",
    "instanceType",
    "port",
    "shared",
    "release",
    "releaseUrl",
    "releaseSha256",
    "version",
] as const;

export function readWeb(reader: Reader, storage: StorageConfig): WebConfig {
    const web = reader.section("web");
    const { problems } = reader;
    const release = reader.text(web, "web.release");
    const releaseUrl = reader.text(web, "web.releaseUrl");
    const releaseSha256 = reader.text(web, "web.releaseSha256");
    if ((releaseUrl === undefined) !== (releaseSha256 === undefined)) {
        problems.add("web.releaseSha256", "goes with web.releaseUrl: set both or none.");
    }
    if (release === undefined && releaseUrl !== undefined) {
        problems.add("web.release", "is missing: give the release at web.releaseUrl a name.");
    }
    if (release !== undefined) checkReleaseName(problems, "web.release", release);
    if (releaseUrl !== undefined) checkReleaseUrl(problems, "web.releaseUrl", releaseUrl);
    if (releaseSha256 !== undefined) checkDigest(problems, "web.releaseSha256", releaseSha256);
    const version = problems.checkVersion("web.version", reader.text(web, "web.version"));
    const port = reader.integer(web, "web.port", 80, 1, 65535);
    if (port === 22) problems.add("web.port", "22 is SSH's, by which hosts are set up: choose another port.");
    if (port === defaultStatusPort)
        problems.add("web.port", `${port} is where nginx tells its own figures: choose another port.`);
    const shared = reader.boolean(web, "web.shared", false);
    if (shared && !storage.enabled) {
        problems.add("web.shared", "there is no storage to share: set storage.enabled, or leave it out.");
    }
    return {
        enabled: reader.boolean(web, "web.enabled", true),
        count: reader.integer(web, "web.count", 2, 1, 100),
        instanceType: reader.instanceType(web, "web.instanceType", "ecs.g7.large"),
        port,
        shared,
        ...(version !== undefined && { version }),
        ...(release !== undefined && { release }),
        ...(releaseUrl !== undefined && { releaseUrl }),
        ...(releaseSha256 !== undefined && { releaseSha256 }),
    };
}

/** The pool of the web servers: as that of the platform's services, in a number and size of its own. */
export function webHosts({ count, instanceType }: WebConfig, hosts: HostsConfig): HostsConfig {
    return { ...hosts, count, instanceType, exclude: [], placement: {} };
}

/** What is served, from where and with which version, when the configuration says so. */
export function webContent({
    web,
    storage,
    network,
    loadBalancer,
}: Pick<StackConfig, "web" | "storage" | "network" | "loadBalancer">): Pick<
    WebTierArgs,
    "port" | "content" | "release" | "version" | "trustedProxies"
> {
    const { port, shared, version, release, releaseUrl, releaseSha256 } = web;
    return {
        port,
        // It connects from addresses of its VSwitches; by any other's all visitors would count as one.
        ...(loadBalancer.enabled && loadBalancer.type === "alb" && { trustedProxies: ["100.64.0.0/10", network.cidr] }),
        ...(shared && { content: { directory: `${storage.mountPoint}/www`, shared } }),
        ...(version !== undefined && { version }),
        ...(release !== undefined && { release: { name: release, url: releaseUrl, sha256: releaseSha256 } }),
    };
}
