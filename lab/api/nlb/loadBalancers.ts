import { freeAddress, isAssignable, parseCidr, takeEipAddress, takenAddresses } from "../../model/addresses";
import type { BalancerZone } from "../../model/alb";
import type { NetworkBalancer } from "../../model/nlb";
import { nameOfNetworkBalancer } from "../../model/projectNlb";
import type { Action, ActionContext } from "../action";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { model } from "../common/model";
import { missingParameter, notFound } from "../errors";
import { among, findInRegion, hasTags, inRegion, matches, paginateByToken, toTags } from "../listing";
import { findRegion } from "../regions";
import { nlbAction } from "./action";
import { checkName, checkTags, oneOf, refuse, refuseParameter, valueOr, within } from "./checks";
import { finishedJob } from "./jobs";
import { balancerOf, listenersWhere } from "./lookup";
import { quotas } from "./quotas";

const tagFields = [{ Key: "string", Value: "string" }] as const;
const zoneFields = [
    {
        VSwitchId: "string",
        ZoneId: "string",
        AllocationId: "string",
        PrivateIPv4Address: "string",
        Ipv6Address: "string",
        EipType: "string",
    },
] as const;
const answer = model({ RequestId: "string" });
const jobAnswer = model({ RequestId: "string", JobId: "string" });

interface AskedZone {
    readonly vSwitchId?: string;
    readonly zoneId?: string;
    readonly allocationId?: string;
    readonly privateIPv4Address?: string;
}

const createLoadBalancer = nlbAction({
    name: "CreateLoadBalancer",
    request: model({
        RegionId: "string",
        ClientToken: "string",
        LoadBalancerType: "string",
        LoadBalancerName: "string",
        AddressType: "string",
        AddressIpVersion: "string",
        VpcId: "string",
        ZoneMappings: zoneFields,
        BandwidthPackageId: "string",
        ResourceGroupId: "string",
        Tag: tagFields,
        DeletionProtectionConfig: { Enabled: "boolean", Reason: "string" },
        ModificationProtectionConfig: { Status: "string", Reason: "string" },
        LoadBalancerBillingConfig: { PayType: "string" },
        SecurityGroupIds: ["string"],
    }),
    // The cloud spells this one so.
    response: model({ RequestId: "string", LoadbalancerId: "string", JobId: "string", OrderId: "number" }),
    required: ["AddressType", "VpcId", "ZoneMappings"],
    writes: true,
    handle: async (request, context) => {
        const { store, regionId, now } = context;
        checkName(request.loadBalancerName, "LoadBalancerName");
        checkTags(request.tag);
        if (oneOf(request.addressIpVersion, ["Ipv4", "DualStack"], "AddressIpVersion", "Ipv4") === "DualStack")
            refuse("UnsupportedOperation", "The lab's balancers have IPv4 addresses only.");
        oneOf(request.loadBalancerType, ["Network"], "LoadBalancerType", "Network");
        oneOf(request.loadBalancerBillingConfig?.payType, ["PostPay"], "PayType", "PostPay");
        const addressType = oneOf(request.addressType, ["Internet", "Intranet"], "AddressType", "Internet");
        if (!findInRegion(store.state.vpcs, regionId, request.vpcId))
            throw notFound("ResourceNotFound.Vpc", "The specified resource Vpc is not found.");
        const asked = checkZones(context, request.vpcId!, request.zoneMappings ?? []);
        const securityGroupIds = checkSecurityGroups(context, request.vpcId!, request.securityGroupIds ?? []);
        const deletionProtection = {
            enabled: request.deletionProtectionConfig?.enabled ?? false,
            reason: request.deletionProtectionConfig?.reason ?? "",
            since: now,
        };
        const modificationProtection = protectionOf(
            request.modificationProtectionConfig?.status,
            request.modificationProtectionConfig?.reason,
            now,
        );
        if (inRegion(store.state.networkBalancers, regionId).length >= quotas.loadBalancers)
            refuse("QuotaExceeded.LoadBalancersNum", "The quota of load balancers is exceeded.");
        context.checked();
        const id = store.newId("nlb");
        const balancer: NetworkBalancer = {
            id,
            regionId,
            createdAt: now,
            name: request.loadBalancerName ?? "",
            description: "",
            tags: toTags(request.tag),
            resourceGroupId: valueOr(request.resourceGroupId, DEFAULT_RESOURCE_GROUP_ID),
            vpcId: request.vpcId!,
            addressType,
            zones: publicPlaces(context, addressType, asked),
            crossZone: true,
            cps: 0,
            securityGroupIds,
            deletionProtection,
            modificationProtection,
        };
        store.state.networkBalancers[id] = balancer;
        await context.applied();
        return { loadbalancerId: id, jobId: finishedJob(context) };
    },
});

