import { CreateDefaultVSwitchRequest } from "@alicloud/vpc20160428/dist/models/CreateDefaultVswitchRequest";
import { CreateDefaultVSwitchResponseBody } from "@alicloud/vpc20160428/dist/models/CreateDefaultVswitchResponseBody";
import { CreateVSwitchRequest } from "@alicloud/vpc20160428/dist/models/CreateVswitchRequest";
import { CreateVSwitchResponseBody } from "@alicloud/vpc20160428/dist/models/CreateVswitchResponseBody";
import { DeleteVSwitchRequest } from "@alicloud/vpc20160428/dist/models/DeleteVswitchRequest";
import { DeleteVSwitchResponseBody } from "@alicloud/vpc20160428/dist/models/DeleteVswitchResponseBody";
import { DescribeVSwitchAttributesRequest } from "@alicloud/vpc20160428/dist/models/DescribeVswitchAttributesRequest";
import { DescribeVSwitchAttributesResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeVswitchAttributesResponseBody";
import { DescribeVSwitchesRequest } from "@alicloud/vpc20160428/dist/models/DescribeVswitchesRequest";
import { DescribeVSwitchesResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeVswitchesResponseBody";
import { ModifyVSwitchAttributeRequest } from "@alicloud/vpc20160428/dist/models/ModifyVswitchAttributeRequest";
import { ModifyVSwitchAttributeResponseBody } from "@alicloud/vpc20160428/dist/models/ModifyVswitchAttributeResponseBody";
import {
    Cidr,
    assignableCount,
    contains,
    formatCidr,
    isAssignable,
    overlaps,
    parseCidr,
    takenAddresses,
} from "../../model/addresses";
import type { VSwitch, Vpc } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { missingParameter, notFound } from "../errors";
import { hasTags, inRegion, matches, matchesAny, paginate, toTags } from "../listing";
import { findRegion } from "../regions";
import { vpcAction } from "./action";
import { checkDescription, checkName, checkTags, parseVSwitchCidr, refuse } from "./checks";
import { ipv6CidrOfVSwitch } from "./ipv6";
import { systemTableOf, vpcOf, vswitchOf } from "./lookup";
import { quotas } from "./quotas";
import { tagsView } from "./view";

const createVSwitch = vpcAction({
    name: "CreateVSwitch",
    request: CreateVSwitchRequest,
    response: CreateVSwitchResponseBody,
    required: ["VpcId", "ZoneId"],
    writes: true,
    handle: (request, context) => {
        if (!request.cidrBlock) throw missingParameter("CidrBlock");
        const vpc = vpcOf(context, request.vpcId);
        checkZone(context, request.zoneId);
        const cidr = parseVSwitchCidr(request.cidrBlock);
        checkName(request.vSwitchName, "InvalidVSwitchName.Malformed");
        checkDescription(request.description, "InvalidVSwitchDiscription.Malformed");
        checkTags(request.tag);
        if (!rangesOf(vpc).some((range) => contains(range, cidr)))
            refuse("InvalidParameter", "Specified CIDR block is not valid in VPC.");
        const vswitches = vswitchesOf(context, vpc.id);
        if (vswitches.some((other) => overlaps(parseCidr(other.cidr)!, cidr)))
            refuse("InvalidCidrBlock.Overlapped", "Specified CIDR block overlapped with other subnets.");
        const tables = Object.values(context.store.state.routeTables).filter(({ vpcId }) => vpcId === vpc.id);
        if (tables.some(({ entries }) => entries.some((entry) => isInside(entry.cidr, cidr))))
            refuse("InvalidCidrBlock.Overlapped", "Specified CIDR block overlapped with other entry.");
        if (vswitches.length >= quotas.vswitchesPerVpc)
            refuse("QuotaExceeded.VSwitch", "Virtual switch quota exceeded.");
        const ipv6Cidr = chooseIpv6(context, vpc, request.ipv6CidrBlock);
        context.checked();

        const vswitch = addVSwitch(context, vpc, {
            zoneId: request.zoneId!,
            cidr: request.cidrBlock,
            name: request.vSwitchName ?? "",
            description: request.description ?? "",
            tags: toTags(request.tag),
            isDefault: false,
            ...(ipv6Cidr !== undefined && { ipv6Cidr }),
        });
        return { vSwitchId: vswitch.id };
    },
});

const createDefaultVSwitch = vpcAction({
    name: "CreateDefaultVSwitch",
    request: CreateDefaultVSwitchRequest,
    response: CreateDefaultVSwitchResponseBody,
    required: ["ZoneId"],
    writes: true,
    handle: ({ zoneId = "", ipv6CidrBlock }, context) => {
        checkZone(context, zoneId);
        const vpc = inRegion(context.store.state.vpcs, context.regionId).find(({ isDefault }) => isDefault);
        if (!vpc) throw notFound("InvalidDefaultVpc.NotFound", "The default VPC does not exist in the region.");
        const vswitches = vswitchesOf(context, vpc.id);
        if (vswitches.some((other) => other.isDefault && other.zoneId === zoneId))
            refuse("DefaultVSwitch.Exist", "The default VSwitch already exists in the zone.");
        const cidr = freeRange(parseCidr(vpc.cidr)!, 20, vswitches);
        if (!cidr) refuse("QuotaExceeded.VSwitch", "The default VPC has no free range.");
        const ipv6Cidr = chooseIpv6(context, vpc, ipv6CidrBlock);
        context.checked();

        const vswitch = addVSwitch(context, vpc, {
            zoneId,
            cidr: formatCidr(cidr),
            name: "",
            description: "System created default virtual switch.",
            tags: {},
            isDefault: true,
            ...(ipv6Cidr !== undefined && { ipv6Cidr }),
        });
        return { vSwitchId: vswitch.id };
    },
});

function addVSwitch(
    context: ActionContext,
    vpc: Vpc,
    given: Pick<VSwitch, "zoneId" | "cidr" | "name" | "description" | "tags" | "isDefault" | "ipv6Cidr">,
): VSwitch {
    const vswitch: VSwitch = {
        ...given,
        id: context.store.newId("vsw"),
        regionId: context.regionId,
        createdAt: context.now,
        resourceGroupId: vpc.resourceGroupId,
        vpcId: vpc.id,
        routeTableId: systemTableOf(context, vpc.id).id,
    };
    context.store.state.vswitches[vswitch.id] = vswitch;
    return vswitch;
}

function checkZone(context: ActionContext, zoneId: string | undefined): void {
    if (!findRegion(context.regionId)?.zones.some(({ id }) => id === zoneId))
        throw notFound("InvalidZoneId.NotFound", "The specified zone does not exist in the region.");
}

function vswitchesOf({ store }: ActionContext, vpcId: string): VSwitch[] {
    return Object.values(store.state.vswitches).filter((vswitch) => vswitch.vpcId === vpcId);
}

function rangesOf(vpc: Vpc): Cidr[] {
    return [vpc.cidr, ...vpc.secondaryCidrs].map((cidr) => parseCidr(cidr)!);
}

/** Whether a custom route leads to a part of the range or to all of it. */
function isInside(route: string, range: Cidr): boolean {
    const destination = parseCidr(route);
    return destination !== undefined && contains(range, destination);
}

/** The first range of a mask length that no VSwitch touches. */
function freeRange(vpc: Cidr, prefix: number, vswitches: readonly VSwitch[]): Cidr | undefined {
    const taken = vswitches.map(({ cidr }) => parseCidr(cidr)!);
    const size = 2 ** (32 - prefix);
    for (let first = vpc.first; first + size - 1 <= vpc.last; first += size) {
        const candidate: Cidr = { address: first, first, last: first + size - 1, prefix };
        if (!taken.some((other) => overlaps(other, candidate))) return candidate;
    }
    return undefined;
}

/** The IPv6 range for the number that a request gives; undefined when it gives none. */
function chooseIpv6(context: ActionContext, vpc: Vpc, index: number | undefined, except?: VSwitch): string | undefined {
    if (index === undefined) return undefined;
    if (vpc.ipv6Cidr === undefined) return refuse("OperationDenied.Ipv6NotEnabled", "IPv6 is not enabled for the VPC.");
    const cidr =
        Number.isInteger(index) && index >= 0 && index <= 255 ? ipv6CidrOfVSwitch(vpc.ipv6Cidr, index) : undefined;
    if (cidr === undefined) return refuse("InvalidIpv6CidrBlock.Malformed", "The IPv6 CIDR block is not valid.");
    if (vswitchesOf(context, vpc.id).some((other) => other !== except && other.ipv6Cidr === cidr))
        refuse("InvalidIpv6CidrBlock.Overlapped", "The IPv6 CIDR block is in use.");
    return cidr;
}

const describeVSwitches = vpcAction({
    name: "DescribeVSwitches",
    request: DescribeVSwitchesRequest,
    response: DescribeVSwitchesResponseBody,
    writes: false,
    handle: (request, context) => {
        const vswitches = inRegion(context.store.state.vswitches, context.regionId).filter(
            (vswitch) =>
                matches(request.vpcId, vswitch.vpcId) &&
                matchesAny(request.vSwitchId, vswitch.id) &&
                matches(request.zoneId, vswitch.zoneId) &&
                matches(request.vSwitchName, vswitch.name) &&
                matches(request.isDefault, vswitch.isDefault) &&
                matches(request.enableIpv6, vswitch.ipv6Cidr !== undefined) &&
                matches(request.routeTableId, vswitch.routeTableId) &&
                matches(request.resourceGroupId, vswitch.resourceGroupId) &&
                matches(request.vSwitchOwnerId, Number(context.accountId)) &&
                hasTags(vswitch, request.tag),
        );
        const { items, ...page } = paginate(vswitches, request);
        return { ...page, vSwitches: { vSwitch: items.map((vswitch) => vswitchView(context, vswitch)) } };
    },
});

const describeVSwitchAttributes = vpcAction({
    name: "DescribeVSwitchAttributes",
    request: DescribeVSwitchAttributesRequest,
    response: DescribeVSwitchAttributesResponseBody,
    required: ["VSwitchId"],
    writes: false,
    handle: ({ vSwitchId }, context) => {
        // The reference spells this code so for this action only.
        return vswitchView(context, vswitchOf(context, vSwitchId, "InvalidVswitchID.NotFound"));
    },
});

function vswitchView(context: ActionContext, vswitch: VSwitch) {
    const { state } = context.store;
    const cidr = parseCidr(vswitch.cidr)!;
    const taken = [...takenAddresses(state, vswitch.id)].filter((address) => isAssignable(cidr, address)).length;
    return {
        vSwitchId: vswitch.id,
        vSwitchName: vswitch.name,
        description: vswitch.description,
        vpcId: vswitch.vpcId,
        zoneId: vswitch.zoneId,
        cidrBlock: vswitch.cidr,
        enabledIpv6: vswitch.ipv6Cidr !== undefined,
        ipv6CidrBlock: vswitch.ipv6Cidr ?? "",
        status: "Available",
        creationTime: vswitch.createdAt,
        isDefault: vswitch.isDefault,
        availableIpAddressCount: assignableCount(cidr) - taken,
        resourceGroupId: vswitch.resourceGroupId,
        networkAclId: "",
        shareType: "",
        ownerId: Number(context.accountId),
        routeTable: {
            routeTableId: vswitch.routeTableId,
            routeTableType: state.routeTables[vswitch.routeTableId]?.kind ?? "System",
        },
        tags: tagsView(vswitch.tags),
    };
}

const modifyVSwitchAttribute = vpcAction({
    name: "ModifyVSwitchAttribute",
    request: ModifyVSwitchAttributeRequest,
    response: ModifyVSwitchAttributeResponseBody,
    required: ["VSwitchId"],
    writes: true,
    handle: (request, context) => {
        const vswitch = vswitchOf(context, request.vSwitchId);
        checkName(request.vSwitchName, "InvalidVSwitchName.Malformed");
        checkDescription(request.description, "InvalidVSwitchDiscription.Malformed");
        const ipv6Cidr =
            request.enableIPv6 === false
                ? undefined
                : chooseIpv6(
                      context,
                      context.store.state.vpcs[vswitch.vpcId]!,
                      request.ipv6CidrBlock ?? (request.enableIPv6 && vswitch.ipv6Cidr === undefined ? 0 : undefined),
                      vswitch,
                  );
        context.checked();

        if (request.vSwitchName !== undefined) vswitch.name = request.vSwitchName;
        if (request.description !== undefined) vswitch.description = request.description;
        if (ipv6Cidr !== undefined) vswitch.ipv6Cidr = ipv6Cidr;
        if (request.enableIPv6 === false) delete vswitch.ipv6Cidr;
        return {};
    },
});

const deleteVSwitch = vpcAction({
    name: "DeleteVSwitch",
    request: DeleteVSwitchRequest,
    response: DeleteVSwitchResponseBody,
    required: ["VSwitchId"],
    writes: true,
    handle: (request, context) => {
        const { state } = context.store;
        const vswitch = vswitchOf(context, request.vSwitchId);
        const dependency = (kind: string): never =>
            refuse(`DependencyViolation${kind}`, "Specified object has dependent resources.");
        if (Object.values(state.snatEntries).some(({ vswitchId }) => vswitchId === vswitch.id))
            dependency(".SnatEntry");
        if (Object.values(state.natGateways).some(({ vswitchId }) => vswitchId === vswitch.id))
            dependency(".EnhancedNatgw");
        if (Object.values(state.loadBalancers).some(({ vswitchId }) => vswitchId === vswitch.id)) dependency(".SLB");
        if (Object.values(state.haVips).some(({ vswitchId }) => vswitchId === vswitch.id)) dependency(".HaVip");
        if (
            Object.values(state.applicationBalancers).some(({ zones }) =>
                zones.some(({ vswitchId }) => vswitchId === vswitch.id),
            )
        )
            dependency(".ALB");
        if (
            Object.values(state.networkBalancers).some(({ zones }) =>
                zones.some(({ vswitchId }) => vswitchId === vswitch.id),
            )
        )
            dependency(".NLB");
        if (Object.values(state.mountTargets).some(({ vswitchId }) => vswitchId === vswitch.id)) dependency(".NAS");
        if (Object.values(state.instances).some(({ vswitchId }) => vswitchId === vswitch.id)) dependency("");
        if (Object.values(state.networkInterfaces).some(({ vswitchId }) => vswitchId === vswitch.id))
            dependency(".NetworkInterface");
        if (state.routeTables[vswitch.routeTableId]?.kind === "Custom") dependency(".RouteTable");
        context.checked();

        Reflect.deleteProperty(state.vswitches, vswitch.id);
        return {};
    },
});

export const vswitchActions: readonly Action[] = [
    createVSwitch,
    createDefaultVSwitch,
    describeVSwitches,
    describeVSwitchAttributes,
    modifyVSwitchAttribute,
    deleteVSwitch,
];
