import { Zone, findRegion } from "../../regions";

/** Zones of a region that sell instances: all that it has. */
export function zonesOf(regionId: string): readonly Zone[] {
    return findRegion(regionId)?.zones ?? [];
}
