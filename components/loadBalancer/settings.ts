import { checkKeys } from "../keys";
import { parseCidr } from "../network/cidr";
import { Problems } from "../problems";
import { checkName, checkTags } from "../tags";
import type { HealthCheckArgs, ListenerArgs, LoadBalancerArgs, StickinessArgs } from "./args";
import { rsaProblem } from "./rsa";
import { type BalancerTypeLimits, balancerTypes } from "./types";

/** What a check may be without. */
type OptionalOfChecks = "path" | "domain" | "port" | "request" | "response";

/** How a check may ask over HTTP. */
export const healthCheckMethods: readonly NonNullable<HealthCheckArgs["method"]>[] = ["HEAD", "GET"];

/** {@link ListenerArgs} with everything filled in that a redirection does not need. */
export interface ListenerSettings {
    readonly args: ListenerArgs;
    readonly check: Required<Omit<HealthCheckArgs, OptionalOfChecks>> & Pick<HealthCheckArgs, OptionalOfChecks>;
    readonly access: { readonly type: "white" | "black"; readonly cidrs: readonly string[] } | undefined;
}

/** {@link LoadBalancerArgs} with the defaults, but for values that are known only at run time. */
export interface LoadBalancerSettings {
    /** By the name of the host. */
    readonly weights: ReadonlyMap<string, number>;
    readonly listeners: readonly ListenerSettings[];
    readonly drainSeconds: number;
}

/** Whether a listener passes on what it does not read. */
export function isTransport({ protocol }: ListenerArgs): boolean {
    return protocol === "tcp" || protocol === "udp" || protocol === "tls";
}

/** Whether a listener has a certificate. */
export function isEncrypted({ protocol }: ListenerArgs): boolean {
    return protocol === "https" || protocol === "tls";
}

/** Tells the listeners of a balancer apart: UDP has ports of its own. */
export function listenerName({ protocol, port }: Pick<ListenerArgs, "protocol" | "port">): string {
    return protocol === "udp" ? `${port}-udp` : String(port);
}

/**
 * Checks what can be checked before anything runs and fills in the defaults. Pure.
 *
 * @throws pulumi.RunError that lists every problem.
 */
export function parseLoadBalancerArgs(name: string, args: LoadBalancerArgs): LoadBalancerSettings {
    const problems = new Problems();
    checkName(problems, name, 40);
    checkTags(problems, args.tags);
    checkKeys(problems, args.keys);
    const limits = limitsOf(problems, args);
    checkPlacement(problems, args, limits);
    const weights = parseHosts(problems, args, limits);
    const drainSeconds = args.drainSeconds ?? 30;
    whole(problems, "drainSeconds", drainSeconds, 0, 900);
    if (args.listeners.length === 0)
        problems.add("listeners", "is empty: a balancer without a listener serves nobody.");
    if (args.listeners.length > limits.maxListeners) {
        problems.add(
            "listeners",
            `${args.listeners.length} are too many: a balancer has at most ${limits.maxListeners}.`,
        );
    }
    const listeners = args.listeners.map((listener, index) =>
        parseListener(problems, args.listeners, listener, `listeners[${index}]`, limits),
    );
    problems.throwIfAny(`LoadBalancer "${name}"`);
    return { weights, listeners, drainSeconds };
}

/** Of the type that is asked for; configuration files and plain JavaScript know no types. */
function limitsOf(problems: Problems, { type }: LoadBalancerArgs): BalancerTypeLimits {
    if (Object.hasOwn(balancerTypes, type)) return balancerTypes[type];
    const known = Object.keys(balancerTypes).map((name) => `"${name}"`);
    problems.add("type", `"${type as string}" is not there: use ${known.slice(0, -1).join(", ")} or ${known.at(-1)!}.`);
    return balancerTypes.clb;
}

