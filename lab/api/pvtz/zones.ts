import type { PrivateZone } from "../../model/privateZone";
import type { Action, ActionContext } from "../action";
import { DEFAULT_REGION, findRegion } from "../regions";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { model } from "../common/model";
import { CloudError } from "../errors";
import { hasTags, matches } from "../listing";
import { pvtzAction } from "./action";
import { zoneOf } from "./lookup";
import { hasKeyword, pageFields, pageOf } from "./pages";

const MAX_ZONES = 100;
const namePattern = /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

const proxyOf = (asked: string | undefined): PrivateZone["proxyPattern"] => {
    if (asked === undefined || asked === "" || asked === "ZONE") return "ZONE";
    if (asked === "RECORD") return asked;
    throw new CloudError("InvalidParameter.ProxyPattern", "The specified ProxyPattern is invalid: ZONE or RECORD.");
};

const addZone = pvtzAction({
    name: "AddZone",
    request: model({
        ZoneName: "string",
        ProxyPattern: "string",
        ResourceGroupId: "string",
        DnsGroup: "string",
        Remark: "string",
        ClientToken: "string",
    }),
    response: model({ RequestId: "string", ZoneId: "string", ZoneName: "string", Success: "boolean" }),
    required: ["ZoneName"],
    writes: true,
    handle: (request, context) => {
        const { store, now } = context;
        const name = request.zoneName!.toLowerCase().replace(/\.$/, "");
        if (!namePattern.test(name) || name.length > 253)
            throw new CloudError("Zone.Invalid.Name", "The specified zone name is invalid.");
        const proxyPattern = proxyOf(request.proxyPattern);
        if (Object.keys(store.state.privateZones).length >= MAX_ZONES)
            throw new CloudError("QuotaExceeded.Zone", "The maximum number of zones is exceeded.");
        context.checked();
        const zone: PrivateZone = {
            id: store.newId("zone"),
            regionId: "",
            createdAt: now,
            name,
            description: request.remark ?? "",
            tags: {},
            resourceGroupId: request.resourceGroupId ?? DEFAULT_RESOURCE_GROUP_ID,
            proxyPattern,
            vpcs: [],
            records: [],
        };
        store.state.privateZones[zone.id] = zone;
        return { zoneId: zone.id, zoneName: name, success: true };
    },
});

/** The zone's VPCs that still exist, with their names. */
function vpcsOf({ store }: ActionContext, zone: PrivateZone) {
    return zone.vpcs
        .filter(({ id }) => Object.hasOwn(store.state.vpcs, id))
        .map(({ id, regionId }) => ({
            vpcId: id,
            regionId,
            regionName: findRegion(regionId)?.englishName ?? regionId,
            vpcName: store.state.vpcs[id]!.name,
        }));
}

const summary = (zone: PrivateZone) => ({
    zoneId: zone.id,
    zoneName: zone.name,
    remark: zone.description,
    proxyPattern: zone.proxyPattern,
    recordCount: zone.records.length,
    isPtr: /(^|\.)(in-addr|ip6)\.arpa$/.test(zone.name),
    resourceGroupId: zone.resourceGroupId,
    createTime: zone.createdAt,
    createTimestamp: Date.parse(zone.createdAt),
});

const summaryFields = {
    ZoneId: "string",
    ZoneName: "string",
    Remark: "string",
    ProxyPattern: "string",
    RecordCount: "number",
    IsPtr: "boolean",
    ResourceGroupId: "string",
    CreateTime: "string",
    CreateTimestamp: "number",
} as const;

const describeZoneInfo = pvtzAction({
    name: "DescribeZoneInfo",
    request: model({ ZoneId: "string" }),
    response: model({
        RequestId: "string",
        ...summaryFields,
        BindVpcs: { Vpc: [{ VpcId: "string", VpcName: "string", RegionId: "string", RegionName: "string" }] },
    }),
    required: ["ZoneId"],
    writes: false,
    handle: ({ zoneId }, context) => {
        const zone = zoneOf(context, zoneId);
        return { ...summary(zone), bindVpcs: { vpc: vpcsOf(context, zone) } };
    },
});

const describeZones = pvtzAction({
    name: "DescribeZones",
    request: model({
        Keyword: "string",
        SearchMode: "string",
        PageNumber: "number",
        PageSize: "number",
        QueryVpcId: "string",
        QueryRegionId: "string",
        ResourceGroupId: "string",
        ResourceTag: [{ Key: "string", Value: "string" }],
    }),
    response: model({
        ...pageFields,
        Zones: { Zone: [summaryFields] },
    }),
    writes: false,
    handle: (request, context) => {
        const { queryVpcId, queryRegionId } = request;
        const found = Object.values(context.store.state.privateZones).filter(
            (zone) =>
                hasKeyword(request, zone.name) &&
                (!queryVpcId || vpcsOf(context, zone).some(({ vpcId }) => vpcId === queryVpcId)) &&
                (!queryRegionId || vpcsOf(context, zone).some(({ regionId }) => regionId === queryRegionId)) &&
                matches(request.resourceGroupId, zone.resourceGroupId) &&
                hasTags(zone, request.resourceTag),
        );
        const { items, numbers } = pageOf(found, request);
        return {
            ...numbers,
            zones: { zone: items.map(summary) },
        };
    },
});

