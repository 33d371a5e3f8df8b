import { isIP } from "node:net";

import type { Host } from "../host";
import { parseCidr } from "../network/cidr";
import { Problems } from "../problems";
import type { WebTierArgs } from "./args";

/** {@link WebTierArgs} with everything filled in, but for values that are known only at run time. */
export interface WebTierSettings {
    readonly hosts: readonly Host[];
    readonly siteName: string;
    readonly port: number;
    readonly serverNames: readonly string[];
    readonly directory: string;
    readonly shared: boolean;
    readonly keep: number;
    readonly checkPath: string;
    readonly healthPath: string;
    readonly requestsPerSecond: number;
    readonly burst: number;
    readonly connections: number;
    readonly bodySize: string;
    readonly upstreamTimeout: number;
    readonly tlsPort: number;
    /** `Name: value`. */
    readonly headers: readonly string[];
    readonly trustedProxies: readonly string[];
    readonly statusPort: number;
    readonly version: string | undefined;
}

const defaultHeaders: Readonly<Record<string, string>> = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
};

/** A year, the least that the preload lists of browsers ask for. */
const strictTransportSecurity = "max-age=31536000";

const pathPattern = /^\/[A-Za-z0-9._~/-]*$/;
const directoryPattern = /^\/[\w.-]+(\/[\w.-]+)+$/;

/**
 * Checks what can be checked before anything runs and fills in the defaults. Pure.
 *
 * @throws pulumi.RunError that lists every problem.
 */
export function parseWebTierArgs(name: string, args: WebTierArgs): WebTierSettings {
    const problems = new Problems();
    const whole = (path: string, value: number, low: number, high: number, meaning: string): number => {
        if (!Number.isInteger(value) || value < low || value > high) {
            problems.add(path, `${value} is not ${meaning} from ${low} to ${high}.`);
        }
        return value;
    };
    const { siteName = name } = args;
    if (!/^[a-z][a-z0-9-]{0,30}$/.test(siteName)) {
        problems.add(
            args.siteName === undefined ? "name" : "siteName",
            `"${siteName}" names files and zones of nginx: use at most 31 lower-case letters, digits and hyphens.`,
        );
    }
    checkHosts(problems, args);

    const port = whole("port", args.port ?? 80, 1, 65535, "a TCP port");
    const tlsPort = whole("tls.port", args.tls?.port ?? 443, 1, 65535, "a TCP port");
    const statusPort = whole("statusPort", args.statusPort ?? defaultStatusPort, 1, 65535, "a TCP port");
    const ports = [port, statusPort, ...(args.tls === undefined ? [] : [tlsPort])];
    if (new Set(ports).size < ports.length) {
        problems.add("port", `port, tls.port and statusPort must differ; they are ${ports.join(", ")}.`);
    }

    args.serverNames?.forEach((serverName, index) => {
        if (!/^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(serverName)) {
            problems.add(`serverNames[${index}]`, `"${serverName}" is not a host name such as www.example.com.`);
        }
    });
    const directory = args.content?.directory ?? "/srv/www";
    if (!directoryPattern.test(directory)) {
        problems.add("content.directory", `"${directory}" is not an absolute path below a top-level folder.`);
    }
    const healthPath = args.healthPath ?? "/healthz";
    const checkPath = args.release?.checkPath ?? "/";
    for (const [path, value] of [
        ["healthPath", healthPath],
        ["release.checkPath", checkPath],
    ] as const) {
        if (!pathPattern.test(value)) problems.add(path, `"${value}" is not a path such as /healthz.`);
    }
    if (healthPath === "/") {
        problems.add("healthPath", "would take the site's own start page: choose a path of its own such as /healthz.");
    }
    checkRelease(problems, args);

    const requestsPerSecond = whole(
        "limits.requestsPerSecond",
        args.limits?.requestsPerSecond ?? 50,
        1,
        100_000,
        "a rate",
    );
    const burst = whole(
        "limits.burst",
        args.limits?.burst ?? 2 * requestsPerSecond,
        0,
        1_000_000,
        "a number of requests",
    );
    const connections = whole(
        "limits.connections",
        args.limits?.connections ?? 100,
        1,
        65_535,
        "a number of connections",
    );
    const bodySize = args.limits?.bodySize ?? "10m";
    if (!/^[1-9]\d*[kmg]?$/.test(bodySize)) {
        problems.add("limits.bodySize", `"${bodySize}" is not a size such as 512k or 10m.`);
    }
    if (args.upstream?.servers.length === 0) {
        problems.add("upstream.servers", "is empty: name at least one server, or leave upstream out.");
    }
    args.upstream?.servers.forEach((server, index) => {
        if (typeof server === "string" && !isEndpoint(server)) {
            problems.add(
                `upstream.servers[${index}]`,
                `"${server}" is not an address with a port such as 10.0.0.7:8080.`,
            );
        }
    });
    const upstreamTimeout = whole(
        "upstream.timeoutSeconds",
        args.upstream?.timeoutSeconds ?? 30,
        1,
        3600,
        "a number of seconds",
    );
    const trustedProxies = args.trustedProxies ?? ["100.64.0.0/10"];
    trustedProxies.forEach((range, index) => {
        if (parseCidr(range) === undefined) {
            problems.add(`trustedProxies[${index}]`, `"${range}" is not a CIDR block such as 100.64.0.0/10.`);
        }
    });
    const headers = parseHeaders(problems, args);
    const version = problems.checkVersion("version", args.version);
    problems.throwIfAny(`WebTier "${name}"`);

    return {
        hosts: args.hosts,
        siteName,
        version,
        port,
        serverNames: args.serverNames ?? [],
        directory,
        shared: args.content?.shared ?? false,
        keep: args.release?.keep ?? 5,
        checkPath,
        healthPath,
        requestsPerSecond,
        burst,
        connections,
        bodySize,
        upstreamTimeout,
        tlsPort,
        headers,
        trustedProxies,
        statusPort,
    };
}