function checkPlacement(problems: Problems, args: LoadBalancerArgs, { type, placement }: BalancerTypeLimits): void {
    if (placement === "zones") {
        checkZones(problems, args, type);
        return;
    }
    for (const key of ["vpcId", "vswitches"] as const) {
        if (args[key] !== undefined) problems.add(key, `is of no use to type "${type}": leave it out.`);
    }
    if (args.address === "intranet" && args.vswitchId === undefined) {
        problems.add(
            "vswitchId",
            "is needed for a balancer with an address within the VPC: name one of its VSwitches.",
        );
    }
    if (args.address === "internet" && args.vswitchId !== undefined) {
        problems.add("vswitchId", 'is of no use to an internet balancer: leave it out, or set address to "intranet".');
    }
}

function checkZones(problems: Problems, { vpcId, vswitches, vswitchId }: LoadBalancerArgs, type: string): void {
    if (vpcId === undefined) problems.add("vpcId", `is missing: in which VPC does a balancer of type "${type}" stand?`);
    if (vswitchId !== undefined)
        problems.add("vswitchId", `is of no use to type "${type}": name its vswitches instead.`);
    const zones = (vswitches ?? []).map(({ zone }) => zone);
    if (zones.length < 2) {
        problems.add(
            "vswitches",
            `a balancer of type "${type}" needs VSwitches of at least two zones: name one in each.`,
        );
    }
    zones.forEach((zone, index) => {
        if (typeof zone === "string" && zones.indexOf(zone) < index) {
            problems.add(`vswitches[${index}]`, `${zone} has one already: name one VSwitch in each zone.`);
        }
    });
}

function whole(problems: Problems, path: string, value: number, low: number, high: number): void {
    if (!Number.isInteger(value) || value < low || value > high) {
        problems.add(path, `${value} is not a whole number from ${low} to ${high}.`);
    }
}

function parseHosts(problems: Problems, args: LoadBalancerArgs, { maxHosts }: BalancerTypeLimits): Map<string, number> {
    const names = args.hosts.map((host) => host.name);
    if (names.length === 0) problems.add("hosts", "is empty: name at least one host.");
    if (names.length > maxHosts) {
        problems.add("hosts", `${names.length} are too many: the cloud takes ${maxHosts} at once.`);
    }
    names.forEach((hostName, index) => {
        if (names.indexOf(hostName) < index) problems.add(`hosts[${index}]`, `"${hostName}" is listed twice.`);
    });
    const given = args.weights ?? {};
    for (const [hostName, weight] of Object.entries(given)) {
        whole(problems, `weights["${hostName}"]`, weight, 0, 100);
        if (!names.includes(hostName)) {
            problems.add(`weights["${hostName}"]`, `there is no host of this name; there are ${names.join(", ")}.`);
        }
    }
    const weights = new Map(names.map((hostName) => [hostName, given[hostName] ?? 100]));
    if (weights.size > 0 && [...weights.values()].every((weight) => weight === 0)) {
        problems.add("weights", "are all 0: nobody would serve.");
    }
    return weights;
}