/** A zone of a balancer without what it needs for the internet. */
type InnerZone = Pick<BalancerZone, "zoneId" | "vswitchId" | "privateAddress">;

/** Zones of a request, each with a VSwitch of its own that is there; those that the balancer has keep their addresses. */
function checkZones(
    { store, regionId }: ActionContext,
    vpcId: string,
    asked: readonly AskedZone[],
    present: readonly BalancerZone[] = [],
): InnerZone[] {
    const offered = findRegion(regionId)?.zones.length ?? 1;
    if (asked.length < Math.min(2, offered) || asked.length > quotas.zonesPerBalancer) refuseParameter("ZoneMappings");
    if (new Set(asked.map(({ zoneId }) => zoneId)).size < asked.length) refuseParameter("ZoneMappings");
    return asked.map(({ zoneId, vSwitchId, allocationId, privateIPv4Address }) => {
        if (!zoneId) throw missingParameter("ZoneMappings.ZoneId");
        if (!vSwitchId) throw missingParameter("ZoneMappings.VSwitchId");
        const vswitch = findInRegion(store.state.vswitches, regionId, vSwitchId);
        if (!vswitch) throw notFound("ResourceNotFound.VSwitch", "The specified resource VSwitch is not found.");
        if (vswitch.vpcId !== vpcId || vswitch.zoneId !== zoneId) refuseParameter("ZoneMappings");
        const before = present.find((zone) => zone.vswitchId === vSwitchId);
        if (before) return before;
        if (allocationId) refuseElastic();
        const cidr = parseCidr(vswitch.cidr)!;
        const taken = takenAddresses(store.state, vswitch.id);
        if (privateIPv4Address && (!isAssignable(cidr, privateIPv4Address) || taken.has(privateIPv4Address)))
            refuseParameter("PrivateIPv4Address");
        const privateAddress =
            valueOr(privateIPv4Address, "") ||
            (freeAddress(cidr, taken) ??
                refuse("ResourceNotEnough.VSwitchIp", "The specified VSwitch has no available address."));
        return { zoneId, vswitchId: vswitch.id, privateAddress };
    });
}

function refuseElastic(): never {
    refuse("UnsupportedOperation", "The lab's balancers have addresses of their own instead of elastic ones.");
}

/** Begins the ids of the elastic addresses that the cloud takes for a balancer by itself. */
const MANAGED = "eip-nlb";

/** Zones with what they need for the internet, or without it; addresses that they have stay. */
function publicPlaces(
    { store }: ActionContext,
    addressType: NetworkBalancer["addressType"],
    zones: readonly (InnerZone & Partial<BalancerZone>)[],
): BalancerZone[] {
    const placed: BalancerZone[] = [];
    for (const { zoneId, vswitchId, privateAddress, publicAddress = "", allocationId = "" } of zones) {
        const inner = { zoneId, vswitchId, privateAddress };
        if (addressType === "Intranet") placed.push({ ...inner, publicAddress: "", allocationId: "" });
        else if (publicAddress !== "") placed.push({ ...inner, publicAddress, allocationId });
        else {
            const promised = placed.map((zone) => zone.publicAddress);
            const taken =
                takeEipAddress(store, promised) ?? refuse("ResourceNotEnough.Eip", "No internet address is left.");
            placed.push({ ...inner, publicAddress: taken, allocationId: store.newId(MANAGED) });
        }
    }
    return placed;
}

function checkSecurityGroups(context: ActionContext, vpcId: string, ids: readonly string[]): string[] {
    const { store, regionId } = context;
    const distinct = [...new Set(ids)];
    for (const id of distinct) {
        const group = findInRegion(store.state.securityGroups, regionId, id);
        if (!group)
            throw notFound("ResourceNotFound.SecurityGroup", "The specified resource SecurityGroup is not found.");
        if (group.vpcId !== vpcId) refuseParameter("SecurityGroupIds");
    }
    if (distinct.length > quotas.securityGroupsPerBalancer)
        refuse("QuotaExceeded.SecurityGroupsNum", "The quota of security groups of a load balancer is exceeded.");
    return distinct;
}

