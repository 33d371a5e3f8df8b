import { CreateLoadBalancerRequest } from "@alicloud/alb20200616/dist/models/CreateLoadBalancerRequest";
import { CreateLoadBalancerResponseBody } from "@alicloud/alb20200616/dist/models/CreateLoadBalancerResponseBody";
import { DeleteLoadBalancerRequest } from "@alicloud/alb20200616/dist/models/DeleteLoadBalancerRequest";
import { DeleteLoadBalancerResponseBody } from "@alicloud/alb20200616/dist/models/DeleteLoadBalancerResponseBody";
import { GetLoadBalancerAttributeRequest } from "@alicloud/alb20200616/dist/models/GetLoadBalancerAttributeRequest";
import { GetLoadBalancerAttributeResponseBody } from "@alicloud/alb20200616/dist/models/GetLoadBalancerAttributeResponseBody";
import { ListLoadBalancersRequest } from "@alicloud/alb20200616/dist/models/ListLoadBalancersRequest";
import { ListLoadBalancersResponseBody } from "@alicloud/alb20200616/dist/models/ListLoadBalancersResponseBody";
import type { ApplicationBalancer, BalancerZone } from "../../model/alb";
import { freeAddress, isAssignable, parseCidr, takeEipAddress, takenAddresses } from "../../model/addresses";
import { nameOfBalancer } from "../../model/projectAlb";
import type { Action, ActionContext } from "../action";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { notFound } from "../errors";
import { among, hasTags, matches, paginateByToken, toTags } from "../listing";
import { albAction } from "./action";
import { checkName, checkTags, oneOf, refuse, refuseParameter, refuseQuota, valueOr } from "./checks";
import { beginJob, changing, statusOf } from "./jobs";
import { balancerOf, listenersOf, rulesOf, settledBalancerOf } from "./lookup";
import { quotas } from "./quotas";
import { tagsView } from "./view";

/** A zone as a request names it. */
interface AskedZone {
    readonly zoneId?: string;
    readonly vSwitchId?: string;
    readonly allocationId?: string;
    readonly intranetAddress?: string;
}

const createLoadBalancer = albAction({
    name: "CreateLoadBalancer",
    request: CreateLoadBalancerRequest,
    response: CreateLoadBalancerResponseBody,
    required: ["AddressType", "LoadBalancerEdition", "LoadBalancerBillingConfig", "VpcId", "ZoneMappings"],
    writes: true,
    handle: async (request, context) => {
        const { store, now } = context;
        checkName(request.loadBalancerName, "LoadBalancerName");
        checkTags(request.tag);
        if (oneOf(request.addressIpVersion, ["IPv4", "DualStack"], "AddressIpVersion", "IPv4") === "DualStack")
            refuse("UnsupportedOperation", "The lab's balancers have IPv4 addresses only.");
        if (request.securityGroupIds?.length)
            refuse("UnsupportedOperation", "The lab's application balancers join no security groups.");
        const vpc = store.state.vpcs[request.vpcId ?? ""];
        if (!vpc) throw notFound("ResourceNotFound.Vpc", "The specified resource of Vpc is not found.");
        const addressType = oneOf(request.addressType, ["Internet", "Intranet"], "AddressType", "Intranet");
        const edition = oneOf(
            request.loadBalancerEdition,
            ["Basic", "Standard", "StandardWithWaf"],
            "LoadBalancerEdition",
            "Standard",
        );
        if (request.loadBalancerBillingConfig?.payType !== "PostPay") refuseParameter("PayType");
        const allocatedMode = oneOf(
            request.addressAllocatedMode,
            ["Fixed", "Dynamic"],
            "AddressAllocatedMode",
            "Dynamic",
        );
        const modificationProtection = protectionOf(request.modificationProtectionConfig);
        const asked = checkZones(context, vpc.id, request.zoneMappings ?? []);
        if (Object.keys(store.state.applicationBalancers).length >= quotas.loadBalancers)
            refuseQuota("LoadBalancersNum");
        context.checked();

        const id = store.newId("alb");
        const balancer: ApplicationBalancer = {
            id,
            regionId: vpc.regionId,
            createdAt: now,
            name: request.loadBalancerName ?? "",
            description: "",
            tags: toTags(request.tag),
            resourceGroupId: valueOr(request.resourceGroupId, DEFAULT_RESOURCE_GROUP_ID),
            vpcId: vpc.id,
            addressType,
            edition,
            allocatedMode,
            zones: placeZones(context, { addressType, zones: [] }, asked),
            deletionProtection: {
                enabled: request.deletionProtectionEnabled === true,
                since: request.deletionProtectionEnabled === true ? now : "",
            },
            modificationProtection,
            change: changing(context, "Provisioning"),
        };
        store.state.applicationBalancers[id] = balancer;
        await context.applied();
        return { loadBalancerId: id };
    },
});

