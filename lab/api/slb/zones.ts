import type { Action, ActionContext } from "../action";
import { model } from "../common/model";
import { findRegion, localName, regions } from "../regions";
import { slbAction } from "./action";

function zonesOf({ regionId }: ActionContext) {
    return findRegion(regionId)?.zones ?? [];
}

const describeAvailableResource = slbAction({
    name: "DescribeAvailableResource",
    request: model({ RegionId: "string", AddressIPVersion: "string", AddressType: "string" }),
    response: model({
        RequestId: "string",
        AvailableResources: {
            AvailableResource: [
                {
                    MasterZoneId: "string",
                    SlaveZoneId: "string",
                    SupportResources: { SupportResource: [{ AddressType: "string", AddressIPVersion: "string" }] },
                },
            ],
        },
    }),
    writes: false,
    handle: (_request, context) => {
        const zones = zonesOf(context);
        return {
            availableResources: {
                availableResource: zones.flatMap((master) =>
                    zones
                        .filter((slave) => slave !== master || zones.length === 1)
                        .map((slave) => ({
                            masterZoneId: master.id,
                            slaveZoneId: slave.id,
                            supportResources: {
                                supportResource: ["classic_internet", "vpc"].map((addressType) => ({
                                    addressType,
                                    addressIPVersion: "ipv4",
                                })),
                            },
                        })),
                ),
            },
        };
    },
});

const describeZones = slbAction({
    name: "DescribeZones",
    request: model({ RegionId: "string" }),
    response: model({
        RequestId: "string",
        Zones: {
            Zone: [
                {
                    ZoneId: "string",
                    LocalName: "string",
                    SlaveZones: { SlaveZone: [{ ZoneId: "string", LocalName: "string" }] },
                },
            ],
        },
    }),
    writes: false,
    handle: (_request, context) => {
        const zones = zonesOf(context);
        return {
            zones: {
                zone: zones.map((master) => ({
                    zoneId: master.id,
                    localName: master.chineseName,
                    slaveZones: {
                        slaveZone: zones
                            .filter((slave) => slave !== master)
                            .map(({ id, chineseName }) => ({ zoneId: id, localName: chineseName })),
                    },
                })),
            },
        };
    },
});

const describeRegions = slbAction({
    name: "DescribeRegions",
    request: model({ RegionId: "string", AcceptLanguage: "string" }),
    response: model({
        RequestId: "string",
        Regions: { Region: [{ RegionId: "string", LocalName: "string", RegionEndpoint: "string" }] },
    }),
    writes: false,
    handle: ({ acceptLanguage }) => ({
        regions: {
            region: regions.map((region) => ({
                regionId: region.id,
                localName: localName(region, acceptLanguage),
                regionEndpoint: `slb.${region.id}.aliyuncs.com`,
            })),
        },
    }),
});

export const zoneActions: readonly Action[] = [describeAvailableResource, describeZones, describeRegions];