const setProxyPattern = pvtzAction({
    name: "SetProxyPattern",
    request: model({ ZoneId: "string", ProxyPattern: "string" }),
    response: model({ RequestId: "string", ZoneId: "string" }),
    required: ["ZoneId", "ProxyPattern"],
    writes: true,
    handle: ({ zoneId, proxyPattern }, context) => {
        const zone = zoneOf(context, zoneId);
        const pattern = proxyOf(proxyPattern);
        context.checked();
        zone.proxyPattern = pattern;
        return { zoneId: zone.id };
    },
});

const updateZoneRemark = pvtzAction({
    name: "UpdateZoneRemark",
    request: model({ ZoneId: "string", Remark: "string" }),
    response: model({ RequestId: "string", ZoneId: "string" }),
    required: ["ZoneId"],
    writes: true,
    handle: ({ zoneId, remark }, context) => {
        const zone = zoneOf(context, zoneId);
        context.checked();
        zone.description = remark ?? "";
        return { zoneId: zone.id };
    },
});

const deleteZone = pvtzAction({
    name: "DeleteZone",
    request: model({ ZoneId: "string" }),
    response: model({ RequestId: "string", ZoneId: "string" }),
    required: ["ZoneId"],
    writes: true,
    handle: ({ zoneId }, context) => {
        const zone = zoneOf(context, zoneId);
        if (vpcsOf(context, zone).length > 0)
            throw new CloudError("Zone.VpcExists", "The zone is bound to a VPC: unbind it first.");
        context.checked();
        Reflect.deleteProperty(context.store.state.privateZones, zone.id);
        return { zoneId: zone.id };
    },
});

const bindZoneVpc = pvtzAction({
    name: "BindZoneVpc",
    request: model({ ZoneId: "string", Vpcs: [{ RegionId: "string", VpcId: "string" }] }),
    response: model({ RequestId: "string" }),
    required: ["ZoneId"],
    writes: true,
    handle: async ({ zoneId, vpcs }, context) => {
        const { store } = context;
        const zone = zoneOf(context, zoneId);
        const asked = (vpcs ?? []).map(({ vpcId = "", regionId = DEFAULT_REGION }) => ({ id: vpcId, regionId }));
        for (const { id, regionId } of asked) {
            if (store.state.vpcs[id]?.regionId !== regionId)
                throw new CloudError("ZoneVpc.NotExists.VpcId", "The specified VPC does not exist.");
            const other = Object.values(store.state.privateZones).find(
                (candidate) =>
                    candidate !== zone && candidate.name === zone.name && candidate.vpcs.some((vpc) => vpc.id === id),
            );
            if (other)
                throw new CloudError(
                    "ZoneVpc.Exists.SameName",
                    `The VPC is bound to another zone of the same name, ${other.id}.`,
                );
        }
        context.checked();
        zone.vpcs = asked;
        await context.applied();
        return {};
    },
});

const describeSyncEcsHostTask = pvtzAction({
    name: "DescribeSyncEcsHostTask",
    request: model({ ZoneId: "string" }),
    response: model({
        RequestId: "string",
        ZoneId: "string",
        Status: "string",
        Success: "boolean",
        EcsRegions: { EcsRegion: [{ UserId: "number", RegionIds: { RegionId: ["string"] } }] },
        Regions: { Region: ["string"] },
    }),
    required: ["ZoneId"],
    writes: false,
    handle: ({ zoneId }, context) => {
        const zone = zoneOf(context, zoneId);
        if (!zone.hostSync)
            throw new CloudError("Ecs.SyncTask.NotExists", "The zone has no task that synchronizes hosts.");
        const { status, regions } = zone.hostSync;
        return {
            zoneId: zone.id,
            status,
            success: true,
            ecsRegions: {
                ecsRegion: regions.map(({ userId, regionIds }) => ({
                    userId: Number(userId),
                    regionIds: { regionId: [...regionIds] },
                })),
            },
            regions: { region: regions.flatMap(({ regionIds }) => [...regionIds]) },
        };
    },
});

const updateSyncEcsHostTask = pvtzAction({
    name: "UpdateSyncEcsHostTask",
    request: model({
        ZoneId: "string",
        Status: "string",
        Region: [{ UserId: "string", RegionId: ["string"] }],
    }),
    response: model({ RequestId: "string", Success: "boolean" }),
    required: ["ZoneId", "Status"],
    writes: true,
    handle: (request, context) => {
        const zone = zoneOf(context, request.zoneId);
        const status = /^off$/i.test(request.status!) ? "OFF" : "ON";
        if (!request.region?.length) throw new CloudError("MissingRegion", "Region is mandatory for this action.");
        context.checked();
        zone.hostSync = {
            status,
            regions: request.region.map(({ userId, regionId }) => ({
                userId: userId ?? context.accountId,
                regionIds: regionId ?? [],
            })),
        };
        return { success: true };
    },
});

export const zoneActions: readonly Action[] = [
    addZone,
    describeZoneInfo,
    describeZones,
    setProxyPattern,
    updateZoneRemark,
    deleteZone,
    bindZoneVpc,
    describeSyncEcsHostTask,
    updateSyncEcsHostTask,
];
