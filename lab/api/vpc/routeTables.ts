import { AssociateRouteTableRequest } from "@alicloud/vpc20160428/dist/models/AssociateRouteTableRequest";
import { AssociateRouteTableResponseBody } from "@alicloud/vpc20160428/dist/models/AssociateRouteTableResponseBody";
import { CreateRouteTableRequest } from "@alicloud/vpc20160428/dist/models/CreateRouteTableRequest";
import { CreateRouteTableResponseBody } from "@alicloud/vpc20160428/dist/models/CreateRouteTableResponseBody";
import { DeleteRouteTableRequest } from "@alicloud/vpc20160428/dist/models/DeleteRouteTableRequest";
import { DeleteRouteTableResponseBody } from "@alicloud/vpc20160428/dist/models/DeleteRouteTableResponseBody";
import { DescribeRouteEntryListRequest } from "@alicloud/vpc20160428/dist/models/DescribeRouteEntryListRequest";
import { DescribeRouteEntryListResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeRouteEntryListResponseBody";
import { DescribeRouteTableListRequest } from "@alicloud/vpc20160428/dist/models/DescribeRouteTableListRequest";
import { DescribeRouteTableListResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeRouteTableListResponseBody";
import { DescribeRouteTablesRequest } from "@alicloud/vpc20160428/dist/models/DescribeRouteTablesRequest";
import { DescribeRouteTablesResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeRouteTablesResponseBody";
import { DescribeVRoutersRequest } from "@alicloud/vpc20160428/dist/models/DescribeVroutersRequest";
import { DescribeVRoutersResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeVroutersResponseBody";
import { GetVpcRouteEntrySummaryRequest } from "@alicloud/vpc20160428/dist/models/GetVpcRouteEntrySummaryRequest";
import { GetVpcRouteEntrySummaryResponseBody } from "@alicloud/vpc20160428/dist/models/GetVpcRouteEntrySummaryResponseBody";
import { ModifyRouteTableAttributesRequest } from "@alicloud/vpc20160428/dist/models/ModifyRouteTableAttributesRequest";
import { ModifyRouteTableAttributesResponseBody } from "@alicloud/vpc20160428/dist/models/ModifyRouteTableAttributesResponseBody";
import { ModifyVRouterAttributeRequest } from "@alicloud/vpc20160428/dist/models/ModifyVrouterAttributeRequest";
import { ModifyVRouterAttributeResponseBody } from "@alicloud/vpc20160428/dist/models/ModifyVrouterAttributeResponseBody";
import { UnassociateRouteTableRequest } from "@alicloud/vpc20160428/dist/models/UnassociateRouteTableRequest";
import { UnassociateRouteTableResponseBody } from "@alicloud/vpc20160428/dist/models/UnassociateRouteTableResponseBody";
import type { RouteEntry, RouteTable, Vpc } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { notFound } from "../errors";
import { hasTags, inRegion, matches, paginate, paginateByToken, toTags } from "../listing";
import { vpcAction } from "./action";
import { SERVICE_CIDR, checkDescription, checkName, checkOneOf, checkTags, refuse } from "./checks";
import { routeTableOf, systemTableOf, vpcOf, vswitchOf } from "./lookup";
import { quotas } from "./quotas";
import { tagsView } from "./view";

const createRouteTable = vpcAction({
    name: "CreateRouteTable",
    request: CreateRouteTableRequest,
    response: CreateRouteTableResponseBody,
    required: ["VpcId"],
    writes: true,
    handle: (request, context) => {
        const { store, regionId, now } = context;
        const vpc = vpcOf(context, request.vpcId);
        checkName(request.routeTableName, "InvalidRouteTableName.Malformed");
        checkDescription(request.description, "InvalidRouteTableDescription.Malformed");
        checkOneOf(request.associateType, ["VSwitch", "Gateway"], "AssociateType", "InvalidAssociateType");
        checkTags(request.tag);
        const custom = tablesOf(context, vpc.id).filter(({ kind }) => kind === "Custom");
        if (custom.length >= quotas.routeTablesPerVpc)
            refuse("QuotaExceeded.RouteTable", "Route table quota exceeded.");
        context.checked();

        const table: RouteTable = {
            id: store.newId("vtb"),
            regionId,
            createdAt: now,
            name: request.routeTableName ?? "",
            description: request.description ?? "",
            tags: toTags(request.tag),
            resourceGroupId: DEFAULT_RESOURCE_GROUP_ID,
            vpcId: vpc.id,
            kind: "Custom",
            associateType: request.associateType === "Gateway" ? "Gateway" : "VSwitch",
            routePropagation: true,
            entries: [],
        };
        store.state.routeTables[table.id] = table;
        return { routeTableId: table.id };
    },
});

function tablesOf({ store }: ActionContext, vpcId: string): RouteTable[] {
    return Object.values(store.state.routeTables).filter((table) => table.vpcId === vpcId);
}

const describeRouteTableList = vpcAction({
    name: "DescribeRouteTableList",
    request: DescribeRouteTableListRequest,
    response: DescribeRouteTableListResponseBody,
    writes: false,
    handle: (request, context) => {
        const { state } = context.store;
        const tables = inRegion(state.routeTables, context.regionId).filter(
            (table) =>
                matches(request.routerType, "VRouter") &&
                matches(request.routerId, vpcOfTable(context, table).routerId) &&
                matches(request.vpcId, table.vpcId) &&
                matches(request.routeTableId, table.id) &&
                matches(request.routeTableName, table.name) &&
                matches(request.routeTableType, table.kind) &&
                matches(request.resourceGroupId, table.resourceGroupId) &&
                hasTags(table, request.tag),
        );
        const { items, ...page } = paginate(tables, request);
        return {
            ...page,
            routerTableList: {
                routerTableListType: items.map((table) => ({
                    routeTableId: table.id,
                    routeTableName: table.name,
                    routeTableType: table.kind,
                    description: table.description,
                    associateType: table.associateType,
                    routePropagationEnable: table.routePropagation,
                    routerId: vpcOfTable(context, table).routerId,
                    routerType: "VRouter",
                    vpcId: table.vpcId,
                    status: "Available",
                    creationTime: table.createdAt,
                    resourceGroupId: table.resourceGroupId,
                    ownerId: Number(context.accountId),
                    vSwitchIds: { vSwitchId: associatedVSwitches(context, table) },
                    gatewayIds: { gatewayIds: [] },
                    tags: tagsView(table.tags),
                })),
            },
        };
    },
});

function vpcOfTable({ store }: ActionContext, table: RouteTable): Vpc {
    return store.state.vpcs[table.vpcId]!;
}

function associatedVSwitches({ store }: ActionContext, table: RouteTable): string[] {
    return Object.values(store.state.vswitches)
        .filter(({ routeTableId }) => routeTableId === table.id)
        .map(({ id }) => id);
}

/** An entry as clients see it, be it the client's own or one that the cloud keeps for the VPC. */
interface Route extends RouteEntry {
    readonly type: "Custom" | "System";
}

/** System routes first: one for each VSwitch of the VPC, and one for the cloud's services. */
function routesOf({ store }: ActionContext, table: RouteTable): Route[] {
    const system = (cidr: string, nextHopType: string): Route => ({
        id: `rte-${table.id.slice("vtb-".length)}-${cidr.replace(/[./]/g, "-")}`,
        name: "",
        description: nextHopType === "service" ? "Created with VPC by system." : "Created with VSwitch by system.",
        cidr,
        nextHopType,
        nextHopId: "",
        type: "System",
    });
    return [
        ...Object.values(store.state.vswitches)
            .filter(({ vpcId }) => vpcId === table.vpcId)
            .map(({ cidr }) => system(cidr, "local")),
        system(SERVICE_CIDR, "service"),
        ...table.entries.map((entry): Route => ({ ...entry, type: "Custom" })),
    ];
}

const describeRouteTables = vpcAction({
    name: "DescribeRouteTables",
    request: DescribeRouteTablesRequest,
    response: DescribeRouteTablesResponseBody,
    writes: false,
    handle: (request, context) => {
        const tables = inRegion(context.store.state.routeTables, context.regionId).filter((table) => {
            const { routerId } = vpcOfTable(context, table);
            return (
                matches(request.routeTableId, table.id) &&
                matches(request.routeTableName, table.name) &&
                matches(request.VRouterId, routerId) &&
                matches(request.routerId, routerId) &&
                matches(request.routerType, "VRouter") &&
                matches(request.resourceGroupId, table.resourceGroupId)
            );
        });
        const { items, ...page } = paginate(tables, request);
        return {
            ...page,
            routeTables: {
                routeTable: items.map((table) => ({
                    routeTableId: table.id,
                    routeTableType: table.kind,
                    VRouterId: vpcOfTable(context, table).routerId,
                    status: "Available",
                    creationTime: table.createdAt,
                    resourceGroupId: table.resourceGroupId,
                    vSwitchIds: { vSwitchId: associatedVSwitches(context, table) },
                    routeEntrys: {
                        routeEntry: routesOf(context, table)
                            .filter(({ type }) => matches(request.type, type))
                            .map((route) => ({
                                routeEntryId: route.id,
                                routeEntryName: route.name,
                                description: route.description,
                                routeTableId: table.id,
                                destinationCidrBlock: route.cidr,
                                type: route.type,
                                status: "Available",
                                instanceId: route.nextHopId,
                                nextHopType: route.nextHopType,
                                nextHops: { nextHop: [] },
                            })),
                    },
                })),
            },
        };
    },
});

const describeRouteEntryList = vpcAction({
    name: "DescribeRouteEntryList",
    request: DescribeRouteEntryListRequest,
    response: DescribeRouteEntryListResponseBody,
    required: ["RouteTableId"],
    writes: false,
    handle: (request, context) => {
        const table = routeTableOf(context, request.routeTableId);
        const routes = routesOf(context, table).filter(
            (route) =>
                matches(request.routeEntryId, route.id) &&
                matches(request.routeEntryName, route.name) &&
                matches(request.routeEntryType, route.type) &&
                matches(request.destinationCidrBlock, route.cidr) &&
                (!request.destCidrBlockList?.length || request.destCidrBlockList.includes(route.cidr)) &&
                matches(request.nextHopId, route.nextHopId) &&
                matches(request.nextHopType, route.nextHopType) &&
                matches(request.ipVersion?.toLowerCase(), "ipv4") &&
                matches(request.serviceType, ""),
        );
        const { maxResult, nextToken } = request;
        const page = paginateByToken(
            routes,
            {
                ...(maxResult !== undefined && { maxResults: maxResult }),
                ...(nextToken !== undefined && { nextToken }),
            },
            { default: 50, max: 500 },
        );
        return {
            totalCount: routes.length,
            nextToken: page.nextToken ?? "",
            routeEntrys: {
                routeEntry: page.items.map((route) => ({
                    routeEntryId: route.id,
                    routeEntryName: route.name,
                    description: route.description,
                    routeTableId: table.id,
                    destinationCidrBlock: route.cidr,
                    ipVersion: "ipv4",
                    type: route.type,
                    status: "Available",
                    gmtModified: table.createdAt,
                    nextHops: {
                        nextHop: [
                            {
                                nextHopId: route.nextHopId,
                                nextHopType: route.nextHopType,
                                nextHopRegionId: table.regionId,
                                enabled: 1,
                                weight: 0,
                            },
                        ],
                    },
                })),
            },
        };
    },
});

const getVpcRouteEntrySummary = vpcAction({
    name: "GetVpcRouteEntrySummary",
    request: GetVpcRouteEntrySummaryRequest,
    response: GetVpcRouteEntrySummaryResponseBody,
    required: ["VpcId"],
    writes: false,
    handle: (request, context) => {
        const vpc = vpcOf(context, request.vpcId);
        return {
            routeEntrySummarys: tablesOf(context, vpc.id)
                .filter(({ id }) => matches(request.routeTableId, id))
                .map((table) => {
                    const routes = routesOf(context, table);
                    return {
                        routeTableId: table.id,
                        entrySummarys: ["System", "Custom"]
                            .filter((type) => matches(request.routeEntryType, type))
                            .map((routeEntryType) => ({
                                routeEntryType,
                                count: routes.filter(({ type }) => type === routeEntryType).length,
                            })),
                    };
                }),
        };
    },
});

const describeVRouters = vpcAction({
    name: "DescribeVRouters",
    request: DescribeVRoutersRequest,
    response: DescribeVRoutersResponseBody,
    writes: false,
    handle: (request, context) => {
        const vpcs = inRegion(context.store.state.vpcs, context.regionId).filter(({ routerId }) =>
            matches(request.VRouterId, routerId),
        );
        const { items, ...page } = paginate(vpcs, request);
        return {
            ...page,
            VRouters: {
                VRouter: items.map((vpc) => ({
                    VRouterId: vpc.routerId,
                    VRouterName: vpc.routerName ?? "",
                    description: vpc.routerDescription ?? "",
                    regionId: vpc.regionId,
                    vpcId: vpc.id,
                    creationTime: vpc.createdAt,
                    routeTableIds: { routeTableId: tablesOf(context, vpc.id).map(({ id }) => id) },
                })),
            },
        };
    },
});

const modifyVRouterAttribute = vpcAction({
    name: "ModifyVRouterAttribute",
    request: ModifyVRouterAttributeRequest,
    response: ModifyVRouterAttributeResponseBody,
    required: ["VRouterId"],
    writes: true,
    handle: (request, context) => {
        const vpc = inRegion(context.store.state.vpcs, context.regionId).find(
            ({ routerId }) => routerId === request.VRouterId,
        );
        if (!vpc) throw notFound("InvalidVRouterId.NotFound", "Specified VRouter does not exist.");
        checkName(request.VRouterName, "InvalidVRouterName.Malformed");
        checkDescription(request.description, "InvalidVRouterDescription.Malformed");
        context.checked();
        if (request.VRouterName !== undefined) vpc.routerName = request.VRouterName;
        if (request.description !== undefined) vpc.routerDescription = request.description;
        return {};
    },
});

const modifyRouteTableAttributes = vpcAction({
    name: "ModifyRouteTableAttributes",
    request: ModifyRouteTableAttributesRequest,
    response: ModifyRouteTableAttributesResponseBody,
    required: ["RouteTableId"],
    writes: true,
    handle: (request, context) => {
        const table = routeTableOf(context, request.routeTableId);
        checkName(request.routeTableName, "InvalidRouteTableName.Malformed");
        checkDescription(request.description, "InvalidRouteTableDescription.Malformed");
        context.checked();
        if (request.routeTableName !== undefined) table.name = request.routeTableName;
        if (request.description !== undefined) table.description = request.description;
        if (request.routePropagationEnable !== undefined) table.routePropagation = request.routePropagationEnable;
        return {};
    },
});

const deleteRouteTable = vpcAction({
    name: "DeleteRouteTable",
    request: DeleteRouteTableRequest,
    response: DeleteRouteTableResponseBody,
    required: ["RouteTableId"],
    writes: true,
    handle: ({ routeTableId }, context) => {
        const table = routeTableOf(context, routeTableId);
        if (table.kind === "System")
            refuse(
                "IncorrectRouteTableType",
                "Route table can be deleted by this action only when it's type is custom.",
            );
        if (associatedVSwitches(context, table).length > 0)
            refuse("DependencyViolation.VSwitch", "The route table is still associated with a VSwitch.");
        if (table.entries.length > 0)
            refuse(
                "IncorrectRouteTableStatus.RouteEntryExist",
                "You cannot delete the specified route table because it still has custom route entry.",
            );
        context.checked();
        Reflect.deleteProperty(context.store.state.routeTables, table.id);
        return {};
    },
});

const associateRouteTable = vpcAction({
    name: "AssociateRouteTable",
    request: AssociateRouteTableRequest,
    response: AssociateRouteTableResponseBody,
    required: ["RouteTableId", "VSwitchId"],
    writes: true,
    handle: async ({ routeTableId, vSwitchId }, context) => {
        const table = routeTableOf(context, routeTableId);
        const vswitch = vswitchOf(context, vSwitchId);
        if (table.vpcId !== vswitch.vpcId)
            throw notFound(
                "Forbidden.NotInSameVpc",
                "The specified virtual switch and route table are not in the same VPC.",
            );
        if (table.associateType !== "VSwitch")
            refuse(
                "OperationDenied.AssociateGatewayRouteTable",
                "The operation is not allowed because gateway route tables cannot be bound to a vSwitch.",
            );
        if (table.kind === "System")
            refuse(
                "OperationDenied.SwitchToSystemRouteTable",
                "The associated route tables cannot be directly changed to system route tables.",
            );
        if (context.store.state.routeTables[vswitch.routeTableId]?.kind === "Custom")
            refuse("ResourceAlreadyAssociated.RouteTable", "The resource has already associated with a routetable.");
        context.checked();
        vswitch.routeTableId = table.id;
        await context.applied();
        return {};
    },
});

const unassociateRouteTable = vpcAction({
    name: "UnassociateRouteTable",
    request: UnassociateRouteTableRequest,
    response: UnassociateRouteTableResponseBody,
    required: ["RouteTableId", "VSwitchId"],
    writes: true,
    handle: async ({ routeTableId, vSwitchId }, context) => {
        const table = routeTableOf(context, routeTableId);
        const vswitch = vswitchOf(context, vSwitchId);
        if (table.kind === "System" || vswitch.routeTableId !== table.id)
            refuse("OperationDenied.RouteTableNotAssociated", "The route table is not associated with the VSwitch.");
        context.checked();
        vswitch.routeTableId = systemTableOf(context, vswitch.vpcId).id;
        await context.applied();
        return {};
    },
});

export const routeTableActions: readonly Action[] = [
    createRouteTable,
    describeRouteTableList,
    describeRouteTables,
    describeRouteEntryList,
    getVpcRouteEntrySummary,
    describeVRouters,
    modifyVRouterAttribute,
    modifyRouteTableAttributes,
    deleteRouteTable,
    associateRouteTable,
    unassociateRouteTable,
];