function protectionOf(
    status: string | undefined,
    reason: string | undefined,
    now: string,
): NetworkBalancer["modificationProtection"] {
    const protection = oneOf(
        status,
        ["NonProtection", "ConsoleProtection"],
        "ModificationProtectionStatus",
        "NonProtection",
    );
    return { status: protection, reason: protection === "NonProtection" ? "" : (reason ?? ""), since: now };
}

const viewFields = {
    RegionId: "string",
    LoadBalancerId: "string",
    LoadBalancerName: "string",
    LoadBalancerType: "string",
    LoadBalancerStatus: "string",
    LoadBalancerBusinessStatus: "string",
    AddressIpVersion: "string",
    AddressType: "string",
    Ipv6AddressType: "string",
    VpcId: "string",
    DNSName: "string",
    CreateTime: "string",
    CrossZoneEnabled: "boolean",
    Cps: "number",
    ResourceGroupId: "string",
    SecurityGroupIds: ["string"],
    DeletionProtectionConfig: { Enabled: "boolean", EnabledTime: "string", Reason: "string" },
    ModificationProtectionConfig: { Status: "string", EnabledTime: "string", Reason: "string" },
    LoadBalancerBillingConfig: { PayType: "string" },
    ZoneMappings: [
        {
            ZoneId: "string",
            VSwitchId: "string",
            Status: "string",
            LoadBalancerAddresses: [
                {
                    AllocationId: "string",
                    EniId: "string",
                    PrivateIPv4Address: "string",
                    PublicIPv4Address: "string",
                    Ipv6Address: "string",
                },
            ],
        },
    ],
    Tags: tagFields,
} as const;

function view(balancer: NetworkBalancer) {
    const { deletionProtection, modificationProtection } = balancer;
    return {
        regionId: balancer.regionId,
        loadBalancerId: balancer.id,
        loadBalancerName: balancer.name,
        loadBalancerType: "Network",
        loadBalancerStatus: "Active",
        loadBalancerBusinessStatus: "Normal",
        // Unlike in the reference; clients build a balancer or a server group anew for another spelling.
        addressIpVersion: "Ipv4",
        addressType: balancer.addressType,
        ipv6AddressType: "Intranet",
        vpcId: balancer.vpcId,
        dNSName: nameOfNetworkBalancer(balancer),
        createTime: balancer.createdAt,
        crossZoneEnabled: balancer.crossZone,
        cps: balancer.cps,
        resourceGroupId: balancer.resourceGroupId,
        securityGroupIds: [...balancer.securityGroupIds],
        deletionProtectionConfig: {
            enabled: deletionProtection.enabled,
            ...(deletionProtection.enabled && {
                enabledTime: deletionProtection.since,
                reason: deletionProtection.reason,
            }),
        },
        modificationProtectionConfig: {
            status: modificationProtection.status,
            ...(modificationProtection.status === "ConsoleProtection" && {
                enabledTime: modificationProtection.since,
                reason: modificationProtection.reason,
            }),
        },
        loadBalancerBillingConfig: { payType: "PostPay" },
        zoneMappings: balancer.zones.map((zone) => ({
            zoneId: zone.zoneId,
            vSwitchId: zone.vswitchId,
            status: "Active",
            loadBalancerAddresses: [
                {
                    privateIPv4Address: zone.privateAddress,
                    ...(zone.publicAddress !== "" && {
                        allocationId: zone.allocationId,
                        publicIPv4Address: zone.publicAddress,
                    }),
                },
            ],
        })),
        tags: Object.entries(balancer.tags).map(([key, value]) => ({ key, value })),
    };
}

const getLoadBalancerAttribute = nlbAction({
    name: "GetLoadBalancerAttribute",
    request: model({ RegionId: "string", ClientToken: "string", LoadBalancerId: "string" }),
    response: model({ RequestId: "string", ...viewFields }),
    required: ["LoadBalancerId"],
    writes: false,
    handle: ({ loadBalancerId }, context) => view(balancerOf(context, loadBalancerId)),
});

