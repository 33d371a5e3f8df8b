import { AddServersToServerGroupRequest } from "@alicloud/alb20200616/dist/models/AddServersToServerGroupRequest";
import { AddServersToServerGroupResponseBody } from "@alicloud/alb20200616/dist/models/AddServersToServerGroupResponseBody";
import { ListServerGroupServersRequest } from "@alicloud/alb20200616/dist/models/ListServerGroupServersRequest";
import { ListServerGroupServersResponseBody } from "@alicloud/alb20200616/dist/models/ListServerGroupServersResponseBody";
import { RemoveServersFromServerGroupRequest } from "@alicloud/alb20200616/dist/models/RemoveServersFromServerGroupRequest";
import { RemoveServersFromServerGroupResponseBody } from "@alicloud/alb20200616/dist/models/RemoveServersFromServerGroupResponseBody";
import { UpdateServerGroupServersAttributeRequest } from "@alicloud/alb20200616/dist/models/UpdateServerGroupServersAttributeRequest";
import { UpdateServerGroupServersAttributeResponseBody } from "@alicloud/alb20200616/dist/models/UpdateServerGroupServersAttributeResponseBody";
import type { AlbServer, AlbServerGroup } from "../../model/alb";
import { addressOfServer, ownsAddress } from "../../model/slb";
import type { Action, ActionContext } from "../action";
import { missingParameter, notFound } from "../errors";
import { among, paginateByToken } from "../listing";
import { albAction } from "./action";
import { oneOf, refuse, refuseParameter, refuseQuota, within } from "./checks";
import { beginJob } from "./jobs";
import { serverGroupOf } from "./lookup";
import { quotas } from "./quotas";

/** A server as a request names it. */
interface AskedServer {
    readonly serverId?: string;
    readonly serverIp?: string;
    readonly serverType?: string;
    readonly port?: number;
    readonly weight?: number;
    readonly description?: string;
}

/** Where a server is, in the model's words. */
export function placeOf({ store }: ActionContext, { serverId, serverIp, type }: AlbServer) {
    return addressOfServer(store.state, { serverId, serverIp, type: type === "Eni" ? "eni" : "ecs" });
}

function isServer(context: ActionContext, server: AlbServer, asked: AskedServer): boolean {
    return (
        server.serverId === asked.serverId &&
        (asked.port === undefined || server.port === asked.port) &&
        // A server that was added without its address is known by it all the same.
        ["", server.serverIp, placeOf(context, server)?.address].includes(asked.serverIp ?? "")
    );
}

function checkAsked(asked: readonly AskedServer[] | undefined): readonly AskedServer[] {
    if (!asked?.length) throw missingParameter("Servers");
    if (asked.length > quotas.serversPerRequest) refuseParameter("Servers");
    return asked;
}

/** The servers of a group that a request names. @throws CloudError for one that is not there */
function namedServers(context: ActionContext, group: AlbServerGroup, asked: readonly AskedServer[]) {
    return asked.map((one) => {
        const server = group.servers.find((candidate) => isServer(context, candidate, one));
        if (!server)
            throw notFound("ResourceNotFound.BackendServer", "The specified resource of BackendServer is not found.");
        return { server, one };
    });
}

function done(context: ActionContext, apiName: string, { id }: AlbServerGroup) {
    return { jobId: beginJob(context, apiName, { type: "servergroup", id }, context.now) };
}

const addServersToServerGroup = albAction({
    name: "AddServersToServerGroup",
    request: AddServersToServerGroupRequest,
    response: AddServersToServerGroupResponseBody,
    required: ["ServerGroupId", "Servers"],
    writes: true,
    handle: async (request, context) => {
        const group = serverGroupOf(context, request.serverGroupId);
        const after = [...group.servers];
        for (const asked of checkAsked(request.servers)) after.push(newServer(context, group, after, asked));
        if (after.length > quotas.serversPerGroup) refuseQuota("ServersNum");
        context.checked();
        group.servers = after;
        await context.applied();
        return done(context, "AddServersToServerGroup", group);
    },
});

