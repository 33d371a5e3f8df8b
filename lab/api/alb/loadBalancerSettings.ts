import { DisableDeletionProtectionRequest } from "@alicloud/alb20200616/dist/models/DisableDeletionProtectionRequest";
import { DisableDeletionProtectionResponseBody } from "@alicloud/alb20200616/dist/models/DisableDeletionProtectionResponseBody";
import { EnableDeletionProtectionRequest } from "@alicloud/alb20200616/dist/models/EnableDeletionProtectionRequest";
import { EnableDeletionProtectionResponseBody } from "@alicloud/alb20200616/dist/models/EnableDeletionProtectionResponseBody";
import { UpdateLoadBalancerAddressTypeConfigRequest } from "@alicloud/alb20200616/dist/models/UpdateLoadBalancerAddressTypeConfigRequest";
import { UpdateLoadBalancerAddressTypeConfigResponseBody } from "@alicloud/alb20200616/dist/models/UpdateLoadBalancerAddressTypeConfigResponseBody";
import { UpdateLoadBalancerAttributeRequest } from "@alicloud/alb20200616/dist/models/UpdateLoadBalancerAttributeRequest";
import { UpdateLoadBalancerAttributeResponseBody } from "@alicloud/alb20200616/dist/models/UpdateLoadBalancerAttributeResponseBody";
import { UpdateLoadBalancerEditionRequest } from "@alicloud/alb20200616/dist/models/UpdateLoadBalancerEditionRequest";
import { UpdateLoadBalancerEditionResponseBody } from "@alicloud/alb20200616/dist/models/UpdateLoadBalancerEditionResponseBody";
import { UpdateLoadBalancerZonesRequest } from "@alicloud/alb20200616/dist/models/UpdateLoadBalancerZonesRequest";
import { UpdateLoadBalancerZonesResponseBody } from "@alicloud/alb20200616/dist/models/UpdateLoadBalancerZonesResponseBody";
import type { Action, ActionContext } from "../action";
import type { ApplicationBalancer } from "../../model/alb";
import { albAction } from "./action";
import { checkName, oneOf } from "./checks";
import { beginJob, changing } from "./jobs";
import { checkZones, placeZones, protectionOf, refuseElastic } from "./loadBalancers";
import { settledBalancerOf } from "./lookup";

/** Lets a change of a balancer begin. @returns the id of its job */
function begin(context: ActionContext, apiName: string, balancer: ApplicationBalancer): string {
    balancer.change = changing(context, "Configuring");
    return beginJob(context, apiName, { type: "loadbalancer", id: balancer.id }, balancer.change.until);
}

const updateLoadBalancerAttribute = albAction({
    name: "UpdateLoadBalancerAttribute",
    request: UpdateLoadBalancerAttributeRequest,
    response: UpdateLoadBalancerAttributeResponseBody,
    required: ["LoadBalancerId"],
    writes: true,
    handle: (request, context) => {
        const balancer = settledBalancerOf(context, request.loadBalancerId);
        checkName(request.loadBalancerName, "LoadBalancerName");
        const { modificationProtectionConfig: config } = request;
        const protection = config === undefined ? undefined : protectionOf(config);
        context.checked();
        balancer.name = request.loadBalancerName ?? balancer.name;
        balancer.modificationProtection = protection ?? balancer.modificationProtection;
        return { jobId: begin(context, "UpdateLoadBalancerAttribute", balancer) };
    },
});

const updateLoadBalancerEdition = albAction({
    name: "UpdateLoadBalancerEdition",
    request: UpdateLoadBalancerEditionRequest,
    response: UpdateLoadBalancerEditionResponseBody,
    required: ["LoadBalancerId", "LoadBalancerEdition"],
    writes: true,
    handle: (request, context) => {
        const balancer = settledBalancerOf(context, request.loadBalancerId);
        const edition = oneOf(
            request.loadBalancerEdition,
            ["Basic", "Standard", "StandardWithWaf"],
            "LoadBalancerEdition",
            "Standard",
        );
        context.checked();
        balancer.edition = edition;
        begin(context, "UpdateLoadBalancerEdition", balancer);
        return {};
    },
});

const updateLoadBalancerZones = albAction({
    name: "UpdateLoadBalancerZones",
    request: UpdateLoadBalancerZonesRequest,
    response: UpdateLoadBalancerZonesResponseBody,
    required: ["LoadBalancerId", "ZoneMappings"],
    writes: true,
    handle: async (request, context) => {
        const balancer = settledBalancerOf(context, request.loadBalancerId);
        const asked = checkZones(context, balancer.vpcId, request.zoneMappings ?? [], balancer.zones);
        context.checked();
        balancer.zones = placeZones(context, balancer, asked);
        await context.applied();
        return { jobId: begin(context, "UpdateLoadBalancerZones", balancer) };
    },
});

const updateLoadBalancerAddressTypeConfig = albAction({
    name: "UpdateLoadBalancerAddressTypeConfig",
    request: UpdateLoadBalancerAddressTypeConfigRequest,
    response: UpdateLoadBalancerAddressTypeConfigResponseBody,
    required: ["LoadBalancerId", "AddressType"],
    writes: true,
    handle: async (request, context) => {
        const balancer = settledBalancerOf(context, request.loadBalancerId);
        const addressType = oneOf(request.addressType, ["Internet", "Intranet"], "AddressType", "Intranet");
        // A client may name those that it has read.
        const known = ["", ...balancer.zones.map(({ allocationId }) => allocationId)];
        if (request.zoneMappings?.some(({ allocationId = "" }) => !known.includes(allocationId))) refuseElastic();
        context.checked();
        const asked = balancer.zones.map(({ zoneId, vswitchId }) => ({ zoneId, vSwitchId: vswitchId }));
        balancer.zones = placeZones(context, { addressType, zones: balancer.zones }, asked);
        balancer.addressType = addressType;
        await context.applied();
        return { jobId: begin(context, "UpdateLoadBalancerAddressTypeConfig", balancer) };
    },
});

const enableDeletionProtection = albAction({
    name: "EnableDeletionProtection",
    request: EnableDeletionProtectionRequest,
    response: EnableDeletionProtectionResponseBody,
    required: ["ResourceId"],
    writes: true,
    handle: ({ resourceId }, context) => {
        const balancer = settledBalancerOf(context, resourceId);
        context.checked();
        balancer.deletionProtection = { enabled: true, since: context.now };
        return {};
    },
});

const disableDeletionProtection = albAction({
    name: "DisableDeletionProtection",
    request: DisableDeletionProtectionRequest,
    response: DisableDeletionProtectionResponseBody,
    required: ["ResourceId"],
    writes: true,
    handle: ({ resourceId }, context) => {
        const balancer = settledBalancerOf(context, resourceId);
        context.checked();
        balancer.deletionProtection = { enabled: false, since: "" };
        return {};
    },
});

export const loadBalancerSettingActions: readonly Action[] = [
    updateLoadBalancerAttribute,
    updateLoadBalancerEdition,
    updateLoadBalancerZones,
    updateLoadBalancerAddressTypeConfig,
    enableDeletionProtection,
    disableDeletionProtection,
];
