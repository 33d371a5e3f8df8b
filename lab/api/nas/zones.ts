import { DescribeRegionsRequest } from "@alicloud/nas20170626/dist/models/DescribeRegionsRequest";
import { DescribeRegionsResponseBody } from "@alicloud/nas20170626/dist/models/DescribeRegionsResponseBody";
import { DescribeZonesRequest } from "@alicloud/nas20170626/dist/models/DescribeZonesRequest";
import { DescribeZonesResponseBody } from "@alicloud/nas20170626/dist/models/DescribeZonesResponseBody";
import type { Action } from "../action";
import { paginate } from "../listing";
import { findRegion, regions } from "../regions";
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

const describeRegions = nasAction({
    name: "DescribeRegions",
    request: DescribeRegionsRequest,
    response: DescribeRegionsResponseBody,
    writes: false,
    handle: (request) => {
        if (request.fileSystemType !== "all") refuseOtherTypes(request.fileSystemType);
        const { items, ...page } = paginate(regions, request, { default: 10, max: 100 });
        return {
            ...page,
            regions: {
                region: items.map(({ id, chineseName }) => ({
                    regionId: id,
                    localName: chineseName,
                    regionEndpoint: `nas.${id}.aliyuncs.com`,
                })),
            },
        };
    },
});

export const zoneActions: readonly Action[] = [describeZones, describeRegions];
