import { freeAddress, isAssignable, parseCidr, takeEipAddress, takenAddresses } from "../../model/addresses";
import { type LoadBalancer, addressOfServer } from "../../model/slb";
import type { VSwitch } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { model } from "../common/model";
import { notFound } from "../errors";
import { findInRegion, hasTags, inRegion, matches, matchesAny, paginate, toTags } from "../listing";
import { findRegion } from "../regions";
import { slbAction } from "./action";
import { checkName, checkTags, isOn, oneOf, parseItems, refuse, refuseParameter, valueOr, within } from "./checks";
import { balancerOf } from "./lookup";
import { quotas } from "./quotas";
import { backendView, minuteOf, tagsView } from "./view";

const tagFields = [{ Key: "string", Value: "string" }] as const;

const createLoadBalancer = slbAction({
    name: "CreateLoadBalancer",
    request: model({
        RegionId: "string",
        ClientToken: "string",
        Address: "string",
        AddressIPVersion: "string",
        AddressType: "string",
        Bandwidth: "number",
        DeleteProtection: "string",
        InternetChargeType: "string",
        LoadBalancerName: "string",
        LoadBalancerSpec: "string",
        MasterZoneId: "string",
        SlaveZoneId: "string",
        ModificationProtectionReason: "string",
        ModificationProtectionStatus: "string",
        PayType: "string",
        InstanceChargeType: "string",
        Duration: "number",
        PricingCycle: "string",
        AutoPay: "boolean",
        ResourceGroupId: "string",
        VpcId: "string",
        VSwitchId: "string",
        Tag: tagFields,
    }),
    response: model({
        RequestId: "string",
        LoadBalancerId: "string",
        LoadBalancerName: "string",
        Address: "string",
        AddressIPVersion: "string",
        NetworkType: "string",
        VpcId: "string",
        VSwitchId: "string",
        ResourceGroupId: "string",
        OrderId: "number",
    }),
    writes: true,
    handle: async (request, context) => {
        const { store, regionId, now } = context;
        checkName(request.loadBalancerName, "LoadBalancerName");
        checkTags(request.tag);
        if (oneOf(request.addressIPVersion, ["ipv4", "ipv6"], "AddressIPVersion", "ipv4") === "ipv6")
            refuse("UnsupportedOperation", "The lab's balancers have IPv4 addresses only.");
        const vswitch = request.vSwitchId ? vswitchOf(context, request.vSwitchId) : undefined;
        if (request.vpcId && vswitch && vswitch.vpcId !== request.vpcId) refuseParameter("VpcId");
        const addressType = oneOf(
            request.addressType,
            ["internet", "intranet"],
            "AddressType",
            // The cloud takes a balancer with a VSwitch for one inside.
            vswitch ? "intranet" : "internet",
        );
        if (addressType === "intranet" && !vswitch)
            refuse("InvalidParameter.VSwitchId", "An intranet load balancer in a VPC needs a VSwitchId.");
        const zones = zonesOf(context, request.masterZoneId, request.slaveZoneId, vswitch);
        const internetChargeType = oneOf(
            request.internetChargeType?.toLowerCase(),
            ["paybytraffic", "paybybandwidth"],
            "InternetChargeType",
            "paybytraffic",
        );
        const instanceChargeType = oneOf(
            request.instanceChargeType,
            ["PayBySpec", "PayByCLCU"],
            "InstanceChargeType",
            "PayBySpec",
        );
        const spec = specOf(request.loadBalancerSpec, instanceChargeType);
        const bandwidth = within(request.bandwidth, [1, 5120], "Bandwidth", 1);
        const deleteProtection = isOn(request.deleteProtection, "DeleteProtection", false);
        const modificationProtection = protectionOf(
            request.modificationProtectionStatus,
            request.modificationProtectionReason,
        );
        const payType = oneOf(request.payType, ["PayOnDemand", "PrePay"], "PayType", "PayOnDemand");
        if (inRegion(store.state.loadBalancers, regionId).length >= quotas.loadBalancers)
            refuse("QuotaLimitExceeds", "The number of load balancers exceeds the limit.");
        const internal = addressType === "intranet" ? vswitch : undefined;
        const chosen = internal ? innerAddress(context, internal, request.address) : undefined;
        context.checked();

        const address =
            chosen ??
            takeEipAddress(store) ??
            refuse("OperationFailed.InsufficientAddress", "No internet address is left.");
        const id = store.newId("lb");
        const balancer: LoadBalancer = {
            id,
            regionId,
            createdAt: now,
            // The cloud makes up a name for a balancer that was given none.
            name: valueOr(request.loadBalancerName, `auto_named_slb_${id.slice(-6)}`),
            description: "",
            tags: toTags(request.tag),
            resourceGroupId: valueOr(request.resourceGroupId, DEFAULT_RESOURCE_GROUP_ID),
            address,
            addressType,
            vpcId: internal?.vpcId ?? "",
            vswitchId: internal?.id ?? "",
            ...zones,
            status: "active",
            spec,
            payType,
            instanceChargeType,
            internetChargeType,
            bandwidth,
            deleteProtection,
            modificationProtection,
            servers: [],
            listeners: [],
            serverVpcId: internal?.vpcId ?? "",
        };
        store.state.loadBalancers[id] = balancer;
        await context.applied();
        return {
            loadBalancerId: id,
            loadBalancerName: balancer.name,
            address,
            addressIPVersion: "ipv4",
            networkType: networkType(balancer),
            vpcId: balancer.vpcId,
            vSwitchId: balancer.vswitchId,
            resourceGroupId: balancer.resourceGroupId,
        };
    },
});

