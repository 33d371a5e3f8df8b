import { CreateRouteEntriesRequest } from "@alicloud/vpc20160428/dist/models/CreateRouteEntriesRequest";
import { CreateRouteEntriesResponseBody } from "@alicloud/vpc20160428/dist/models/CreateRouteEntriesResponseBody";
import { CreateRouteEntryRequest } from "@alicloud/vpc20160428/dist/models/CreateRouteEntryRequest";
import { CreateRouteEntryResponseBody } from "@alicloud/vpc20160428/dist/models/CreateRouteEntryResponseBody";
import { DeleteRouteEntriesRequest } from "@alicloud/vpc20160428/dist/models/DeleteRouteEntriesRequest";
import { DeleteRouteEntriesResponseBody } from "@alicloud/vpc20160428/dist/models/DeleteRouteEntriesResponseBody";
import { DeleteRouteEntryRequest } from "@alicloud/vpc20160428/dist/models/DeleteRouteEntryRequest";
import { DeleteRouteEntryResponseBody } from "@alicloud/vpc20160428/dist/models/DeleteRouteEntryResponseBody";
import { ListVpcPublishedRouteEntriesRequest } from "@alicloud/vpc20160428/dist/models/ListVpcPublishedRouteEntriesRequest";
import { ListVpcPublishedRouteEntriesResponseBody } from "@alicloud/vpc20160428/dist/models/ListVpcPublishedRouteEntriesResponseBody";
import { ModifyRouteEntryRequest } from "@alicloud/vpc20160428/dist/models/ModifyRouteEntryRequest";
import { ModifyRouteEntryResponseBody } from "@alicloud/vpc20160428/dist/models/ModifyRouteEntryResponseBody";
import { contains, formatCidr, isNetwork, parseCidr } from "../../model/addresses";
import type { RouteEntry, RouteTable } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { CloudError, missingParameter, notFound } from "../errors";
import { inRegion } from "../listing";
import { vpcAction } from "./action";
import { SERVICE_CIDR, checkDescription, checkName, refuse, valueOr } from "./checks";
import { haVipOf, instanceOf, natGatewayOf, networkInterfaceOf, routeTableOf } from "./lookup";
import { quotas } from "./quotas";

const nextHopTypes = [
    "Instance",
    "HaVip",
    "RouterInterface",
    "NetworkInterface",
    "VpnGateway",
    "IPv6Gateway",
    "NatGateway",
    "Attachment",
    "VpcPeer",
    "Ipv4Gateway",
    "GatewayEndpoint",
    "Ecr",
    "GatewayLoadBalancerEndpoint",
];

interface NewRoute {
    readonly cidr: string | undefined;
    readonly nextHopId: string | undefined;
    readonly nextHopType: string | undefined;
    readonly name: string | undefined;
    readonly description: string | undefined;
    /** Whether it may go before a part of the route to the cloud's services. */
    readonly withinServices: boolean;
}

/** The entry to add to a table, when it may be added. */
function checkedRoute(context: ActionContext, table: RouteTable, given: NewRoute): RouteEntry {
    if (!given.cidr) throw missingParameter("DestinationCidrBlock");
    // A destination without a mask is a host.
    const cidr = parseCidr(given.cidr.includes("/") ? given.cidr : `${given.cidr}/32`);
    if (!cidr || !isNetwork(cidr)) return refuse("InvalidCidrBlock.Malformed", "Specified CIDR block is not valid.");
    const destination = formatCidr(cidr);
    if (destination === SERVICE_CIDR || (!given.withinServices && contains(parseCidr(SERVICE_CIDR)!, cidr)))
        refuse("InvalidCidrBlock", "Specified CIDR block is not valid.");
    checkName(given.name, "InvalidName.Malformed");
    checkDescription(given.description, "InvalidDescription.Malformed");
    // The cloud takes an instance for what a route without a type leads to.
    const nextHopType = valueOr(given.nextHopType, "Instance");
    if (!given.nextHopId) throw missingParameter("NextHopId");
    checkNextHop(context, table, nextHopType, given.nextHopId);
    if (table.entries.some((entry) => entry.cidr === destination))
        refuse("RouterEntryConflict.Duplicated", "The specified route entry already exists.");
    const vswitches = Object.values(context.store.state.vswitches).filter(({ vpcId }) => vpcId === table.vpcId);
    if (vswitches.some((vswitch) => contains(parseCidr(vswitch.cidr)!, cidr)))
        refuse("InvalidCidrBlock", "Specified CIDR block is not valid.");
    if (table.entries.length >= quotas.routeEntriesPerTable)
        refuse("QuotaExceeded", "Route entry quota exceeded in this route table.");
    return {
        id: context.store.newId("rte"),
        name: given.name ?? "",
        description: given.description ?? "",
        cidr: destination,
        nextHopType,
        nextHopId: given.nextHopId,
    };
}

