/** Names of private zones, as a stack's state has them. */
import type { StackResource } from "../delivery/states";
import { fieldsOf, finder, text } from "../graph/balancers";

/** A private zone with the names that have addresses. */
export interface Zone {
    readonly id: string;
    readonly name: string;
    /** Such as `redis.internal=10.0.0.1,10.0.0.2`; `*.internal` is every other name. */
    readonly names: readonly string[];
}

export function zonesOf(resources: readonly StackResource[]): Zone[] {
    const of = finder(resources);
    const records = of("pvtz/zoneRecord:ZoneRecord")
        .map(fieldsOf)
        .filter(({ type, status }) => type === "A" && status !== "DISABLE");
    return of("pvtz/zone:Zone").map((resource) => {
        const name = text(fieldsOf(resource)["zoneName"]);
        const addresses = new Map<string, string[]>();
        for (const { zoneId, rr, value } of records) {
            if (zoneId !== resource.id) continue;
            const whole = rr === "@" ? name : `${text(rr)}.${name}`;
            addresses.set(whole, [...(addresses.get(whole) ?? []), text(value)]);
        }
        return {
            id: resource.id ?? "",
            name,
            names: [...addresses].map(([whole, targets]) => `${whole}=${targets.join(",")}`),
        };
    });
}