export function protectionOf(
    config: { readonly status?: string; readonly reason?: string } | undefined,
): ApplicationBalancer["modificationProtection"] {
    const status = oneOf(config?.status, ["NonProtection", "ConsoleProtection"], "Status", "NonProtection");
    return { status, reason: status === "NonProtection" ? "" : (config?.reason ?? "") };
}

/**
 * Checks the zones of a request: two at least, one VSwitch of the VPC in each.
 * @param present zones that the balancer is in already, whose addresses it keeps
 */
export function checkZones(
    { store }: ActionContext,
    vpcId: string,
    zones: readonly AskedZone[],
    present: readonly BalancerZone[] = [],
): readonly AskedZone[] {
    if (new Set(zones.map(({ zoneId }) => zoneId)).size < Math.max(2, zones.length)) refuseParameter("ZoneMappings");
    for (const { zoneId, vSwitchId, allocationId, intranetAddress } of zones) {
        const vswitch = store.state.vswitches[vSwitchId ?? ""];
        if (!vswitch) throw notFound("ResourceNotFound.VSwitch", "The specified resource of VSwitch is not found.");
        if (vswitch.vpcId !== vpcId) refuse("Mismatch.VSwitchIdAndVpcId", "The VSwitchId and VpcId are mismatched.");
        if (vswitch.zoneId !== zoneId)
            refuse("Mismatch.ZoneIdAndVSwitchId", "The ZoneId and VSwitchId are mismatched.");
        if (allocationId) refuseElastic();
        if (!intranetAddress || present.some(({ vswitchId }) => vswitchId === vswitch.id)) continue;
        const taken = takenAddresses(store.state, vswitch.id);
        if (!isAssignable(parseCidr(vswitch.cidr)!, intranetAddress) || taken.has(intranetAddress))
            refuseParameter("IntranetAddress");
    }
    return zones;
}

export function refuseElastic(): never {
    refuse("UnsupportedOperation", "The lab gives balancers internet addresses of its own.");
}

/** Zones with their addresses; one that a balancer is in already keeps them. */
export function placeZones(
    { store }: ActionContext,
    { addressType, zones: before }: Pick<ApplicationBalancer, "addressType" | "zones">,
    asked: readonly AskedZone[],
): BalancerZone[] {
    const placed: BalancerZone[] = [];
    for (const { zoneId, vSwitchId, intranetAddress } of asked) {
        const known = before.find(({ vswitchId }) => vswitchId === vSwitchId);
        const vswitch = store.state.vswitches[vSwitchId!]!;
        placed.push({
            zoneId: zoneId!,
            vswitchId: vswitch.id,
            privateAddress:
                known?.privateAddress ??
                (valueOr(intranetAddress, "") ||
                    (freeAddress(parseCidr(vswitch.cidr)!, takenAddresses(store.state, vswitch.id)) ??
                        refuse("ResourceNotEnough.VSwitchIp", "The specified VSwitch has no available ip."))),
            ...publicPlace(store, addressType, known, placed),
        });
    }
    return placed;
}

function publicPlace(
    store: ActionContext["store"],
    addressType: ApplicationBalancer["addressType"],
    known: BalancerZone | undefined,
    placed: readonly BalancerZone[],
): Pick<BalancerZone, "publicAddress" | "allocationId"> {
    if (addressType === "Intranet") return { publicAddress: "", allocationId: "" };
    if (known && known.publicAddress !== "")
        return { publicAddress: known.publicAddress, allocationId: known.allocationId };
    const promised = placed.map(({ publicAddress }) => publicAddress);
    const publicAddress = takeEipAddress(store, promised) ?? refuseQuota("EipsNum");
    return { publicAddress, allocationId: store.newId("eip") };
}