function checkNextHop(context: ActionContext, table: RouteTable, type: string, id: string): void {
    if (!nextHopTypes.includes(type)) refuse("InvalidNextHopType", 'Specified parameter "NextHopType" is not valid.');
    const vpcId = ((): string => {
        switch (type) {
            case "Instance":
                return instanceOf(context, id).vpcId;
            case "NetworkInterface":
                return networkInterfaceOf(
                    context,
                    id,
                    "InvalidNetworkInterface.NotFound",
                    "The specified networkInterface does not exist.",
                ).vpcId;
            case "HaVip":
                return haVipOf(context, id).vpcId;
            case "NatGateway":
                return natGatewayOf(context, id).vpcId;
            default:
                throw notFound("InvalidNextHopId.NotFound", "Specified next hop does not exist.");
        }
    })();
    if (vpcId === table.vpcId) return;
    if (type === "NetworkInterface")
        refuse(
            "Mismatch.EniIdAndRouteTableId",
            "The operation is not allowed because eni and route table not in same vpc.",
        );
    throw notFound(
        "OperationFailed.InstanceDismatchCurrentVpc",
        "The specified instance does not exist in current vpc.",
    );
}

const createRouteEntry = vpcAction({
    name: "CreateRouteEntry",
    request: CreateRouteEntryRequest,
    response: CreateRouteEntryResponseBody,
    required: ["RouteTableId", "DestinationCidrBlock"],
    writes: true,
    handle: async (request, context) => {
        const table = routeTableOf(context, request.routeTableId);
        const [hop, ...others] = request.nextHopList ?? [];
        if (others.length > 0) refuse("UnsupportedOperation", "The lab's routes have one next hop each.");
        const entry = checkedRoute(context, table, {
            cidr: request.destinationCidrBlock,
            nextHopId: request.nextHopId ?? hop?.nextHopId,
            nextHopType: request.nextHopType ?? hop?.nextHopType,
            name: request.routeEntryName,
            description: request.description,
            withinServices: true,
        });
        context.checked();
        table.entries.push(entry);
        await context.applied();
        return { routeEntryId: entry.id };
    },
});

const createRouteEntries = vpcAction({
    name: "CreateRouteEntries",
    request: CreateRouteEntriesRequest,
    response: CreateRouteEntriesResponseBody,
    required: ["RouteEntries"],
    writes: true,
    handle: async ({ routeEntries = [] }, context) => {
        // As they will be: each entry is checked beside those before it.
        const tables = new Map<string, RouteTable>();
        const { done: added, failed } = each(context, routeEntries, (route) => {
            const table = routeTableOf(context, route.routeTableId);
            const after = tables.get(table.id) ?? { ...table, entries: [...table.entries] };
            tables.set(table.id, after);
            const entry = checkedRoute(context, after, {
                cidr: route.dstCidrBlock,
                nextHopId: route.nextHop,
                nextHopType: route.nextHopType,
                name: route.name,
                description: route.description,
                // As the API reference has it: for batches alone.
                withinServices: false,
            });
            after.entries.push(entry);
            return { table, entry };
        });
        for (const { table, entry } of added) table.entries.push(entry);
        await context.applied();
        return {
            routeEntryIds: added.map(({ entry }) => entry.id),
            successCount: added.length,
            failedCount: failed.length,
            failedRouteEntries: failed.map(({ error, route }) => failure(error, route)),
        };
    },
});

/**
 * Checks the entries of a batch, which fail one by one; what is returned is for the change, which may begin then.
 * @throws CloudError of the first entry that fails, with `DryRun`
 */
function each<Route, Done>(
    context: ActionContext,
    routes: readonly Route[],
    check: (route: Route) => Done,
): { readonly done: Done[]; readonly failed: { readonly error: CloudError; readonly route: Route }[] } {
    const done: Done[] = [];
    const failed: { error: CloudError; route: Route }[] = [];
    for (const route of routes)
        try {
            done.push(check(route));
        } catch (error) {
            if (!(error instanceof CloudError)) throw error;
            failed.push({ error, route });
        }
    try {
        context.checked();
    } catch (passed) {
        if (failed[0]) throw failed[0].error;
        throw passed;
    }
    return { done, failed };
}

function failure(error: CloudError, route: { readonly dstCidrBlock?: string; readonly nextHop?: string }) {
    return {
        dstCidrBlock: route.dstCidrBlock ?? "",
        nextHop: route.nextHop ?? "",
        failedCode: error.code,
        failedMessage: error.message,
    };
}

interface KnownRoute {
    readonly tableId: string | undefined;
    readonly entryId: string | undefined;
    readonly cidr: string | undefined;
    readonly nextHopId: string | undefined;
}

