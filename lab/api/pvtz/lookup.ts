import type { PrivateRecord, PrivateZone } from "../../model/privateZone";
import type { ActionContext } from "../action";
import { CloudError } from "../errors";

/** @throws CloudError `Zone.NotExists` */
export function zoneOf({ store }: ActionContext, id: string | undefined): PrivateZone {
    const zones = store.state.privateZones;
    if (id !== undefined && Object.hasOwn(zones, id)) return zones[id]!;
    throw new CloudError("Zone.NotExists", "The specified zone does not exist.");
}

/** @throws CloudError `Record.NotExists` */
export function recordOf(
    { store }: ActionContext,
    id: number | undefined,
): { zone: PrivateZone; record: PrivateRecord } {
    for (const zone of Object.values(store.state.privateZones)) {
        const record = zone.records.find((candidate) => candidate.id === id);
        if (record) return { zone, record };
    }
    throw new CloudError("Record.NotExists", "The specified record does not exist.");
}
