import type { LoadBalancer } from "../../model/slb";
import type { Action } from "../action";
import { model } from "../common/model";
import { slbAction } from "./action";
import { checkName, isOn, oneOf, refuse, within } from "./checks";
import { protectionOf, specOf } from "./loadBalancers";
import { balancerAnywhere, balancerOf } from "./lookup";

const answer = model({ RequestId: "string" });
const orderAnswer = model({ RequestId: "string", OrderId: "number" });

const setLoadBalancerStatus = slbAction({
    name: "SetLoadBalancerStatus",
    request: model({ RegionId: "string", LoadBalancerId: "string", LoadBalancerStatus: "string" }),
    response: answer,
    required: ["LoadBalancerId", "LoadBalancerStatus"],
    writes: true,
    handle: async (request, context) => {
        const balancer = balancerAnywhere(context, request.loadBalancerId);
        const status = oneOf(request.loadBalancerStatus, ["active", "inactive"], "LoadBalancerStatus", "active");
        context.checked();
        balancer.status = status;
        await context.applied();
        return {};
    },
});

const setLoadBalancerName = slbAction({
    name: "SetLoadBalancerName",
    request: model({ RegionId: "string", LoadBalancerId: "string", LoadBalancerName: "string" }),
    response: answer,
    required: ["LoadBalancerId", "LoadBalancerName"],
    writes: true,
    handle: (request, context) => {
        const balancer = balancerOf(context, request.loadBalancerId);
        checkName(request.loadBalancerName, "LoadBalancerName");
        context.checked();
        balancer.name = request.loadBalancerName!;
        return {};
    },
});

const setLoadBalancerDeleteProtection = slbAction({
    name: "SetLoadBalancerDeleteProtection",
    request: model({ RegionId: "string", LoadBalancerId: "string", DeleteProtection: "string" }),
    response: answer,
    required: ["LoadBalancerId", "DeleteProtection"],
    writes: true,
    handle: (request, context) => {
        const balancer = balancerOf(context, request.loadBalancerId);
        const deleteProtection = isOn(request.deleteProtection, "DeleteProtection", false);
        context.checked();
        balancer.deleteProtection = deleteProtection;
        return {};
    },
});

const setLoadBalancerModificationProtection = slbAction({
    name: "SetLoadBalancerModificationProtection",
    request: model({
        RegionId: "string",
        LoadBalancerId: "string",
        ModificationProtectionStatus: "string",
        ModificationProtectionReason: "string",
    }),
    response: answer,
    required: ["LoadBalancerId", "ModificationProtectionStatus"],
    writes: true,
    handle: (request, context) => {
        const balancer = balancerOf(context, request.loadBalancerId);
        const protection = protectionOf(request.modificationProtectionStatus, request.modificationProtectionReason);
        context.checked();
        balancer.modificationProtection = protection;
        return {};
    },
});

const modifyLoadBalancerInstanceSpec = slbAction({
    name: "ModifyLoadBalancerInstanceSpec",
    request: model({ RegionId: "string", LoadBalancerId: "string", LoadBalancerSpec: "string", AutoPay: "boolean" }),
    response: orderAnswer,
    required: ["LoadBalancerId", "LoadBalancerSpec"],
    writes: true,
    handle: (request, context) => {
        const balancer = balancerOf(context, request.loadBalancerId);
        if (balancer.instanceChargeType === "PayByCLCU")
            refuse(
                "OperationDenied",
                "The operation is not allowed because the instanceChargeType of loadbalancer is PayByCLCU.",
            );
        const spec = specOf(request.loadBalancerSpec, "PayBySpec");
        context.checked();
        balancer.spec = spec;
        return {};
    },
});

const modifyLoadBalancerInstanceChargeType = slbAction({
    name: "ModifyLoadBalancerInstanceChargeType",
    request: model({
        RegionId: "string",
        LoadBalancerId: "string",
        InstanceChargeType: "string",
        LoadBalancerSpec: "string",
        Bandwidth: "number",
        InternetChargeType: "string",
    }),
    response: answer,
    required: ["LoadBalancerId", "InstanceChargeType"],
    writes: true,
    handle: (request, context) => {
        const balancer = balancerOf(context, request.loadBalancerId);
        const instanceChargeType = oneOf(
            request.instanceChargeType,
            ["PayBySpec", "PayByCLCU"],
            "InstanceChargeType",
            "PayBySpec",
        );
        if (balancer.instanceChargeType === "PayByCLCU" && instanceChargeType === "PayBySpec")
            refuse("OperationDenied", "A balancer that is paid by use is not paid by its specification any more.");
        const spec = specOf(request.loadBalancerSpec, instanceChargeType);
        const internetChargeType = instanceChargeType === "PayByCLCU" ? "paybytraffic" : balancer.internetChargeType;
        context.checked();
        Object.assign(balancer, { instanceChargeType, internetChargeType, spec } satisfies Partial<LoadBalancer>);
        return {};
    },
});

const modifyLoadBalancerInternetSpec = slbAction({
    name: "ModifyLoadBalancerInternetSpec",
    request: model({
        RegionId: "string",
        LoadBalancerId: "string",
        InternetChargeType: "string",
        Bandwidth: "number",
        AutoPay: "boolean",
    }),
    response: orderAnswer,
    required: ["LoadBalancerId"],
    writes: true,
    handle: (request, context) => {
        const balancer = balancerOf(context, request.loadBalancerId);
        const internetChargeType = oneOf(
            // The provider sends its own spelling here.
            request.internetChargeType?.toLowerCase(),
            ["paybytraffic", "paybybandwidth"],
            "InternetChargeType",
            balancer.internetChargeType,
        );
        const bandwidth = within(request.bandwidth, [1, 5120], "Bandwidth", balancer.bandwidth);
        context.checked();
        Object.assign(balancer, { internetChargeType, bandwidth } satisfies Partial<LoadBalancer>);
        return {};
    },
});

const modifyLoadBalancerPayType = slbAction({
    name: "ModifyLoadBalancerPayType",
    request: model({
        RegionId: "string",
        LoadBalancerId: "string",
        PayType: "string",
        Duration: "number",
        PricingCycle: "string",
        AutoPay: "boolean",
    }),
    response: orderAnswer,
    required: ["LoadBalancerId", "PayType"],
    writes: true,
    handle: (request, context) => {
        const balancer = balancerOf(context, request.loadBalancerId);
        const payType = oneOf(request.payType, ["PayOnDemand", "PrePay"], "PayType", "PayOnDemand");
        context.checked();
        balancer.payType = payType;
        return {};
    },
});

export const loadBalancerSettingActions: readonly Action[] = [
    setLoadBalancerStatus,
    setLoadBalancerName,
    setLoadBalancerDeleteProtection,
    setLoadBalancerModificationProtection,
    modifyLoadBalancerInstanceSpec,
    modifyLoadBalancerInstanceChargeType,
    modifyLoadBalancerInternetSpec,
    modifyLoadBalancerPayType,
];
