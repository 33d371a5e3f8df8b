import { DescribeRegionsRequest } from "@alicloud/vpc20160428/dist/models/DescribeRegionsRequest";
import { DescribeRegionsResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeRegionsResponseBody";
import { DescribeZonesRequest } from "@alicloud/vpc20160428/dist/models/DescribeZonesRequest";
import { DescribeZonesResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeZonesResponseBody";
import type { Action } from "../action";
import { findRegion, localName, regions } from "../regions";
import { vpcAction } from "./action";

const describeRegions = vpcAction({
    name: "DescribeRegions",
    request: DescribeRegionsRequest,
    response: DescribeRegionsResponseBody,
    writes: false,
    handle: ({ acceptLanguage }) => ({
        regions: {
            region: regions.map((region) => ({
                regionId: region.id,
                localName: localName(region, acceptLanguage),
                regionEndpoint: `vpc.${region.id}.aliyuncs.com`,
            })),
        },
    }),
});

const describeZones = vpcAction({
    name: "DescribeZones",
    request: DescribeZonesRequest,
    response: DescribeZonesResponseBody,
    writes: false,
    handle: ({ acceptLanguage }, { regionId }) => ({
        zones: {
            zone: (findRegion(regionId)?.zones ?? []).map((zone) => ({
                zoneId: zone.id,
                localName: localName(zone, acceptLanguage),
                zoneType: "AvailabilityZone",
            })),
        },
    }),
});

export const regionActions: readonly Action[] = [describeRegions, describeZones];