function vswitchOf(context: ActionContext, id: string): VSwitch {
    const vswitch = findInRegion(context.store.state.vswitches, context.regionId, id);
    if (!vswitch) throw notFound("InvalidVSwitchId.NotFound", "The specified VSwitchId does not exist.");
    return vswitch;
}

function zonesOf(
    { regionId }: ActionContext,
    master: string | undefined,
    slave: string | undefined,
    vswitch: VSwitch | undefined,
): Pick<LoadBalancer, "masterZoneId" | "slaveZoneId"> {
    const zones = (findRegion(regionId)?.zones ?? []).map(({ id }) => id);
    for (const [value, wireName] of [
        [master, "MasterZoneId"],
        [slave, "SlaveZoneId"],
    ] as const)
        if (value && !zones.includes(value)) refuseParameter(wireName);
    if (master && master === slave) refuseParameter("SlaveZoneId");
    const masterZoneId = valueOr(master, vswitch?.zoneId ?? zones[0] ?? "");
    return { masterZoneId, slaveZoneId: valueOr(slave, zones.find((id) => id !== masterZoneId) ?? masterZoneId) };
}

const specs: readonly string[] = [
    "slb.s1.small",
    "slb.s2.small",
    "slb.s2.medium",
    "slb.s3.small",
    "slb.s3.medium",
    "slb.s3.large",
    "slb.s4.large",
    "slb.lcu.elastic",
];

function specOf(asked: string | undefined, instanceChargeType: LoadBalancer["instanceChargeType"]): string {
    if (instanceChargeType === "PayByCLCU") return "slb.lcu.elastic";
    const spec = valueOr(asked, "slb.s1.small");
    return specs.includes(spec) ? spec : refuseParameter("LoadBalancerSpec");
}

function protectionOf(status: string | undefined, reason: string | undefined): LoadBalancer["modificationProtection"] {
    const protection = oneOf(
        status,
        ["NonProtection", "ConsoleProtection"],
        "ModificationProtectionStatus",
        "NonProtection",
    );
    if (reason && !/^\p{Letter}[\p{Letter}\p{Number}._-]{0,79}$/u.test(reason))
        refuseParameter("ModificationProtectionReason");
    return { status: protection, reason: protection === "NonProtection" ? "" : (reason ?? "") };
}

function innerAddress({ store }: ActionContext, vswitch: VSwitch, asked: string | undefined): string {
    const cidr = parseCidr(vswitch.cidr)!;
    const taken = takenAddresses(store.state, vswitch.id);
    if (!asked)
        return (
            freeAddress(cidr, taken) ??
            refuse("VSwitchAvailableIpNotExist", "The specified VSwitch has no available ip.")
        );
    if (!isAssignable(cidr, asked)) refuseParameter("Address");
    if (taken.has(asked)) refuse("IpHasBeenUsed", "The specified Address is in use.");
    return asked;
}

function networkType(balancer: LoadBalancer): string {
    return balancer.vpcId === "" ? "classic" : "vpc";
}

