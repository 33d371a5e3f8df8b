import { AssociateHaVipRequest } from "@alicloud/vpc20160428/dist/models/AssociateHaVipRequest";
import { AssociateHaVipResponseBody } from "@alicloud/vpc20160428/dist/models/AssociateHaVipResponseBody";
import { CreateHaVipRequest } from "@alicloud/vpc20160428/dist/models/CreateHaVipRequest";
import { CreateHaVipResponseBody } from "@alicloud/vpc20160428/dist/models/CreateHaVipResponseBody";
import { DeleteHaVipRequest } from "@alicloud/vpc20160428/dist/models/DeleteHaVipRequest";
import { DeleteHaVipResponseBody } from "@alicloud/vpc20160428/dist/models/DeleteHaVipResponseBody";
import { DescribeHaVipsRequest } from "@alicloud/vpc20160428/dist/models/DescribeHaVipsRequest";
import { DescribeHaVipsResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeHaVipsResponseBody";
import { ModifyHaVipAttributeRequest } from "@alicloud/vpc20160428/dist/models/ModifyHaVipAttributeRequest";
import { ModifyHaVipAttributeResponseBody } from "@alicloud/vpc20160428/dist/models/ModifyHaVipAttributeResponseBody";
import { UnassociateHaVipRequest } from "@alicloud/vpc20160428/dist/models/UnassociateHaVipRequest";
import { UnassociateHaVipResponseBody } from "@alicloud/vpc20160428/dist/models/UnassociateHaVipResponseBody";
import { freeAddress, isAssignable, parseCidr, takenAddresses } from "../../model/addresses";
import type { HaVip, VSwitch } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { notFound } from "../errors";
import { hasTags, inRegion, matches, paginate, toTags } from "../listing";
import { vpcAction } from "./action";
import { checkDescription, checkName, checkOneOf, checkTags, refuse, valueOr } from "./checks";
import { haVipOf, instanceOf, networkInterfaceOf, vswitchOf } from "./lookup";
import { quotas } from "./quotas";

const createHaVip = vpcAction({
    name: "CreateHaVip",
    request: CreateHaVipRequest,
    response: CreateHaVipResponseBody,
    required: ["VSwitchId"],
    writes: true,
    handle: (request, context) => {
        const { store, regionId, now } = context;
        const vswitch = vswitchOf(context, request.vSwitchId);
        checkName(request.name, "InvalidName.Malformed");
        checkDescription(request.description, "InvalidDescription.Malformed");
        checkTags(request.tag);
        const address = chooseAddress(context, vswitch, request.ipAddress);
        if (inRegion(store.state.haVips, regionId).length >= quotas.haVips)
            refuse("QuotaExceeded.HaVip", "The number of HaVips exceeds the quota.");
        context.checked();

        const haVip: HaVip = {
            id: store.newId("havip"),
            regionId,
            createdAt: now,
            name: request.name ?? "",
            description: request.description ?? "",
            tags: toTags(request.tag),
            resourceGroupId: valueOr(request.resourceGroupId, DEFAULT_RESOURCE_GROUP_ID),
            vpcId: vswitch.vpcId,
            vswitchId: vswitch.id,
            address,
            memberType: "EcsInstance",
            memberIds: [],
            holderId: "",
        };
        store.state.haVips[haVip.id] = haVip;
        return { haVipId: haVip.id, ipAddress: address };
    },
});

function chooseAddress({ store }: ActionContext, vswitch: VSwitch, asked: string | undefined): string {
    const range = parseCidr(vswitch.cidr)!;
    const taken = takenAddresses(store.state, vswitch.id);
    if (!asked)
        return (
            freeAddress(range, taken) ??
            refuse("InvalidVSwitchId.IpNotEnough", "The VSwitch has no address left that could be given.")
        );
    if (!isAssignable(range, asked))
        refuse("InvalidIPAddress.NotInVSwitch", "The specified address does not belong to the VSwitch.");
    if (taken.has(asked)) refuse("InvalidIPAddress.AlreadyUsed", "The specified address is in use.");
    return asked;
}

const describeHaVips = vpcAction({
    name: "DescribeHaVips",
    request: DescribeHaVipsRequest,
    response: DescribeHaVipsResponseBody,
    writes: false,
    handle: (request, context) => {
        const filters = (request.filter ?? []).map(({ key = "", value = [] }) => ({
            of: filterable.get(key) ?? refuse("InvalidFilterKey.ValueNotSupported", `There is no filter ${key}.`),
            values: value,
        }));
        const haVips = inRegion(context.store.state.haVips, context.regionId).filter(
            (haVip) =>
                filters.every(({ of, values }) => values.includes(of(haVip))) &&
                matches(request.resourceGroupId, haVip.resourceGroupId) &&
                hasTags(haVip, request.tags),
        );
        const { items, ...page } = paginate(haVips, request);
        return { ...page, haVips: { haVip: items.map((haVip) => haVipView(context, haVip)) } };
    },
});

/** What a list can be filtered by. */
const filterable: ReadonlyMap<string, (haVip: HaVip) => string> = new Map([
    ["VpcId", ({ vpcId }) => vpcId],
    ["VSwitchId", ({ vswitchId }) => vswitchId],
    ["Status", statusOf],
    ["HaVipId", ({ id }) => id],
    ["HaVipAddress", ({ address }) => address],
]);

function statusOf({ memberIds }: HaVip): string {
    return memberIds.length > 0 ? "InUse" : "Available";
}

function haVipView({ store }: ActionContext, haVip: HaVip) {
    const eips = Object.values(store.state.eips).filter(({ binding }) => binding?.instanceId === haVip.id);
    return {
        haVipId: haVip.id,
        ipAddress: haVip.address,
        name: haVip.name,
        description: haVip.description,
        regionId: haVip.regionId,
        vpcId: haVip.vpcId,
        vSwitchId: haVip.vswitchId,
        status: statusOf(haVip),
        createTime: haVip.createdAt,
        chargeType: "PostPaid",
        resourceGroupId: haVip.resourceGroupId,
        associatedInstanceType: haVip.memberIds.length > 0 ? haVip.memberType : "",
        associatedInstances: { associatedInstance: [...haVip.memberIds] },
        associatedEipAddresses: { associatedEipAddresse: eips.map(({ address }) => address) },
        masterInstanceId: haVip.holderId,
        tags: { tag: Object.entries(haVip.tags).map(([key, value]) => ({ key, value })) },
    };
}

const modifyHaVipAttribute = vpcAction({
    name: "ModifyHaVipAttribute",
    request: ModifyHaVipAttributeRequest,
    response: ModifyHaVipAttributeResponseBody,
    required: ["HaVipId"],
    writes: true,
    handle: (request, context) => {
        const haVip = haVipOf(context, request.haVipId);
        checkName(request.name, "InvalidName.Malformed");
        checkDescription(request.description, "InvalidDescription.Malformed");
        context.checked();
        if (request.name !== undefined) haVip.name = request.name;
        if (request.description !== undefined) haVip.description = request.description;
        return {};
    },
});

const deleteHaVip = vpcAction({
    name: "DeleteHaVip",
    request: DeleteHaVipRequest,
    response: DeleteHaVipResponseBody,
    required: ["HaVipId"],
    writes: true,
    handle: (request, context) => {
        const { state } = context.store;
        const haVip = haVipOf(context, request.haVipId);
        if (haVip.memberIds.length > 0)
            refuse("IncorrectHaVipStatus", "The current HaVip status does not support this operation.");
        if (Object.values(state.eips).some(({ binding }) => binding?.instanceId === haVip.id))
            refuse("DependencyViolation.EIP", "The HaVip is associated with an EIP.");
        if (
            Object.values(state.routeTables).some(({ entries }) =>
                entries.some((entry) => entry.nextHopId === haVip.id),
            )
        )
            refuse("DependencyViolation.RouteEntry", "The HaVip is the next hop of a route entry.");
        context.checked();
        Reflect.deleteProperty(state.haVips, haVip.id);
        return {};
    },
});

const memberTypes = ["EcsInstance", "NetworkInterface"] as const;

function memberTypeOf(asked: string | undefined): HaVip["memberType"] {
    checkOneOf(asked, memberTypes, "InstanceType", "InvalidInstanceType.ValueNotSupported");
    return memberTypes.find((type) => type === asked) ?? "EcsInstance";
}

const associateHaVip = vpcAction({
    name: "AssociateHaVip",
    request: AssociateHaVipRequest,
    response: AssociateHaVipResponseBody,
    required: ["HaVipId", "InstanceId"],
    writes: true,
    handle: async (request, context) => {
        const haVip = haVipOf(context, request.haVipId);
        const memberType = memberTypeOf(request.instanceType);
        const { id, vswitchId } = memberOf(context, memberType, request.instanceId!);
        if (vswitchId !== haVip.vswitchId)
            refuse("InvalidVSwitchId.NotSame", "The instance and the HaVip must belong to the same VSwitch.");
        if (haVip.memberIds.includes(id))
            refuse("InvalidAssociation.Duplicated", "The HaVip is associated with the instance already.");
        if (haVip.memberIds.length > 0 && haVip.memberType !== memberType)
            refuse("InvalidInstanceType.NotSame", "A HaVip is associated with instances or with interfaces, not both.");
        if (haVip.memberIds.length >= quotas.membersPerHaVip)
            refuse("QuotaExceeded.HaVipInstance", "The number of instances of the HaVip exceeds the quota.");
        context.checked();
        haVip.memberType = memberType;
        haVip.memberIds.push(id);
        await context.applied();
        return {};
    },
});

function memberOf(
    context: ActionContext,
    type: HaVip["memberType"],
    id: string,
): { readonly id: string; readonly vswitchId: string } {
    if (type === "NetworkInterface") return networkInterfaceOf(context, id);
    const instance = instanceOf(context, id);
    if (instance.status !== "Running" && instance.status !== "Stopped")
        refuse("IncorrectInstanceStatus", "Current instance status does not support this operation.");
    return instance;
}

const unassociateHaVip = vpcAction({
    name: "UnassociateHaVip",
    request: UnassociateHaVipRequest,
    response: UnassociateHaVipResponseBody,
    required: ["HaVipId", "InstanceId"],
    writes: true,
    handle: async ({ haVipId, instanceId = "" }, context) => {
        const haVip = haVipOf(context, haVipId);
        if (!haVip.memberIds.includes(instanceId))
            throw notFound("InvalidInstanceId.NotFound", "The HaVip is not associated with the instance.");
        context.checked();
        haVip.memberIds = haVip.memberIds.filter((id) => id !== instanceId);
        if (haVip.holderId === instanceId) haVip.holderId = "";
        await context.applied();
        return {};
    },
});

export const haVipActions: readonly Action[] = [
    createHaVip,
    describeHaVips,
    modifyHaVipAttribute,
    deleteHaVip,
    associateHaVip,
    unassociateHaVip,
];
