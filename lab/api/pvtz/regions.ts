import type { Action } from "../action";
import { model } from "../common/model";
import { regions } from "../regions";
import { pvtzAction } from "./action";

const describeRegions = pvtzAction({
    name: "DescribeRegions",
    request: model({ AcceptLanguage: "string", Lang: "string" }),
    response: model({
        RequestId: "string",
        Regions: {
            Region: [{ RegionId: "string", RegionName: "string", LocalName: "string", RegionEndpoint: "string" }],
        },
    }),
    writes: false,
    handle: ({ acceptLanguage, lang }) => {
        const inChinese = (acceptLanguage ?? lang)?.startsWith("zh");
        return {
            regions: {
                region: regions.map(({ id, englishName, chineseName }) => {
                    const name = inChinese ? chineseName : englishName;
                    // One endpoint serves the zones of all regions.
                    return {
                        regionId: id,
                        regionName: name,
                        localName: name,
                        regionEndpoint: "pvtz.aliyuncs.com",
                    };
                }),
            },
        };
    },
});

export const regionActions: readonly Action[] = [describeRegions];
