import type { Action } from "../action";
import { model } from "../common/model";
import { findRegion, regions } from "../regions";
import { nlbAction } from "./action";

const describeZones = nlbAction({
    name: "DescribeZones",
    request: model({ RegionId: "string", AcceptLanguage: "string" }),
    response: model({ RequestId: "string", Zones: [{ ZoneId: "string", LocalName: "string" }] }),
    writes: false,
    handle: (_request, { regionId }) => ({
        zones: (findRegion(regionId)?.zones ?? []).map(({ id, chineseName }) => ({
            zoneId: id,
            localName: chineseName,
        })),
    }),
});

const describeRegions = nlbAction({
    name: "DescribeRegions",
    request: model({ RegionId: "string", AcceptLanguage: "string" }),
    response: model({
        RequestId: "string",
        Regions: [{ RegionId: "string", LocalName: "string", RegionEndpoint: "string" }],
    }),
    writes: false,
    handle: ({ acceptLanguage }) => ({
        regions: regions.map(({ id, englishName, chineseName }) => ({
            regionId: id,
            localName: acceptLanguage === "en-US" ? englishName : chineseName,
            regionEndpoint: `nlb.${id}.aliyuncs.com`,
        })),
    }),
});

export const zoneActions: readonly Action[] = [describeZones, describeRegions];