function newServer(
    context: ActionContext,
    group: AlbServerGroup,
    others: readonly AlbServer[],
    asked: AskedServer,
): AlbServer {
    const server: AlbServer = {
        serverId: asked.serverId ?? "",
        type: oneOf(asked.serverType, ["Ecs", "Eni"], "ServerType", "Ecs"),
        serverIp: asked.serverIp ?? "",
        port: within(asked.port, [1, 65535], "Port", 80),
        weight: within(asked.weight, [0, 100], "Weight", 100),
        description: asked.description ?? "",
    };
    const place = placeOf(context, server);
    if (!place)
        throw notFound("ResourceNotFound.BackendServer", "The specified resource of BackendServer is not found.");
    if (place.vpcId !== group.vpcId)
        refuse("Mismatch.VpcIdAndServerId", "The server and the server group are not in the same VPC.");
    if (server.serverIp !== "" && !ownsAddress(context.store.state, server.serverId, server.serverIp))
        refuseParameter("ServerIp");
    if (others.some((known) => isServer(context, known, { ...server, serverIp: place.address })))
        refuse("ResourceAlreadyExist.BackendServer", "The specified resource of BackendServer already exists.");
    return server;
}

const removeServersFromServerGroup = albAction({
    name: "RemoveServersFromServerGroup",
    request: RemoveServersFromServerGroupRequest,
    response: RemoveServersFromServerGroupResponseBody,
    required: ["ServerGroupId", "Servers"],
    writes: true,
    handle: async (request, context) => {
        const group = serverGroupOf(context, request.serverGroupId);
        // One that was released is gone from its groups already, and nobody misses it.
        const gone = checkAsked(request.servers).flatMap((one) =>
            group.servers.filter((server) => isServer(context, server, one)),
        );
        context.checked();
        group.servers = group.servers.filter((server) => !gone.includes(server));
        await context.applied();
        return done(context, "RemoveServersFromServerGroup", group);
    },
});

const updateServerGroupServersAttribute = albAction({
    name: "UpdateServerGroupServersAttribute",
    request: UpdateServerGroupServersAttributeRequest,
    response: UpdateServerGroupServersAttributeResponseBody,
    required: ["ServerGroupId", "Servers"],
    writes: true,
    handle: async (request, context) => {
        const group = serverGroupOf(context, request.serverGroupId);
        const named = namedServers(context, group, checkAsked(request.servers));
        const weights = named.map(({ one, server }) => within(one.weight, [0, 100], "Weight", server.weight));
        context.checked();
        named.forEach(({ server, one }, index) => {
            server.weight = weights[index]!;
            server.description = one.description ?? server.description;
        });
        await context.applied();
        return done(context, "UpdateServerGroupServersAttribute", group);
    },
});

const listServerGroupServers = albAction({
    name: "ListServerGroupServers",
    request: ListServerGroupServersRequest,
    response: ListServerGroupServersResponseBody,
    writes: false,
    handle: (request, context) => {
        const groups = request.serverGroupId
            ? [serverGroupOf(context, request.serverGroupId)]
            : Object.values(context.store.state.albServerGroups);
        const found = groups.flatMap((group) =>
            group.servers
                .filter(({ serverId }) => among(request.serverIds, serverId))
                .map((server) => ({
                    serverGroupId: group.id,
                    serverId: server.serverId,
                    serverIp: placeOf(context, server)?.address ?? server.serverIp,
                    serverType: server.type,
                    port: server.port,
                    weight: server.weight,
                    description: server.description,
                    remoteIpEnabled: false,
                    status: "Available",
                })),
        );
        const { items, ...page } = paginateByToken(found, request, { default: 20, max: 100 });
        return { ...page, totalCount: found.length, servers: items };
    },
});

export const serverActions: readonly Action[] = [
    addServersToServerGroup,
    removeServersFromServerGroup,
    updateServerGroupServersAttribute,
    listServerGroupServers,
];
