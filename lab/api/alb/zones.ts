import { DescribeRegionsRequest } from "@alicloud/alb20200616/dist/models/DescribeRegionsRequest";
import { DescribeRegionsResponseBody } from "@alicloud/alb20200616/dist/models/DescribeRegionsResponseBody";
import { DescribeZonesRequest } from "@alicloud/alb20200616/dist/models/DescribeZonesRequest";
import { DescribeZonesResponseBody } from "@alicloud/alb20200616/dist/models/DescribeZonesResponseBody";
import type { Action } from "../action";
import { findRegion, localName, regions } from "../regions";
import { albAction } from "./action";

const describeZones = albAction({
    name: "DescribeZones",
    request: DescribeZonesRequest,
    response: DescribeZonesResponseBody,
    writes: false,
    handle: ({ acceptLanguage }, { regionId }) => ({
        zones: (findRegion(regionId)?.zones ?? []).map((zone) => ({
            zoneId: zone.id,
            localName: localName(zone, acceptLanguage),
        })),
    }),
});

const describeRegions = albAction({
    name: "DescribeRegions",
    request: DescribeRegionsRequest,
    response: DescribeRegionsResponseBody,
    writes: false,
    handle: ({ acceptLanguage }) => ({
        regions: regions.map((region) => ({
            regionId: region.id,
            localName: localName(region, acceptLanguage),
            regionEndpoint: `alb.${region.id}.aliyuncs.com`,
        })),
    }),
});

export const zoneActions: readonly Action[] = [describeZones, describeRegions];
