import { DescribeZonesRequest } from "@alicloud/nas20170626/dist/models/DescribeZonesRequest";
import { DescribeZonesResponseBody } from "@alicloud/nas20170626/dist/models/DescribeZonesResponseBody";
import type { Action } from "../action";
import { findRegion } from "../regions";
import { nasAction } from "./action";
import { refuseOtherTypes } from "./lookup";

const protocol = ["nfs"];
const storageTypes = ["Capacity", "Performance", "Premium"];

const describeZones = nasAction({
    name: "DescribeZones",
    request: DescribeZonesRequest,
    response: DescribeZonesResponseBody,
    writes: false,
    handle: ({ fileSystemType }, { regionId }) => {
        refuseOtherTypes(fileSystemType);
        return {
            zones: {
                zone: (findRegion(regionId)?.zones ?? []).map(({ id }) => ({
                    zoneId: id,
                    instanceTypes: {
                        instanceType: storageTypes.map((storageType) => ({ storageType, protocolType: protocol[0]! })),
                    },
                    capacity: { protocol },
                    performance: { protocol },
                })),
            },
        };
    },
});

export const zoneActions: readonly Action[] = [describeZones];