function checkHosts(problems: Problems, args: WebTierArgs): void {
    if (args.hosts.length === 0) problems.add("hosts", "is empty: name at least one host.");
    args.hosts.forEach((host, index) => {
        if (args.hosts.findIndex((other) => other.name === host.name) < index) {
            problems.add(`hosts[${index}]`, `"${host.name}" is listed twice.`);
        }
        if (host.name === "release") {
            problems.add(`hosts[${index}]`, `the name "release" is taken by a resource of the web tier itself.`);
        }
    });
    const alone = args.hosts.length < 2 || args.content?.shared === true;
    if (args.release !== undefined && !alone && args.meshUser === undefined) {
        problems.add(
            "meshUser",
            "is needed to switch a release on several hosts at once: give NodePool.meshUser, or put the content on shared storage and set content.shared.",
        );
    }
}

/** Where nginx tells its own figures. */
export const defaultStatusPort = 8081;

/** Notes what is wrong with a release's name, which is that of a folder. */
export function checkReleaseName(problems: Problems, path: string, name: string): void {
    if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) return;
    problems.add(path, `"${name}" is not the name of a folder: use letters, digits and ._- only.`);
}

/** Notes what is wrong with where a release is fetched from. */
export function checkReleaseUrl(problems: Problems, path: string, url: string): void {
    if (/^https?:\/\/[^\s']+$/.test(url)) return;
    problems.add(path, `"${withoutSignature(url)}" is not an HTTP address.`);
}

/** Notes what is wrong with a SHA-256. */
export function checkDigest(problems: Problems, path: string, digest: string): void {
    if (/^[0-9a-f]{64}$/i.test(digest)) return;
    problems.add(path, "must be 64 hexadecimal digits, as sha256sum prints them.");
}

function checkRelease(problems: Problems, { release }: WebTierArgs): void {
    if (release === undefined) return;
    checkReleaseName(problems, "release.name", release.name);
    const keep = release.keep ?? 5;
    if (!Number.isInteger(keep) || keep < 2 || keep > 100) {
        problems.add(
            "release.keep",
            `${keep} is not a number of releases from 2 to 100; the one before must stay for the way back.`,
        );
    }
    if (typeof release.url === "string") checkReleaseUrl(problems, "release.url", release.url);
    if ((release.url === undefined) !== (release.sha256 === undefined)) {
        problems.add("release.sha256", "goes with release.url: give both or none.");
    }
    if (release.sha256 !== undefined) checkDigest(problems, "release.sha256", release.sha256);
}

function parseHeaders(problems: Problems, args: WebTierArgs): string[] {
    const own = Object.entries(args.headers ?? {});
    for (const [header, value] of own) {
        if (!/^[A-Za-z][A-Za-z0-9-]*$/.test(header)) {
            problems.add(`headers["${header}"]`, "is not the name of a header.");
        }
        // Quotes would end nginx's string, and a dollar would be a variable of its own.
        if (/["\\$\r\n]/.test(value)) {
            problems.add(
                `headers["${header}"]`,
                "must not hold double quotes, backslashes, dollar signs or line breaks.",
            );
        }
    }
    const replaced = new Set(own.map(([header]) => header.toLowerCase()));
    const defaults = Object.entries({
        ...defaultHeaders,
        ...(args.tls === undefined ? {} : { "Strict-Transport-Security": strictTransportSecurity }),
    }).filter(([header]) => !replaced.has(header.toLowerCase()));
    return [...defaults, ...own.filter(([, value]) => value !== "")].map(([header, value]) => `${header}: ${value}`);
}

function isEndpoint(text: string): boolean {
    const match = /^([^:\s]+):(\d{1,5})$/.exec(text);
    if (match === null || Number(match[2]) < 1 || Number(match[2]) > 65_535) return false;
    return isIP(match[1]!) === 4 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(match[1]!);
}

/** An address without the login or signature that it may carry: those open what it leads to. */
export function withoutSignature(url: string): string {
    return url.replace(/[?#].*$/s, "").replace(/^([a-z]+:\/\/)[^/]*@/i, "$1");
}