const summaryFields = {
    LoadBalancerId: "string",
    LoadBalancerName: "string",
    LoadBalancerStatus: "string",
    LoadBalancerSpec: "string",
    Address: "string",
    AddressType: "string",
    AddressIPVersion: "string",
    NetworkType: "string",
    VpcId: "string",
    VSwitchId: "string",
    MasterZoneId: "string",
    SlaveZoneId: "string",
    RegionId: "string",
    RegionIdAlias: "string",
    ResourceGroupId: "string",
    Bandwidth: "number",
    InternetChargeType: "string",
    InstanceChargeType: "string",
    PayType: "string",
    BusinessStatus: "string",
    CreateTime: "string",
    CreateTimeStamp: "number",
    DeleteProtection: "string",
    ModificationProtectionReason: "string",
    ModificationProtectionStatus: "string",
    Tags: { Tag: [{ TagKey: "string", TagValue: "string" }] },
} as const;

function summary(balancer: LoadBalancer) {
    return {
        loadBalancerId: balancer.id,
        loadBalancerName: balancer.name,
        loadBalancerStatus: balancer.status,
        loadBalancerSpec: balancer.spec,
        address: balancer.address,
        addressType: balancer.addressType,
        addressIPVersion: "ipv4",
        networkType: networkType(balancer),
        vpcId: balancer.vpcId,
        vSwitchId: balancer.vswitchId,
        masterZoneId: balancer.masterZoneId,
        slaveZoneId: balancer.slaveZoneId,
        regionId: balancer.regionId,
        regionIdAlias: balancer.regionId,
        resourceGroupId: balancer.resourceGroupId,
        bandwidth: balancer.bandwidth,
        internetChargeType: balancer.internetChargeType,
        instanceChargeType: balancer.instanceChargeType,
        payType: balancer.payType,
        businessStatus: "Normal",
        createTime: minuteOf(balancer.createdAt),
        createTimeStamp: Date.parse(balancer.createdAt),
        deleteProtection: balancer.deleteProtection ? "on" : "off",
        modificationProtectionReason: balancer.modificationProtection.reason,
        modificationProtectionStatus: balancer.modificationProtection.status,
        tags: tagsView(balancer.tags),
    };
}

const describeLoadBalancerAttribute = slbAction({
    name: "DescribeLoadBalancerAttribute",
    request: model({ RegionId: "string", LoadBalancerId: "string" }),
    response: model({
        ...summaryFields,
        RequestId: "string",
        ListenerPorts: { ListenerPort: ["number"] },
        ListenerPortsAndProtocol: {
            ListenerPortAndProtocol: [
                {
                    ListenerPort: "number",
                    ListenerProtocol: "string",
                    ListenerForward: "string",
                    ForwardPort: "number",
                    Description: "string",
                },
            ],
        },
        ListenerPortsAndProtocal: {
            ListenerPortAndProtocal: [{ ListenerPort: "number", ListenerProtocal: "string" }],
        },
        BackendServers: {
            BackendServer: [
                {
                    ServerId: "string",
                    ServerIp: "string",
                    Type: "string",
                    Weight: "number",
                    Description: "string",
                    VpcId: "string",
                },
            ],
        },
    }),
    required: ["LoadBalancerId"],
    writes: false,
    handle: ({ loadBalancerId }, context) => {
        const balancer = balancerOf(context, loadBalancerId);
        return {
            ...summary(balancer),
            listenerPorts: { listenerPort: balancer.listeners.map(({ port }) => port) },
            listenerPortsAndProtocol: {
                listenerPortAndProtocol: balancer.listeners.map(({ port, protocol, description, settings }) => ({
                    listenerPort: port,
                    listenerProtocol: protocol,
                    description,
                    ...(settings.application.redirect && {
                        listenerForward: "on",
                        forwardPort: settings.application.redirect.port,
                    }),
                })),
            },
            // An older list, which the cloud spells so.
            listenerPortsAndProtocal: {
                listenerPortAndProtocal: balancer.listeners.map(({ port, protocol }) => ({
                    listenerPort: port,
                    listenerProtocal: protocol,
                })),
            },
            backendServers: {
                backendServer: balancer.servers.map((server) => backendView(context.store.state, server)),
            },
        };
    },
});

