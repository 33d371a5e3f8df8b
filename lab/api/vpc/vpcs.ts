import { AssociateVpcCidrBlockRequest } from "@alicloud/vpc20160428/dist/models/AssociateVpcCidrBlockRequest";
import { AssociateVpcCidrBlockResponseBody } from "@alicloud/vpc20160428/dist/models/AssociateVpcCidrBlockResponseBody";
import { CreateDefaultVpcRequest } from "@alicloud/vpc20160428/dist/models/CreateDefaultVpcRequest";
import { CreateDefaultVpcResponseBody } from "@alicloud/vpc20160428/dist/models/CreateDefaultVpcResponseBody";
import { CreateVpcRequest } from "@alicloud/vpc20160428/dist/models/CreateVpcRequest";
import { CreateVpcResponseBody } from "@alicloud/vpc20160428/dist/models/CreateVpcResponseBody";
import { DeleteVpcRequest } from "@alicloud/vpc20160428/dist/models/DeleteVpcRequest";
import { DeleteVpcResponseBody } from "@alicloud/vpc20160428/dist/models/DeleteVpcResponseBody";
import { DescribeVpcAttributeRequest } from "@alicloud/vpc20160428/dist/models/DescribeVpcAttributeRequest";
import { DescribeVpcAttributeResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeVpcAttributeResponseBody";
import { DescribeVpcsRequest } from "@alicloud/vpc20160428/dist/models/DescribeVpcsRequest";
import { DescribeVpcsResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeVpcsResponseBody";
import { DisableVpcClassicLinkRequest } from "@alicloud/vpc20160428/dist/models/DisableVpcClassicLinkRequest";
import { DisableVpcClassicLinkResponseBody } from "@alicloud/vpc20160428/dist/models/DisableVpcClassicLinkResponseBody";
import { EnableVpcClassicLinkRequest } from "@alicloud/vpc20160428/dist/models/EnableVpcClassicLinkRequest";
import { EnableVpcClassicLinkResponseBody } from "@alicloud/vpc20160428/dist/models/EnableVpcClassicLinkResponseBody";
import { ModifyVpcAttributeRequest } from "@alicloud/vpc20160428/dist/models/ModifyVpcAttributeRequest";
import { ModifyVpcAttributeResponseBody } from "@alicloud/vpc20160428/dist/models/ModifyVpcAttributeResponseBody";
import { UnassociateVpcCidrBlockRequest } from "@alicloud/vpc20160428/dist/models/UnassociateVpcCidrBlockRequest";
import { UnassociateVpcCidrBlockResponseBody } from "@alicloud/vpc20160428/dist/models/UnassociateVpcCidrBlockResponseBody";
import { contains, overlaps, parseCidr } from "../../model/addresses";
import type { Tags, Vpc } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { missingParameter, notFound } from "../errors";
import { hasTags, inRegion, matches, matchesAny, paginate, toTags } from "../listing";
import { vpcAction } from "./action";
import {
    SERVICE_CIDR,
    checkDescription,
    checkName,
    checkOneOf,
    checkTags,
    parseVpcCidr,
    refuse,
    valueOr,
} from "./checks";
import { createIpv6Cidr } from "./ipv6";
import { vpcOf } from "./lookup";
import { quotas } from "./quotas";
import { tagsView } from "./view";

const DEFAULT_CIDR = "172.16.0.0/12";

const createVpc = vpcAction({
    name: "CreateVpc",
    request: CreateVpcRequest,
    response: CreateVpcResponseBody,
    writes: true,
    handle: (request, context) => {
        const cidr = request.cidrBlock === undefined || request.cidrBlock === "" ? DEFAULT_CIDR : request.cidrBlock;
        parseVpcCidr(cidr);
        checkName(request.vpcName, "InvalidVpcName.Malformed");
        checkDescription(request.description, "InvalidVpcDiscription.Malformed");
        checkTags(request.tag);
        checkIsp(request.ipv6Isp);
        if (request.ipv4IpamPoolId)
            throw notFound("ResourceNotFound.IpamPool", "The dependent IPAM pool is not found.");
        const userCidrs = parseUserCidrs(request.userCidr);
        const vpc = addVpc(context, {
            cidr,
            userCidrs,
            name: request.vpcName ?? "",
            description: request.description ?? "",
            tags: toTags(request.tag),
            resourceGroupId: request.resourceGroupId,
            isDefault: false,
            dnsHostnames: request.enableDnsHostname ?? false,
            ...(request.enableIpv6 && {
                ipv6: { cidr: request.ipv6CidrBlock, isp: request.ipv6Isp },
            }),
        });
        return { ...created(context, vpc), resourceGroupId: vpc.resourceGroupId };
    },
});

const createDefaultVpc = vpcAction({
    name: "CreateDefaultVpc",
    request: CreateDefaultVpcRequest,
    response: CreateDefaultVpcResponseBody,
    writes: true,
    handle: (request, context) => {
        if (inRegion(context.store.state.vpcs, context.regionId).some(({ isDefault }) => isDefault))
            refuse("DefaultVpc.Exist", "The default VPC already exists in the region.");
        const vpc = addVpc(context, {
            cidr: DEFAULT_CIDR,
            userCidrs: [],
            name: "",
            description: "System created default VPC.",
            tags: {},
            resourceGroupId: request.resourceGroupId,
            isDefault: true,
            dnsHostnames: false,
            ...(request.enableIpv6 && { ipv6: { cidr: request.ipv6CidrBlock, isp: undefined } }),
        });
        return created(context, vpc);
    },
});

interface NewVpc {
    readonly cidr: string;
    readonly userCidrs: string[];
    readonly name: string;
    readonly description: string;
    readonly tags: Tags;
    readonly resourceGroupId: string | undefined;
    readonly isDefault: boolean;
    readonly dnsHostnames: boolean;
    readonly ipv6?: { readonly cidr: string | undefined; readonly isp: string | undefined };
}

/** Makes a VPC with its router and its system route table. */
function addVpc(context: ActionContext, { ipv6, resourceGroupId, ...given }: NewVpc): Vpc {
    const { store, regionId, now } = context;
    if (inRegion(store.state.vpcs, regionId).length >= quotas.vpcsPerRegion)
        refuse("QuotaExceeded.Vpc", "VPC quota exceeded.");
    context.checked();

    const vpc: Vpc = {
        ...given,
        id: store.newId("vpc"),
        regionId,
        createdAt: now,
        resourceGroupId: valueOr(resourceGroupId, DEFAULT_RESOURCE_GROUP_ID),
        secondaryCidrs: [],
        routerId: store.newId("vrt"),
        classicLink: false,
        ...(ipv6 && { ipv6Cidr: valueOr(ipv6.cidr, createIpv6Cidr()), ipv6Isp: valueOr(ipv6.isp, "BGP") }),
    };
    const table = store.newId("vtb");
    store.state.vpcs[vpc.id] = vpc;
    store.state.routeTables[table] = {
        id: table,
        regionId,
        createdAt: now,
        name: "",
        description: "",
        tags: {},
        resourceGroupId: vpc.resourceGroupId,
        vpcId: vpc.id,
        kind: "System",
        associateType: "VSwitch",
        routePropagation: true,
        entries: [],
    };
    return vpc;
}

function created(context: ActionContext, vpc: Vpc): { vpcId: string; VRouterId: string; routeTableId: string } {
    const [table] = tablesOf(context, vpc.id);
    return { vpcId: vpc.id, VRouterId: vpc.routerId, routeTableId: table!.id };
}

function checkIsp(isp: string | undefined): void {
    checkOneOf(isp, ["BGP", "ChinaMobile", "ChinaUnicom", "ChinaTelecom"], "Ipv6Isp", "IllegalParam.Ipv6Isp");
}

function parseUserCidrs(text: string | undefined): string[] {
    const cidrs = (text ?? "")
        .split(",")
        .map((cidr) => cidr.trim())
        .filter((cidr) => cidr !== "");
    if (cidrs.length > 3) refuse("InvalidUserCidr.Quota", "Specified UserCidr number is greater than 3.");
    for (const text of cidrs) {
        const cidr = parseCidr(text);
        if (!cidr) return refuse("InvalidParameter", "Specified UserCidr invalid format.");
        if (overlaps(cidr, parseCidr(SERVICE_CIDR)!))
            refuse("InvalidUserCidr.Malformed", "Specified UserCidr overlapping in of 100.64.0.0/10.");
    }
    return cidrs;
}

const describeVpcs = vpcAction({
    name: "DescribeVpcs",
    request: DescribeVpcsRequest,
    response: DescribeVpcsResponseBody,
    writes: false,
    handle: (request, context) => {
        const vpcs = inRegion(context.store.state.vpcs, context.regionId).filter(
            (vpc) =>
                matchesAny(request.vpcId, vpc.id) &&
                matches(request.vpcName, vpc.name) &&
                matches(request.isDefault, vpc.isDefault) &&
                matches(request.enableIpv6, vpc.ipv6Cidr !== undefined) &&
                matches(request.resourceGroupId, vpc.resourceGroupId) &&
                matches(request.dhcpOptionsSetId, "") &&
                matches(request.vpcOwnerId, Number(context.accountId)) &&
                hasTags(vpc, request.tag),
        );
        const { items, ...page } = paginate(vpcs, request);
        return {
            ...page,
            vpcs: {
                vpc: items.map((vpc) => ({
                    ...vpcView(context, vpc),
                    cenStatus: "",
                    ownerId: Number(context.accountId),
                    natGatewayIds: {
                        natGatewayIds: Object.values(context.store.state.natGateways)
                            .filter(({ vpcId }) => vpcId === vpc.id)
                            .map(({ id }) => id),
                    },
                    routerTableIds: { routerTableIds: tablesOf(context, vpc.id).map(({ id }) => id) },
                })),
            },
        };
    },
});

const describeVpcAttribute = vpcAction({
    name: "DescribeVpcAttribute",
    request: DescribeVpcAttributeRequest,
    response: DescribeVpcAttributeResponseBody,
    required: ["VpcId"],
    writes: false,
    handle: ({ vpcId }, context) => {
        const { state } = context.store;
        const vpc = vpcOf(context, vpcId);
        const count = (resources: Readonly<Record<string, { readonly vpcId: string }>>): number =>
            Object.values(resources).filter((resource) => resource.vpcId === vpc.id).length;
        return {
            ...vpcView(context, vpc),
            ownerId: Number(context.accountId),
            classicLinkEnabled: vpc.classicLink,
            supportIpv4Gateway: false,
            ipv4GatewayId: "",
            associatedCens: { associatedCen: [] },
            associatedPropagationSources: { associatedPropagationSources: [] },
            cloudResources: {
                cloudResourceSetType: [
                    { resourceType: "VRouter", resourceCount: 1 },
                    { resourceType: "VSwitch", resourceCount: count(state.vswitches) },
                    { resourceType: "RouteTable", resourceCount: count(state.routeTables) },
                    { resourceType: "NatGateway", resourceCount: count(state.natGateways) },
                    { resourceType: "SecurityGroup", resourceCount: count(state.securityGroups) },
                    { resourceType: "Instance", resourceCount: count(state.instances) },
                ].filter(({ resourceCount }) => resourceCount > 0),
            },
        };
    },
});

function tablesOf({ store }: ActionContext, vpcId: string) {
    return Object.values(store.state.routeTables).filter((table) => table.vpcId === vpcId);
}

function vpcView({ store }: ActionContext, vpc: Vpc) {
    return {
        vpcId: vpc.id,
        vpcName: vpc.name,
        description: vpc.description,
        regionId: vpc.regionId,
        creationTime: vpc.createdAt,
        status: "Available",
        cidrBlock: vpc.cidr,
        isDefault: vpc.isDefault,
        VRouterId: vpc.routerId,
        resourceGroupId: vpc.resourceGroupId,
        enabledIpv6: vpc.ipv6Cidr !== undefined,
        ipv6CidrBlock: vpc.ipv6Cidr ?? "",
        ipv6CidrBlocks: {
            ipv6CidrBlock:
                vpc.ipv6Cidr === undefined ? [] : [{ ipv6CidrBlock: vpc.ipv6Cidr, ipv6Isp: vpc.ipv6Isp ?? "BGP" }],
        },
        dnsHostnameStatus: vpc.dnsHostnames ? "ENABLED" : "DISABLED",
        dhcpOptionsSetId: "",
        dhcpOptionsSetStatus: "",
        secondaryCidrBlocks: { secondaryCidrBlock: vpc.secondaryCidrs },
        userCidrs: { userCidr: vpc.userCidrs },
        vSwitchIds: {
            vSwitchId: Object.values(store.state.vswitches)
                .filter(({ vpcId }) => vpcId === vpc.id)
                .map(({ id }) => id),
        },
        tags: tagsView(vpc.tags),
    };
}

const modifyVpcAttribute = vpcAction({
    name: "ModifyVpcAttribute",
    request: ModifyVpcAttributeRequest,
    response: ModifyVpcAttributeResponseBody,
    required: ["VpcId"],
    writes: true,
    handle: (request, context) => {
        const vpc = vpcOf(context, request.vpcId);
        checkName(request.vpcName, "InvalidVpcName.Malformed");
        checkDescription(request.description, "InvalidVpcDiscription.Malformed");
        checkIsp(request.ipv6Isp);
        const vswitches = Object.values(context.store.state.vswitches).filter(({ vpcId }) => vpcId === vpc.id);
        if (request.cidrBlock && request.cidrBlock !== vpc.cidr) {
            const next = parseVpcCidr(request.cidrBlock);
            const others = vpc.secondaryCidrs.map((cidr) => parseCidr(cidr)!);
            if (others.some((other) => overlaps(next, other)))
                refuse("InvalidCidrBlock.Overlapped", "Specified CIDR block is overlapped.");
            const kept = [next, ...others];
            if (!vswitches.every(({ cidr }) => kept.some((range) => contains(range, parseCidr(cidr)!))))
                refuse("DependencyViolation.VSwitch", "A VSwitch lies outside of the specified CIDR block.");
        }
        if (request.enableIPv6 === false && vswitches.some(({ ipv6Cidr }) => ipv6Cidr !== undefined))
            refuse("DependencyViolation.VSwitch", "IPv6 is still enabled for a VSwitch.");
        context.checked();

        if (request.vpcName !== undefined) vpc.name = request.vpcName;
        if (request.description !== undefined) vpc.description = request.description;
        if (request.cidrBlock) vpc.cidr = request.cidrBlock;
        if (request.enableDnsHostname !== undefined) vpc.dnsHostnames = request.enableDnsHostname;
        if (request.enableIPv6 === true && vpc.ipv6Cidr === undefined) {
            vpc.ipv6Cidr = valueOr(request.ipv6CidrBlock, createIpv6Cidr());
            vpc.ipv6Isp = valueOr(request.ipv6Isp, "BGP");
        } else if (request.enableIPv6 === false) {
            delete vpc.ipv6Cidr;
            delete vpc.ipv6Isp;
        }
        return {};
    },
});

const deleteVpc = vpcAction({
    name: "DeleteVpc",
    request: DeleteVpcRequest,
    response: DeleteVpcResponseBody,
    required: ["VpcId"],
    writes: true,
    handle: (request, context) => {
        const { state } = context.store;
        const vpc = vpcOf(context, request.vpcId);
        const used = (resources: Readonly<Record<string, { readonly vpcId: string }>>): boolean =>
            Object.values(resources).some(({ vpcId }) => vpcId === vpc.id);
        const dependency = (kind: string): never =>
            refuse(`DependencyViolation.${kind}`, `Specified object has dependent resources of type ${kind}.`);
        if (used(state.natGateways)) dependency("NatGateway");
        if (used(state.vswitches)) dependency("VSwitch");
        if (used(state.instances)) dependency("Instance");
        if (used(state.securityGroups)) dependency("SecurityGroup");
        const tables = tablesOf(context, vpc.id);
        if (tables.some(({ entries }) => entries.length > 0)) dependency("RouteEntry");
        if (request.forceDelete !== true && tables.some(({ kind }) => kind === "Custom")) dependency("RouteTable");
        context.checked();

        for (const { id } of tables) Reflect.deleteProperty(state.routeTables, id);
        Reflect.deleteProperty(state.vpcs, vpc.id);
        return {};
    },
});

const associateVpcCidrBlock = vpcAction({
    name: "AssociateVpcCidrBlock",
    request: AssociateVpcCidrBlockRequest,
    response: AssociateVpcCidrBlockResponseBody,
    required: ["VpcId"],
    writes: true,
    handle: (request, context) => {
        const vpc = vpcOf(context, request.vpcId);
        const { ipVersion = "IPV4", secondaryCidrBlock } = request;
        if (/^ipv6$/i.test(ipVersion)) {
            if (vpc.ipv6Cidr !== undefined)
                refuse("QuotaExceeded.IPv6CidrBlock", "The number of IPv6 CIDR blocks in the VPC exceeds the limit.");
            checkIsp(request.ipv6Isp);
            context.checked();
            vpc.ipv6Cidr = valueOr(request.IPv6CidrBlock, createIpv6Cidr());
            vpc.ipv6Isp = valueOr(request.ipv6Isp, "BGP");
            return { ipVersion: "IPV6", cidrBlock: vpc.ipv6Cidr };
        }
        if (!secondaryCidrBlock) throw missingParameter("SecondaryCidrBlock");
        if (vpc.secondaryCidrs.includes(secondaryCidrBlock))
            refuse("Duplicated.SecondaryCidrBlock", "The specified secondary CIDR block already exists.");
        const added = parseVpcCidr(secondaryCidrBlock, "InvalidCidrBlock.Malformed");
        if ([vpc.cidr, ...vpc.secondaryCidrs].some((cidr) => overlaps(parseCidr(cidr)!, added)))
            refuse("IllegalParam.SecondaryCidrBlock", "The specified secondary CIDR block overlaps with the VPC's.");
        if (vpc.secondaryCidrs.length >= quotas.secondaryCidrsPerVpc)
            refuse("QuotaExceeded.VpcMultiCidr", "The number of secondary CIDR blocks exceeds the quota.");
        context.checked();
        vpc.secondaryCidrs.push(secondaryCidrBlock);
        return { ipVersion: "IPV4", cidrBlock: secondaryCidrBlock };
    },
});

const unassociateVpcCidrBlock = vpcAction({
    name: "UnassociateVpcCidrBlock",
    request: UnassociateVpcCidrBlockRequest,
    response: UnassociateVpcCidrBlockResponseBody,
    required: ["VpcId"],
    writes: true,
    handle: (request, context) => {
        const vpc = vpcOf(context, request.vpcId);
        const vswitches = Object.values(context.store.state.vswitches).filter(({ vpcId }) => vpcId === vpc.id);
        const { secondaryCidrBlock, IPv6CidrBlock } = request;
        if (IPv6CidrBlock) {
            if (vpc.ipv6Cidr !== IPv6CidrBlock)
                refuse("InvalidIpv6CidrBlock.NotFound", "The specified IPv6 CIDR block does not exist.");
            if (vswitches.some(({ ipv6Cidr }) => ipv6Cidr !== undefined))
                refuse("DependencyViolation.VSwitch", "IPv6 is still enabled for a VSwitch.");
            context.checked();
            delete vpc.ipv6Cidr;
            delete vpc.ipv6Isp;
            return {};
        }
        if (!secondaryCidrBlock) throw missingParameter("SecondaryCidrBlock");
        if (!vpc.secondaryCidrs.includes(secondaryCidrBlock))
            refuse("InvalidSecondaryCidrBlock.NotFound", "The specified secondary CIDR block does not exist.");
        const removed = parseCidr(secondaryCidrBlock)!;
        if (vswitches.some(({ cidr }) => contains(removed, parseCidr(cidr)!)))
            refuse("DependencyViolation.VSwitch", "A VSwitch lies in the specified CIDR block.");
        context.checked();
        vpc.secondaryCidrs = vpc.secondaryCidrs.filter((cidr) => cidr !== secondaryCidrBlock);
        return {};
    },
});

const enableVpcClassicLink = vpcAction({
    name: "EnableVpcClassicLink",
    request: EnableVpcClassicLinkRequest,
    response: EnableVpcClassicLinkResponseBody,
    required: ["VpcId"],
    writes: true,
    handle: ({ vpcId }, context) => {
        const vpc = vpcOf(context, vpcId);
        context.checked();
        vpc.classicLink = true;
        return {};
    },
});

const disableVpcClassicLink = vpcAction({
    name: "DisableVpcClassicLink",
    request: DisableVpcClassicLinkRequest,
    response: DisableVpcClassicLinkResponseBody,
    required: ["VpcId"],
    writes: true,
    handle: ({ vpcId }, context) => {
        const vpc = vpcOf(context, vpcId);
        context.checked();
        vpc.classicLink = false;
        return {};
    },
});

export const vpcActions: readonly Action[] = [
    createVpc,
    createDefaultVpc,
    describeVpcs,
    describeVpcAttribute,
    modifyVpcAttribute,
    deleteVpc,
    associateVpcCidrBlock,
    unassociateVpcCidrBlock,
    enableVpcClassicLink,
    disableVpcClassicLink,
];
