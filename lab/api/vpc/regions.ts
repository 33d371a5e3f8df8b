import { DescribeRegionsRequest } from "@alicloud/vpc20160428/dist/models/DescribeRegionsRequest";
import { DescribeRegionsResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeRegionsResponseBody";
import { DescribeZonesRequest } from "@alicloud/vpc20160428/dist/models/DescribeZonesRequest";
import { DescribeZonesResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeZonesResponseBody";
import type { Action } from "../action";
import { findRegion, regions } from "../regions";
import { vpcAction } from "./action";

const describeRegions = vpcAction({
    name: "DescribeRegions",
    request: DescribeRegionsRequest,
    response: DescribeRegionsResponseBody,
    writes: false,
    handle: ({ acceptLanguage }) => ({
        regions: {
            region: regions.map(({ id, englishName, chineseName }) => ({
                regionId: id,
                localName: acceptLanguage === "en-US" ? englishName : chineseName,
                regionEndpoint: `vpc.${id}.aliyuncs.com`,
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
            zone: (findRegion(regionId)?.zones ?? []).map(({ id, englishName, chineseName }) => ({
                zoneId: id,
                localName: acceptLanguage === "en-US" ? englishName : chineseName,
                zoneType: "AvailabilityZone",
            })),
        },
    }),
});

export const regionActions: readonly Action[] = [describeRegions, describeZones];