function parseListener(
    problems: Problems,
    all: readonly ListenerArgs[],
    args: ListenerArgs,
    path: string,
    limits: BalancerTypeLimits,
): ListenerSettings {
    const { type, protocols, schedulers, rsaOnly } = limits;
    whole(problems, `${path}.port`, args.port, 1, 65535);
    const first = all.find((other) => listenerName(other) === listenerName(args));
    if (first !== args)
        problems.add(`${path}.port`, `${args.port} has a listener already: each needs a port of its own.`);
    if (!protocols.includes(args.protocol)) {
        problems.add(
            `${path}.protocol`,
            `"${args.protocol}" is none of ${protocols.join(", ")}, which type "${type}" speaks.`,
        );
    }
    if (args.scheduler !== undefined && !schedulers.includes(args.scheduler)) {
        problems.add(`${path}.scheduler`, `"${args.scheduler}" is none of ${schedulers.join(", ")}.`);
    }
    if (args.scheduler === "sch" && !isTransport(args)) {
        problems.add(
            `${path}.scheduler`,
            `"sch" belongs to tcp, udp and tls, and this is ${args.protocol}: set stickiness.`,
        );
    }
    if (args.redirectTo === undefined) {
        if (args.hostPort === undefined)
            problems.add(`${path}.hostPort`, "is missing: which port do the hosts serve on?");
        else whole(problems, `${path}.hostPort`, args.hostPort, 1, 65535);
    } else {
        checkRedirect(problems, all, args, path);
    }
    for (const key of ["certificate", "names"] as const) {
        if (args[key] !== undefined && !isEncrypted(args)) {
            problems.add(`${path}.${key}`, `belongs to an https or tls listener, and this is ${args.protocol}.`);
        }
    }
    if (args.certificate !== undefined && args.names !== undefined) {
        problems.add(`${path}.names`, "are those of a generated certificate: leave them or certificate out.");
    }
    if (rsaOnly && typeof args.certificate?.privateKey === "string") {
        const problem = rsaProblem(args.certificate.privateKey);
        if (problem !== undefined) problems.add(`${path}.certificate`, problem);
    }
    checkStickiness(problems, args.protocol, args.stickiness, `${path}.stickiness`, limits);
    return {
        args,
        check: parseCheck(problems, args, `${path}.healthCheck`, limits),
        access: parseAccess(problems, args, path),
    };
}

function checkRedirect(problems: Problems, all: readonly ListenerArgs[], args: ListenerArgs, path: string): void {
    if (args.protocol !== "http") {
        problems.add(`${path}.redirectTo`, `belongs to an http listener, and this is ${args.protocol}.`);
    }
    if (!all.some(({ port, protocol }) => port === args.redirectTo && protocol === "https")) {
        problems.add(`${path}.redirectTo`, `${args.redirectTo} is not the port of an https listener of this balancer.`);
    }
    for (const key of ["hostPort", "healthCheck", "stickiness", "scheduler"] as const) {
        if (args[key] !== undefined) problems.add(`${path}.${key}`, "is of no use to a redirection: leave it out.");
    }
}

function checkStickiness(
    problems: Problems,
    protocol: ListenerArgs["protocol"],
    stickiness: StickinessArgs | undefined,
    path: string,
    { type }: BalancerTypeLimits,
): void {
    if (stickiness === undefined) return;
    const { seconds, cookie } = stickiness;
    if (protocol === "udp" || type === "nlb") {
        const where = type === "nlb" ? "an nlb" : "udp";
        problems.add(path, `is not there on ${where}: set scheduler to "sch", which keeps a client with its host.`);
        return;
    }
    if (protocol === "tcp" && cookie !== undefined) {
        problems.add(`${path}.cookie`, "a tcp listener sees no cookies: set seconds.");
    }
    if ((seconds === undefined) === (cookie === undefined)) {
        problems.add(path, "needs either seconds or the name of a cookie.");
    }
    if (seconds !== undefined) whole(problems, `${path}.seconds`, seconds, 1, protocol === "tcp" ? 3600 : 86_400);
    if (cookie !== undefined && !/^[A-Za-z0-9_-]{1,200}$/.test(cookie)) {
        problems.add(`${path}.cookie`, `"${cookie}" is not a cookie's name of letters, digits, - and _.`);
    }
}

