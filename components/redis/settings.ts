import type { Host } from "../host";
import { checkKeys } from "../keys";
import { passwordProblem } from "../password";
import { dnsNameProblem, Problems } from "../problems";
import { evictionPolicies, type RedisClusterArgs } from "./args";

/** {@link RedisClusterArgs} with everything filled in. */
export interface RedisClusterSettings {
    readonly hosts: readonly Host[];
    readonly masters: number;
    readonly replicasPerMaster: number;
    readonly port: number;
    readonly maxmemory: string;
    readonly maxmemoryPolicy: string;
    readonly nodeTimeout: number;
    readonly appendonly: boolean;
    readonly minReplicasToWrite: number;
    readonly tls: boolean;
    readonly dataDirectory: string | undefined;
    readonly version: string | undefined;
    readonly dnsNames: readonly string[];
}

const smallestCluster = 3;
const reservedNames: readonly string[] = ["ca", "cluster", "password"];

/**
 * Checks what can be checked before anything runs and fills in the defaults. Pure.
 *
 * @throws pulumi.RunError that lists every problem.
 */
export function parseRedisClusterArgs(name: string, args: RedisClusterArgs): RedisClusterSettings {
    const problems = new Problems();
    const whole = (path: string, value: number, low: number, high: number, meaning: string): void => {
        if (!Number.isInteger(value) || value < low || value > high) {
            problems.add(path, `${value} is not ${meaning} from ${low} to ${high}.`);
        }
    };

    const masters = args.masters ?? smallestCluster;
    const replicasPerMaster = args.replicasPerMaster ?? 1;
    const port = args.port ?? 7000;
    const nodeTimeout = args.nodeTimeout ?? 5000;
    // With a single replica, waiting for it would turn the loss of either machine into a refusal to write.
    const minReplicasToWrite = args.minReplicasToWrite ?? (replicasPerMaster >= 2 ? 1 : 0);

    whole("masters", masters, smallestCluster, 500, "a number of masters");
    whole("replicasPerMaster", replicasPerMaster, 0, 2, "a number of replicas");
    const needed = masters * (1 + replicasPerMaster);
    if (args.hosts.length !== needed && Number.isInteger(needed)) {
        problems.add(
            "hosts",
            `${args.hosts.length} hosts can't carry ${masters} masters with ${replicasPerMaster} replicas each: one server per host makes ${needed}.`,
        );
    }
    args.hosts.forEach((host, index) => {
        if (args.hosts.findIndex((other) => other.name === host.name) < index) {
            problems.add(`hosts[${index}]`, `"${host.name}" is listed twice.`);
        }
        if (reservedNames.includes(host.name)) {
            problems.add(`hosts[${index}]`, `the name "${host.name}" is taken by a resource of the cluster itself.`);
        }
    });
    whole("port", port, 1024, 55535, "a TCP port (the cluster bus takes 10000 more)");
    whole("nodeTimeout", nodeTimeout, 500, 60_000, "a number of milliseconds");
    whole("minReplicasToWrite", minReplicasToWrite, 0, Math.max(0, replicasPerMaster), "a number of replicas");

    const maxmemory = args.maxmemory ?? "60%";
    const size = /^([1-9]\d*)(%|mb|gb)$/.exec(maxmemory);
    if (size === null) {
        problems.add("maxmemory", `"${maxmemory}" is neither a share such as 60% nor a size such as 512mb or 4gb.`);
    } else if (size[2] === "%" && Number(size[1]) > 90) {
        problems.add("maxmemory", `"${maxmemory}" leaves the host too little: at most 90%.`);
    }
    const maxmemoryPolicy = args.maxmemoryPolicy ?? "noeviction";
    if (!evictionPolicies.includes(maxmemoryPolicy)) {
        problems.add("maxmemoryPolicy", `"${maxmemoryPolicy}" is none of ${evictionPolicies.join(", ")}.`);
    }
    checkKeys(problems, args.keys);
    for (const path of ["password", "previousPassword"] as const) {
        const value = args[path];
        const problem = typeof value === "string" ? passwordProblem(value) : undefined;
        if (problem !== undefined) {
            problems.add(path, problem);
        }
    }
    problems.checkDataDirectory("dataDirectory", args.dataDirectory);
    args.dnsNames?.forEach((dnsName, index) => {
        const problem = dnsNameProblem(dnsName);
        if (problem !== undefined) problems.add(`dnsNames[${index}]`, problem);
    });
    const version = problems.checkVersion("version", args.version);
    problems.throwIfAny(`RedisCluster "${name}"`);

    return {
        hosts: args.hosts,
        masters,
        replicasPerMaster,
        port,
        maxmemory,
        maxmemoryPolicy,
        nodeTimeout,
        appendonly: args.appendonly ?? true,
        minReplicasToWrite,
        tls: args.tls ?? true,
        dataDirectory: args.dataDirectory,
        version,
        dnsNames: args.dnsNames ?? [],
    };
}