/** A custom entry by its id, or by table and destination. */
function findRoute(context: ActionContext, asked: KnownRoute): { table: RouteTable; entry: RouteEntry } {
    const tables = asked.tableId
        ? [routeTableOf(context, asked.tableId)]
        : inRegion(context.store.state.routeTables, context.regionId);
    if (!asked.entryId && !asked.cidr) throw missingParameter("DestinationCidrBlock");
    const destination = asked.cidr && !asked.cidr.includes("/") ? `${asked.cidr}/32` : (asked.cidr ?? "");
    for (const table of tables) {
        const entry = table.entries.find(
            ({ id, cidr, nextHopId }) =>
                (asked.entryId ? id === asked.entryId : cidr === destination) &&
                (!asked.nextHopId || asked.nextHopId === nextHopId),
        );
        if (entry) return { table, entry };
    }
    if (tables.some((table) => systemCidrs(context, table).includes(destination)))
        refuse("OperationDenied", "Specified operation is denied as route entry type is system.");
    return refuse("InvalidRouteEntry.NotFound", "Route entry not exists.");
}

function systemCidrs({ store }: ActionContext, table: RouteTable): string[] {
    return [
        SERVICE_CIDR,
        ...Object.values(store.state.vswitches)
            .filter(({ vpcId }) => vpcId === table.vpcId)
            .map(({ cidr }) => cidr),
    ];
}

const deleteRouteEntry = vpcAction({
    name: "DeleteRouteEntry",
    request: DeleteRouteEntryRequest,
    response: DeleteRouteEntryResponseBody,
    writes: true,
    handle: async (request, context) => {
        const { table, entry } = findRoute(context, {
            tableId: request.routeTableId,
            entryId: request.routeEntryId,
            cidr: request.destinationCidrBlock,
            nextHopId: request.nextHopId ?? request.nextHopList?.[0]?.nextHopId,
        });
        context.checked();
        remove(table, entry);
        await context.applied();
        return {};
    },
});

function remove(table: RouteTable, entry: RouteEntry): void {
    table.entries = table.entries.filter((other) => other !== entry);
}

const deleteRouteEntries = vpcAction({
    name: "DeleteRouteEntries",
    request: DeleteRouteEntriesRequest,
    response: DeleteRouteEntriesResponseBody,
    required: ["RouteEntries"],
    writes: true,
    handle: async ({ routeEntries = [] }, context) => {
        const gone = new Set<RouteEntry>();
        const { done: found, failed } = each(context, routeEntries, (route) => {
            const known = findRoute(context, {
                tableId: route.routeTableId,
                entryId: route.routeEntryId,
                cidr: route.dstCidrBlock,
                nextHopId: route.nextHop,
            });
            if (gone.has(known.entry)) refuse("InvalidRouteEntry.NotFound", "Route entry not exists.");
            gone.add(known.entry);
            return known;
        });
        for (const { table, entry } of found) remove(table, entry);
        await context.applied();
        return {
            successCount: found.length,
            failedCount: failed.length,
            failedRouteEntries: failed.map(({ error, route }) => ({
                ...failure(error, route),
                routeEntryId: route.routeEntryId ?? "",
            })),
        };
    },
});

const modifyRouteEntry = vpcAction({
    name: "ModifyRouteEntry",
    request: ModifyRouteEntryRequest,
    response: ModifyRouteEntryResponseBody,
    writes: true,
    handle: async (request, context) => {
        const { table, entry } = findRoute(context, {
            tableId: request.routeTableId,
            entryId: request.routeEntryId,
            cidr: request.destinationCidrBlock,
            nextHopId: undefined,
        });
        checkName(request.routeEntryName, "InvalidName.Malformed");
        checkDescription(request.description, "InvalidDescription.Malformed");
        const { newNextHopId, newNextHopType = entry.nextHopType } = request;
        if (newNextHopId) checkNextHop(context, table, newNextHopType, newNextHopId);
        context.checked();

        if (request.routeEntryName !== undefined) entry.name = request.routeEntryName;
        if (request.description !== undefined) entry.description = request.description;
        if (newNextHopId) {
            entry.nextHopId = newNextHopId;
            entry.nextHopType = newNextHopType;
        }
        await context.applied();
        return {};
    },
});

// Nothing is published: there are no Express Connect Routers, which alone can be told of a VPC's routes.
const listVpcPublishedRouteEntries = vpcAction({
    name: "ListVpcPublishedRouteEntries",
    request: ListVpcPublishedRouteEntriesRequest,
    response: ListVpcPublishedRouteEntriesResponseBody,
    required: ["RouteTableId", "TargetType"],
    writes: false,
    handle: (request, context) => {
        routeTableOf(context, request.routeTableId);
        return { routeEntries: [], nextToken: "" };
    },
});

export const routeEntryActions: readonly Action[] = [
    createRouteEntry,
    createRouteEntries,
    deleteRouteEntry,
    deleteRouteEntries,
    modifyRouteEntry,
    listVpcPublishedRouteEntries,
];
