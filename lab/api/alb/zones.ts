import { DescribeZonesRequest } from "@alicloud/alb20200616/dist/models/DescribeZonesRequest";
import { DescribeZonesResponseBody } from "@alicloud/alb20200616/dist/models/DescribeZonesResponseBody";
import type { Action } from "../action";
import { findRegion } from "../regions";
import { albAction } from "./action";

const describeZones = albAction({
    name: "DescribeZones",
    request: DescribeZonesRequest,
    response: DescribeZonesResponseBody,
    writes: false,
    handle: ({ acceptLanguage }, { regionId }) => ({
        zones: (findRegion(regionId)?.zones ?? []).map(({ id, englishName, chineseName }) => ({
            zoneId: id,
            localName: acceptLanguage === "en-US" ? englishName : chineseName,
        })),
    }),
});

export const zoneActions: readonly Action[] = [describeZones];
