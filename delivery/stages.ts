/** Which hosts an update would stop, and in which order they can be updated one by one. */
import type { Change, Plan } from "./plan";

const INSTANCE = "alicloud:ecs/instance:Instance";

/** Properties of an instance for which the provider (alicloud 1.285.0) stops or restarts a running one, instead of replacing it. */
const stopping =
    /^(instanceType|imageId|vpcId|vswitchId|privateIp|hostName|password|kmsEncryptedPassword|keyName|userData|status|enableHighDensityMode)$|^cpuOptions\b/;

/** A host that an update stops. */
export interface Stage {
    readonly urn: string;
    readonly host: string;
    /** Whether another machine takes its place; else it stops and starts. */
    readonly replaced: boolean;
    /** The change that it stops for, with what of it is why. */
    readonly change: Change;
    readonly causes: readonly string[];
}

/** The hosts that an update of a plan would stop, by their names: `node-2` before `node-10`. */
export function stagesOf({ changes }: Pick<Plan, "changes">): Stage[] {
    return changes
        .flatMap((change): Stage[] => {
            if (change.type !== INSTANCE) return [];
            const replaced = change.operation === "replace";
            if (!replaced && change.operation !== "update") return [];
            const causes = change.properties
                .filter(({ path, replaces }) => (replaced ? replaces : stopping.test(path)))
                .map(({ path }) => path);
            if (!replaced && causes.length === 0) return [];
            return [{ urn: change.urn, host: change.name, replaced, change, causes }];
        })
        .sort((one, other) => one.host.localeCompare(other.host, "en", { numeric: true }));
}

/** In words, such as "node-1 to node-3 stop and start". */
export function describeStage({ host, replaced, causes }: Stage): string {
    const why = causes.length === 0 ? "" : ` (${causes.join(", ")})`;
    return `${host} ${replaced ? "is replaced" : "stops and starts"}${why}`;
}
