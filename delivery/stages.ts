/** Which hosts an update would stop. */
import type { Plan } from "./plan";
import { byName } from "../toolchain/order";

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
    /** The properties that it stops for. */
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
            return [{ urn: change.urn, host: change.name, replaced, causes }];
        })
        .sort((one, other) => byName(one.host, other.host));
}

/** What becomes of a host, to be read behind its name. */
export const fateOf = ({ replaced }: Stage): string => (replaced ? "is replaced" : "stops and starts");

/** In words, such as "node-1 stops and starts (instanceType)". */
export function describeStage(stage: Stage): string {
    const why = stage.causes.length === 0 ? "" : ` (${stage.causes.join(", ")})`;
    return `${stage.host} ${fateOf(stage)}${why}`;
}