function summary(context: ActionContext, balancer: ApplicationBalancer) {
    const { addressType, deletionProtection } = balancer;
    return {
        loadBalancerId: balancer.id,
        loadBalancerName: balancer.name,
        loadBalancerStatus: statusOf(context, balancer.change, "Active"),
        loadBalancerBussinessStatus: "Normal",
        loadBalancerEdition: balancer.edition,
        loadBalancerBillingConfig: { payType: "PostPay" },
        accessLogConfig: {},
        addressAllocatedMode: balancer.allocatedMode,
        addressIpVersion: "IPv4",
        addressType,
        createTime: balancer.createdAt,
        DNSName: nameOfBalancer(balancer),
        deletionProtectionConfig: {
            enabled: deletionProtection.enabled,
            ...(deletionProtection.enabled && { enabledTime: deletionProtection.since }),
        },
        modificationProtectionConfig: balancer.modificationProtection,
        loadBalancerOperationLocks: [],
        resourceGroupId: balancer.resourceGroupId,
        tags: tagsView(balancer.tags),
        vpcId: balancer.vpcId,
    };
}

function zoneViews({ zones, addressType }: ApplicationBalancer) {
    return zones.map(({ zoneId, vswitchId, privateAddress, publicAddress, allocationId }) => ({
        zoneId,
        vSwitchId: vswitchId,
        status: "Active",
        loadBalancerAddresses: [
            {
                address: addressType === "Internet" ? publicAddress : privateAddress,
                intranetAddress: privateAddress,
                ...(addressType === "Internet" && { allocationId, eipType: "Common" }),
            },
        ],
    }));
}

const getLoadBalancerAttribute = albAction({
    name: "GetLoadBalancerAttribute",
    request: GetLoadBalancerAttributeRequest,
    response: GetLoadBalancerAttributeResponseBody,
    required: ["LoadBalancerId"],
    writes: false,
    handle: ({ loadBalancerId }, context) => {
        const balancer = balancerOf(context, loadBalancerId);
        return { ...summary(context, balancer), regionId: balancer.regionId, zoneMappings: zoneViews(balancer) };
    },
});

const listLoadBalancers = albAction({
    name: "ListLoadBalancers",
    request: ListLoadBalancersRequest,
    response: ListLoadBalancersResponseBody,
    writes: false,
    handle: (request, context) => {
        const found = Object.values(context.store.state.applicationBalancers).filter(
            (balancer) =>
                among(request.loadBalancerIds, balancer.id) &&
                among(request.loadBalancerNames, balancer.name) &&
                among(request.vpcIds, balancer.vpcId) &&
                matches(request.addressType, balancer.addressType) &&
                matches(request.addressIpVersion, "IPv4") &&
                matches(request.payType, "PostPay") &&
                matches(request.loadBalancerBussinessStatus, "Normal") &&
                matches(request.DNSName, nameOfBalancer(balancer)) &&
                matches(request.resourceGroupId, balancer.resourceGroupId) &&
                matches(request.loadBalancerStatus, statusOf(context, balancer.change, "Active")) &&
                (!request.zoneId || balancer.zones.some(({ zoneId }) => zoneId === request.zoneId)) &&
                hasTags(balancer, request.tag),
        );
        const { items, ...page } = paginateByToken(found, request, { default: 20, max: 100 });
        return {
            ...page,
            totalCount: found.length,
            loadBalancers: items.map((balancer) => summary(context, balancer)),
        };
    },
});

const deleteLoadBalancer = albAction({
    name: "DeleteLoadBalancer",
    request: DeleteLoadBalancerRequest,
    response: DeleteLoadBalancerResponseBody,
    required: ["LoadBalancerId"],
    writes: true,
    handle: async ({ loadBalancerId }, context) => {
        const { state } = context.store;
        const balancer = settledBalancerOf(context, loadBalancerId);
        if (balancer.deletionProtection.enabled)
            refuse(
                "OperationDenied.DeletionProtection",
                "The operation is denied because deletion protection is enabled.",
            );
        context.checked();
        for (const listener of listenersOf(context, balancer)) {
            for (const rule of rulesOf(context, listener)) Reflect.deleteProperty(state.albRules, rule.id);
            Reflect.deleteProperty(state.albListeners, listener.id);
        }
        Reflect.deleteProperty(state.applicationBalancers, balancer.id);
        await context.applied();
        return { jobId: beginJob(context, "DeleteLoadBalancer", { type: "loadbalancer", id: balancer.id }) };
    },
});

export const loadBalancerActions: readonly Action[] = [
    createLoadBalancer,
    getLoadBalancerAttribute,
    listLoadBalancers,
    deleteLoadBalancer,
];