function parseCheck(
    problems: Problems,
    args: ListenerArgs,
    path: string,
    { type, minCheckInterval, datagramTexts }: BalancerTypeLimits,
): ListenerSettings["check"] {
    const { healthCheck = {}, protocol } = args;
    const check = {
        ...healthCheck,
        path: healthCheck.path ?? (isTransport(args) ? undefined : "/"),
        method: healthCheck.method ?? ("HEAD" as const),
        codes: healthCheck.codes ?? (["2xx"] as const),
        intervalSeconds: healthCheck.intervalSeconds ?? Math.max(2, minCheckInterval),
        timeoutSeconds: healthCheck.timeoutSeconds ?? 5,
        healthyAfter: healthCheck.healthyAfter ?? 3,
        unhealthyAfter: healthCheck.unhealthyAfter ?? 3,
    };
    if (protocol === "udp" && healthCheck.path !== undefined) {
        problems.add(
            `${path}.path`,
            "is of no use to a udp listener, whose hosts are checked by datagrams: leave it out.",
        );
    }
    if (check.path !== undefined && !/^\/[\w\-/.%?#&=]{0,79}$/.test(check.path)) {
        problems.add(`${path}.path`, `"${check.path}" is not a path of at most 80 characters such as /healthz.`);
    }
    if (check.domain !== undefined && !/^[A-Za-z0-9.-]{1,80}$/.test(check.domain)) {
        problems.add(`${path}.domain`, `"${check.domain}" is not a host name such as www.example.com.`);
    }
    const { method, domain, codes } = healthCheck;
    if (check.path === undefined && [method, domain, codes].some((given) => given !== undefined)) {
        problems.add(path, "method, domain and codes belong to a check over HTTP: set path too.");
    }
    if (!healthCheckMethods.includes(check.method)) {
        problems.add(`${path}.method`, `"${check.method as string}" is none of ${healthCheckMethods.join(", ")}.`);
    }
    if (method === "GET" && type === "clb" && protocol === "tcp" && check.path !== undefined) {
        problems.add(`${path}.method`, "is always HEAD on a tcp listener of a clb: leave it out, or use http.");
    }
    if (check.codes.length === 0 || !check.codes.every((code) => /^[2-5]xx$/.test(code))) {
        problems.add(`${path}.codes`, "name at least one of 2xx, 3xx, 4xx, 5xx.");
    }
    if (check.port !== undefined) whole(problems, `${path}.port`, check.port, 1, 65535);
    for (const key of ["request", "response"] as const) {
        const text = healthCheck[key];
        if (text === undefined) continue;
        if (protocol !== "udp" || !datagramTexts) {
            problems.add(`${path}.${key}`, `belongs to a udp listener of an nlb, and this is ${protocol} of ${type}.`);
        } else if (text === "" || text.length > 512) {
            problems.add(`${path}.${key}`, "is not a text of 1 to 512 characters.");
        }
    }
    whole(problems, `${path}.intervalSeconds`, check.intervalSeconds, minCheckInterval, 50);
    whole(problems, `${path}.timeoutSeconds`, check.timeoutSeconds, 1, 300);
    whole(problems, `${path}.healthyAfter`, check.healthyAfter, 2, 10);
    whole(problems, `${path}.unhealthyAfter`, check.unhealthyAfter, 2, 10);
    return check;
}

function parseAccess(problems: Problems, args: ListenerArgs, path: string): ListenerSettings["access"] {
    const { allow, deny } = args;
    if (allow !== undefined && deny !== undefined) {
        problems.add(`${path}.deny`, "excludes allow: what is not allowed is denied already.");
    }
    if (allow?.length === 0) {
        problems.add(`${path}.allow`, "is empty, which the cloud takes for everybody: name a range, or leave it out.");
    }
    const cidrs = allow ?? deny ?? [];
    cidrs.forEach((cidr, index) => {
        const key = allow === undefined ? "deny" : "allow";
        if (parseCidr(cidr) === undefined) {
            problems.add(`${path}.${key}[${index}]`, `"${cidr}" is not a CIDR block such as 198.51.100.0/24.`);
        }
        if (cidrs.indexOf(cidr) < index) problems.add(`${path}.${key}[${index}]`, `"${cidr}" is listed twice.`);
    });
    if (cidrs.length === 0) return undefined;
    return { type: allow === undefined ? "black" : "white", cidrs };
}