const listLoadBalancers = nlbAction({
    name: "ListLoadBalancers",
    request: model({
        RegionId: "string",
        LoadBalancerIds: ["string"],
        LoadBalancerNames: ["string"],
        AddressType: "string",
        AddressIpVersion: "string",
        LoadBalancerStatus: "string",
        LoadBalancerBusinessStatus: "string",
        DNSName: "string",
        VpcIds: ["string"],
        ZoneId: "string",
        ResourceGroupId: "string",
        Tag: tagFields,
        NextToken: "string",
        MaxResults: "number",
    }),
    response: model({
        RequestId: "string",
        LoadBalancers: [viewFields],
        NextToken: "string",
        MaxResults: "number",
        TotalCount: "number",
    }),
    writes: false,
    handle: (request, context) => {
        const found = inRegion(context.store.state.networkBalancers, context.regionId).filter(
            (balancer) =>
                among(request.loadBalancerIds, balancer.id) &&
                among(request.loadBalancerNames, balancer.name) &&
                among(request.vpcIds, balancer.vpcId) &&
                matches(request.addressType, balancer.addressType) &&
                matches(request.addressIpVersion?.toLowerCase(), "ipv4") &&
                matches(request.loadBalancerStatus, "Active") &&
                matches(request.loadBalancerBusinessStatus, "Normal") &&
                matches(request.dNSName, nameOfNetworkBalancer(balancer)) &&
                matches(request.resourceGroupId, balancer.resourceGroupId) &&
                (!request.zoneId || balancer.zones.some(({ zoneId }) => zoneId === request.zoneId)) &&
                hasTags(balancer, request.tag),
        );
        const { items, ...page } = paginateByToken(found, request, { default: 20, max: 100 });
        return { ...page, totalCount: found.length, loadBalancers: items.map(view) };
    },
});

const updateLoadBalancerAttribute = nlbAction({
    name: "UpdateLoadBalancerAttribute",
    request: model({
        RegionId: "string",
        ClientToken: "string",
        LoadBalancerId: "string",
        LoadBalancerName: "string",
        CrossZoneEnabled: "boolean",
        Cps: "number",
    }),
    response: jobAnswer,
    required: ["LoadBalancerId"],
    writes: true,
    handle: (request, context) => {
        const balancer = balancerOf(context, request.loadBalancerId);
        checkName(request.loadBalancerName, "LoadBalancerName");
        const cps = within(request.cps, [0, 1_000_000], "Cps", balancer.cps);
        context.checked();
        balancer.name = valueOr(request.loadBalancerName, balancer.name);
        balancer.crossZone = request.crossZoneEnabled ?? balancer.crossZone;
        balancer.cps = cps;
        return { jobId: finishedJob(context) };
    },
});

const updateLoadBalancerAddressTypeConfig = nlbAction({
    name: "UpdateLoadBalancerAddressTypeConfig",
    request: model({
        RegionId: "string",
        ClientToken: "string",
        LoadBalancerId: "string",
        AddressType: "string",
        ZoneMappings: zoneFields,
    }),
    response: jobAnswer,
    required: ["LoadBalancerId", "AddressType"],
    writes: true,
    handle: async (request, context) => {
        const balancer = balancerOf(context, request.loadBalancerId);
        const addressType = oneOf(request.addressType, ["Internet", "Intranet"], "AddressType", balancer.addressType);
        // A client may name those that it has read.
        const known = ["", ...balancer.zones.map(({ allocationId }) => allocationId)];
        if (request.zoneMappings?.some(({ allocationId = "" }) => !known.includes(allocationId))) refuseElastic();
        context.checked();
        balancer.zones = publicPlaces(context, addressType, balancer.zones);
        balancer.addressType = addressType;
        await context.applied();
        return { jobId: finishedJob(context) };
    },
});

const updateLoadBalancerZones = nlbAction({
    name: "UpdateLoadBalancerZones",
    request: model({
        RegionId: "string",
        ClientToken: "string",
        LoadBalancerId: "string",
        ZoneMappings: zoneFields,
    }),
    response: jobAnswer,
    required: ["LoadBalancerId", "ZoneMappings"],
    writes: true,
    handle: async (request, context) => {
        const balancer = balancerOf(context, request.loadBalancerId);
        const before = balancer.zones;
        const asked = checkZones(context, balancer.vpcId, request.zoneMappings ?? [], before);
        context.checked();
        balancer.zones = publicPlaces(
            context,
            balancer.addressType,
            asked.map((zone) => before.find(({ vswitchId }) => vswitchId === zone.vswitchId) ?? zone),
        );
        await context.applied();
        return { jobId: finishedJob(context) };
    },
});

