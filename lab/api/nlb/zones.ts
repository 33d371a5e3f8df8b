import type { Action } from "../action";
import { model } from "../common/model";
import { Region, Zone, findRegion, regions } from "../regions";
import { nlbAction } from "./action";

/** Names are English here where a client doesn't ask for Chinese. */
function nameOf({ englishName, chineseName }: Region | Zone, acceptLanguage: string | undefined): string {
    return acceptLanguage === "zh-CN" ? chineseName : englishName;
}

const describeZones = nlbAction({
    name: "DescribeZones",
    request: model({ RegionId: "string", AcceptLanguage: "string" }),
    response: model({ RequestId: "string", Zones: [{ ZoneId: "string", LocalName: "string" }] }),
    writes: false,
    handle: ({ acceptLanguage }, { regionId }) => ({
        zones: (findRegion(regionId)?.zones ?? []).map((zone) => ({
            zoneId: zone.id,
            localName: nameOf(zone, acceptLanguage),
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
        regions: regions.map((region) => ({
            regionId: region.id,
            localName: nameOf(region, acceptLanguage),
            regionEndpoint: `nlb.${region.id}.aliyuncs.com`,
        })),
    }),
});

export const zoneActions: readonly Action[] = [describeZones, describeRegions];