const describeLoadBalancers = slbAction({
    name: "DescribeLoadBalancers",
    request: model({
        RegionId: "string",
        Address: "string",
        AddressIPVersion: "string",
        AddressType: "string",
        InstanceChargeType: "string",
        InternetChargeType: "string",
        LoadBalancerId: "string",
        LoadBalancerName: "string",
        LoadBalancerStatus: "string",
        MasterZoneId: "string",
        SlaveZoneId: "string",
        NetworkType: "string",
        PayType: "string",
        ResourceGroupId: "string",
        ServerId: "string",
        ServerIntranetAddress: "string",
        Tags: "string",
        VpcId: "string",
        VSwitchId: "string",
        PageNumber: "number",
        PageSize: "number",
        Tag: tagFields,
    }),
    response: model({
        RequestId: "string",
        PageNumber: "number",
        PageSize: "number",
        TotalCount: "number",
        LoadBalancers: { LoadBalancer: [summaryFields] },
    }),
    writes: false,
    handle: (request, context) => {
        const { state } = context.store;
        const { serverId, serverIntranetAddress: address } = request;
        const serves = (balancer: LoadBalancer): boolean => {
            if (!serverId && !address) return true;
            const groups = Object.values(state.vServerGroups).filter((group) => group.loadBalancerId === balancer.id);
            const servers = [balancer, ...groups].flatMap((group) => group.servers);
            return (
                (!serverId || servers.some((server) => server.serverId === serverId)) &&
                (!address ||
                    servers.some((server) => matchesAny(address, addressOfServer(state, server)?.address ?? "")))
            );
        };
        // An older way to name tags.
        const tags = parseItems(valueOr(request.tags, "[]"), "Tags").map(
            ({ tagKey: key = "", tagValue: value = "" }) => ({
                key,
                value,
            }),
        );
        const found = inRegion(state.loadBalancers, context.regionId).filter(
            (balancer) =>
                matchesAny(request.loadBalancerId, balancer.id) &&
                matchesAny(request.loadBalancerName, balancer.name) &&
                matchesAny(request.address, balancer.address) &&
                matches(request.addressIPVersion, "ipv4") &&
                matches(request.addressType, balancer.addressType) &&
                matches(request.instanceChargeType, balancer.instanceChargeType) &&
                matches(request.internetChargeType, balancer.internetChargeType) &&
                matches(request.loadBalancerStatus, balancer.status) &&
                matches(request.masterZoneId, balancer.masterZoneId) &&
                matches(request.slaveZoneId, balancer.slaveZoneId) &&
                matches(request.networkType, networkType(balancer)) &&
                matches(request.payType, balancer.payType) &&
                matches(request.resourceGroupId, balancer.resourceGroupId) &&
                matches(request.vpcId, balancer.vpcId) &&
                matches(request.vSwitchId, balancer.vswitchId) &&
                hasTags(balancer, request.tag) &&
                hasTags(balancer, tags) &&
                serves(balancer),
        );
        const { items, ...page } = paginate(found, request, { default: 50, max: 100 });
        return { ...page, loadBalancers: { loadBalancer: items.map(summary) } };
    },
});

const deleteLoadBalancer = slbAction({
    name: "DeleteLoadBalancer",
    request: model({ RegionId: "string", LoadBalancerId: "string" }),
    response: model({ RequestId: "string" }),
    required: ["LoadBalancerId"],
    writes: true,
    handle: async ({ loadBalancerId }, context) => {
        const { state } = context.store;
        const balancer = balancerOf(context, loadBalancerId);
        if (balancer.deleteProtection)
            refuse(
                "OperationDenied.DeleteProtectionIsOn",
                "The loadbalancer can't be deleted due to DeleteProtection is enabled.",
            );
        context.checked();
        for (const group of Object.values(state.vServerGroups))
            if (group.loadBalancerId === balancer.id) Reflect.deleteProperty(state.vServerGroups, group.id);
        for (const eip of Object.values(state.eips)) if (eip.binding?.instanceId === balancer.id) delete eip.binding;
        Reflect.deleteProperty(state.loadBalancers, balancer.id);
        await context.applied();
        return {};
    },
});

export const loadBalancerActions: readonly Action[] = [
    createLoadBalancer,
    describeLoadBalancerAttribute,
    describeLoadBalancers,
    deleteLoadBalancer,
];

export { protectionOf, specOf };