const updateLoadBalancerProtection = nlbAction({
    name: "UpdateLoadBalancerProtection",
    request: model({
        RegionId: "string",
        ClientToken: "string",
        LoadBalancerId: "string",
        DeletionProtectionEnabled: "boolean",
        DeletionProtectionReason: "string",
        ModificationProtectionStatus: "string",
        ModificationProtectionReason: "string",
    }),
    response: answer,
    required: ["LoadBalancerId"],
    writes: true,
    handle: (request, context) => {
        const balancer = balancerOf(context, request.loadBalancerId);
        const { deletionProtection: deletion, modificationProtection: modification } = balancer;
        const enabled = request.deletionProtectionEnabled ?? deletion.enabled;
        const protection = protectionOf(
            valueOr(request.modificationProtectionStatus, modification.status),
            request.modificationProtectionReason ?? modification.reason,
            context.now,
        );
        context.checked();
        balancer.deletionProtection = {
            enabled,
            reason: enabled ? (request.deletionProtectionReason ?? deletion.reason) : "",
            since: enabled === deletion.enabled ? deletion.since : context.now,
        };
        balancer.modificationProtection = {
            ...protection,
            ...(protection.status === modification.status && { since: modification.since }),
        };
        return {};
    },
});

/** An action that makes a new list of a balancer's security groups. */
function securityGroupAction(
    name: string,
    change: (before: readonly string[], named: readonly string[]) => readonly string[],
): Action {
    return nlbAction({
        name,
        request: model({
            RegionId: "string",
            ClientToken: "string",
            LoadBalancerId: "string",
            SecurityGroupIds: ["string"],
        }),
        response: jobAnswer,
        required: ["LoadBalancerId", "SecurityGroupIds"],
        writes: true,
        handle: async (request, context) => {
            const balancer = balancerOf(context, request.loadBalancerId);
            const after = checkSecurityGroups(
                context,
                balancer.vpcId,
                change(balancer.securityGroupIds, request.securityGroupIds ?? []),
            );
            context.checked();
            balancer.securityGroupIds = after;
            await context.applied();
            return { jobId: finishedJob(context) };
        },
    });
}

/** IPv6 has a switch for the internet of its own. */
function ipv6Action(name: string): Action {
    return nlbAction({
        name,
        request: model({ RegionId: "string", ClientToken: "string", LoadBalancerId: "string" }),
        response: answer,
        required: ["LoadBalancerId"],
        writes: true,
        handle: ({ loadBalancerId }, context) => {
            balancerOf(context, loadBalancerId);
            return refuse("UnsupportedOperation", "The lab's balancers have IPv4 addresses only.");
        },
    });
}

const deleteLoadBalancer = nlbAction({
    name: "DeleteLoadBalancer",
    request: model({ RegionId: "string", ClientToken: "string", LoadBalancerId: "string" }),
    response: jobAnswer,
    required: ["LoadBalancerId"],
    writes: true,
    handle: async ({ loadBalancerId }, context) => {
        const balancer = balancerOf(context, loadBalancerId);
        if (balancer.deletionProtection.enabled)
            refuse("OperationDenied.DeletionProtection", "The operation is denied because of deletion protection.");
        context.checked();
        const { state } = context.store;
        for (const { id } of listenersWhere(context, (listener) => listener.loadBalancerId === balancer.id))
            Reflect.deleteProperty(state.nlbListeners, id);
        Reflect.deleteProperty(state.networkBalancers, balancer.id);
        await context.applied();
        return { jobId: finishedJob(context) };
    },
});

export const loadBalancerActions: readonly Action[] = [
    createLoadBalancer,
    getLoadBalancerAttribute,
    listLoadBalancers,
    updateLoadBalancerAttribute,
    updateLoadBalancerAddressTypeConfig,
    updateLoadBalancerZones,
    updateLoadBalancerProtection,
    securityGroupAction("LoadBalancerJoinSecurityGroup", (before, named) => [...before, ...named]),
    securityGroupAction("LoadBalancerLeaveSecurityGroup", (before, named) =>
        before.filter((id) => !named.includes(id)),
    ),
    ipv6Action("EnableLoadBalancerIpv6Internet"),
    ipv6Action("DisableLoadBalancerIpv6Internet"),
    deleteLoadBalancer,
];
