import { isIPv4 } from "node:net";
import type { NlbScheduler, NlbServer, NlbServerGroup } from "../../model/nlb";
import { addressOfNetworkServer } from "../../model/projectNlb";
import { ownsAddress } from "../../model/slb";
import type { Action, ActionContext } from "../action";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { model } from "../common/model";
import { missingParameter, notFound } from "../errors";
import { among, findInRegion, hasTags, inRegion, matches, paginateByToken, toTags } from "../listing";
import { nlbAction } from "./action";
import { checkName, checkTags, oneOf, refuse, refuseParameter, valueOr, within } from "./checks";
import { finishedJob } from "./jobs";
import { listenersWhere, serverGroupOf } from "./lookup";
import { quotas } from "./quotas";

const tagFields = [{ Key: "string", Value: "string" }] as const;

const checkFields = {
    HealthCheckEnabled: "boolean",
    HealthCheckType: "string",
    HealthCheckConnectPort: "number",
    HealthyThreshold: "number",
    UnhealthyThreshold: "number",
    HealthCheckConnectTimeout: "number",
    HealthCheckInterval: "number",
    HealthCheckDomain: "string",
    HealthCheckUrl: "string",
    HttpCheckMethod: "string",
    HealthCheckHttpCode: ["string"],
    HealthCheckReq: "string",
    HealthCheckExp: "string",
    HealthCheckHttpVersion: "string",
} as const;

interface AskedCheck {
    readonly healthCheckEnabled?: boolean;
    readonly healthCheckType?: string;
    readonly healthCheckConnectPort?: number;
    readonly healthyThreshold?: number;
    readonly unhealthyThreshold?: number;
    readonly healthCheckConnectTimeout?: number;
    readonly healthCheckInterval?: number;
    readonly healthCheckDomain?: string;
    readonly healthCheckUrl?: string;
    readonly httpCheckMethod?: string;
    readonly healthCheckHttpCode?: readonly string[];
    readonly healthCheckReq?: string;
    readonly healthCheckExp?: string;
    readonly healthCheckHttpVersion?: string;
}

const changeFields = {
    RegionId: "string",
    ClientToken: "string",
    ServerGroupName: "string",
    Scheduler: "string",
    ConnectionDrainEnabled: "boolean",
    ConnectionDrainTimeout: "number",
    PreserveClientIpEnabled: "boolean",
    HealthCheckConfig: checkFields,
} as const;

type Settings = Pick<NlbServerGroup, "scheduler" | "preserveClientIp" | "drain" | "healthCheck">;

/** A server group as it is before a client says anything about it. */
const initial: Settings = {
    scheduler: "Wrr",
    preserveClientIp: true,
    drain: { enabled: false, seconds: 0 },
    healthCheck: {
        enabled: true,
        type: "tcp",
        method: "get",
        uri: "/",
        domain: "",
        port: 0,
        codes: "http_2xx,http_3xx,http_4xx",
        healthyThreshold: 2,
        unhealthyThreshold: 2,
        timeout: 5,
        interval: 10,
        request: "",
        expected: "",
        httpVersion: "HTTP1.0",
    },
};

interface AskedSettings {
    readonly scheduler?: string;
    readonly connectionDrainEnabled?: boolean;
    readonly connectionDrainTimeout?: number;
    readonly preserveClientIpEnabled?: boolean;
    readonly healthCheckConfig?: AskedCheck;
}

function schedulersOf(protocol: NlbServerGroup["protocol"]): readonly NlbScheduler[] {
    const schedulers = ["Wrr", "Wlc", "Rr", "Sch", "Tch"] as const;
    // QUIC is made of datagrams.
    return protocol === "UDP" ? [...schedulers, "Qch"] : schedulers;
}

function settingsOf(before: Settings, protocol: NlbServerGroup["protocol"], request: AskedSettings): Settings {
    const enabled = request.connectionDrainEnabled ?? before.drain.enabled;
    return {
        scheduler: oneOf(request.scheduler, schedulersOf(protocol), "Scheduler", before.scheduler),
        preserveClientIp: request.preserveClientIpEnabled ?? before.preserveClientIp,
        drain: {
            enabled,
            seconds: within(request.connectionDrainTimeout, [0, 900], "ConnectionDrainTimeout", before.drain.seconds),
        },
        healthCheck: checkOf(before.healthCheck, protocol, request.healthCheckConfig ?? {}),
    };
}

/** Codes of HTTP statuses that a check may take for healthy. */
const codes: readonly string[] = ["http_2xx", "http_3xx", "http_4xx", "http_5xx"];

function checkOf(
    before: NlbServerGroup["healthCheck"],
    protocol: NlbServerGroup["protocol"],
    asked: AskedCheck,
): NlbServerGroup["healthCheck"] {
    const types = protocol === "UDP" ? (["TCP", "HTTP", "UDP"] as const) : (["TCP", "HTTP"] as const);
    const type = oneOf(
        asked.healthCheckType,
        types,
        "HealthCheckType",
        before.type.toUpperCase() as (typeof types)[number],
    );
    const uri = valueOr(asked.healthCheckUrl, before.uri);
    if (!/^\/[\w\-/.%?#&=~;!()*[\]@$^:',+]{0,79}$/.test(uri)) refuseParameter("HealthCheckUrl");
    const domain = asked.healthCheckDomain ?? before.domain;
    if (domain !== "$SERVER_IP" && !/^[\w.-]{0,80}$/.test(domain)) refuseParameter("HealthCheckDomain");
    const named = asked.healthCheckHttpCode ?? [];
    if (named.some((code) => !codes.includes(code))) refuseParameter("HealthCheckHttpCode");
    const text = (value: string | undefined, wireName: string, fallback: string): string =>
        (value ?? "").length <= 512 ? (value ?? fallback) : refuseParameter(wireName);
    return {
        enabled: asked.healthCheckEnabled ?? before.enabled,
        type: type.toLowerCase() as NlbServerGroup["healthCheck"]["type"],
        method: oneOf(asked.httpCheckMethod, ["head", "get"], "HttpCheckMethod", before.method),
        uri,
        domain,
        port: within(asked.healthCheckConnectPort, [0, 65535], "HealthCheckConnectPort", before.port),
        codes: named.length === 0 ? before.codes : named.join(","),
        healthyThreshold: within(asked.healthyThreshold, [2, 10], "HealthyThreshold", before.healthyThreshold),
        unhealthyThreshold: within(asked.unhealthyThreshold, [2, 10], "UnhealthyThreshold", before.unhealthyThreshold),
        timeout: within(asked.healthCheckConnectTimeout, [1, 300], "HealthCheckConnectTimeout", before.timeout),
        interval: within(asked.healthCheckInterval, [5, 50], "HealthCheckInterval", before.interval),
        request: text(asked.healthCheckReq, "HealthCheckReq", before.request),
        expected: text(asked.healthCheckExp, "HealthCheckExp", before.expected),
        httpVersion: oneOf(
            asked.healthCheckHttpVersion,
            ["HTTP1.0", "HTTP1.1"],
            "HealthCheckHttpVersion",
            before.httpVersion,
        ),
    };
}

const createServerGroup = nlbAction({
    name: "CreateServerGroup",
    request: model({
        ...changeFields,
        ServerGroupType: "string",
        AddressIPVersion: "string",
        VpcId: "string",
        Protocol: "string",
        AnyPortEnabled: "boolean",
        ResourceGroupId: "string",
        Tag: tagFields,
    }),
    response: model({ RequestId: "string", ServerGroupId: "string", JobId: "string" }),
    required: ["ServerGroupName", "VpcId"],
    writes: true,
    handle: (request, context) => {
        const { store, regionId, now } = context;
        checkName(request.serverGroupName, "ServerGroupName");
        checkTags(request.tag);
        if (!findInRegion(store.state.vpcs, regionId, request.vpcId))
            throw notFound("ResourceNotFound.Vpc", "The specified resource Vpc is not found.");
        if (oneOf(request.addressIPVersion, ["Ipv4", "DualStack"], "AddressIPVersion", "Ipv4") === "DualStack")
            refuse("UnsupportedOperation", "The lab's balancers have IPv4 addresses only.");
        if (request.anyPortEnabled === true) refuse("UnsupportedOperation", "The lab's listeners have one port each.");
        const protocol = oneOf(request.protocol, ["TCP", "UDP", "TCP_UDP", "TCPSSL"], "Protocol", "TCP");
        const type = oneOf(request.serverGroupType, ["Instance", "Ip"], "ServerGroupType", "Instance");
        const settings = settingsOf(initial, protocol, request);
        if (inRegion(store.state.nlbServerGroups, regionId).length >= quotas.serverGroups)
            refuse("QuotaExceeded.ServerGroupsNum", "The quota of server groups is exceeded.");
        context.checked();
        const id = store.newId("sgp");
        store.state.nlbServerGroups[id] = {
            id,
            regionId,
            createdAt: now,
            name: request.serverGroupName!,
            description: "",
            tags: toTags(request.tag),
            resourceGroupId: valueOr(request.resourceGroupId, DEFAULT_RESOURCE_GROUP_ID),
            type,
            vpcId: request.vpcId!,
            protocol,
            ...settings,
            servers: [],
        };
        return { serverGroupId: id, jobId: finishedJob(context) };
    },
});

const listServerGroups = nlbAction({
    name: "ListServerGroups",
    request: model({
        RegionId: "string",
        ServerGroupIds: ["string"],
        ServerGroupNames: ["string"],
        ServerGroupType: "string",
        VpcId: "string",
        ResourceGroupId: "string",
        Tag: tagFields,
        NextToken: "string",
        MaxResults: "number",
    }),
    response: model({
        RequestId: "string",
        ServerGroups: [
            {
                ServerGroupId: "string",
                ServerGroupName: "string",
                ServerGroupType: "string",
                ServerGroupStatus: "string",
                RegionId: "string",
                VpcId: "string",
                AddressIPVersion: "string",
                Protocol: "string",
                Scheduler: "string",
                AnyPortEnabled: "boolean",
                ConnectionDrainEnabled: "boolean",
                ConnectionDrainTimeout: "number",
                PreserveClientIpEnabled: "boolean",
                ResourceGroupId: "string",
                ServerCount: "number",
                RelatedLoadBalancerIds: ["string"],
                HealthCheck: checkFields,
                Tags: tagFields,
            },
        ],
        NextToken: "string",
        MaxResults: "number",
        TotalCount: "number",
    }),
    writes: false,
    handle: (request, context) => {
        const found = inRegion(context.store.state.nlbServerGroups, context.regionId).filter(
            (group) =>
                among(request.serverGroupIds, group.id) &&
                among(request.serverGroupNames, group.name) &&
                matches(request.serverGroupType, group.type) &&
                matches(request.vpcId, group.vpcId) &&
                matches(request.resourceGroupId, group.resourceGroupId) &&
                hasTags(group, request.tag),
        );
        const { items, ...page } = paginateByToken(found, request, { default: 20, max: 100 });
        return { ...page, totalCount: found.length, serverGroups: items.map((group) => view(context, group)) };
    },
});

function view(context: ActionContext, group: NlbServerGroup) {
    const { healthCheck: check } = group;
    const users = listenersWhere(context, ({ settings }) => settings.serverGroupId === group.id);
    return {
        serverGroupId: group.id,
        serverGroupName: group.name,
        serverGroupType: group.type,
        serverGroupStatus: "Available",
        regionId: group.regionId,
        vpcId: group.vpcId,
        addressIPVersion: "Ipv4",
        protocol: group.protocol,
        scheduler: group.scheduler,
        anyPortEnabled: false,
        connectionDrainEnabled: group.drain.enabled,
        connectionDrainTimeout: group.drain.seconds,
        preserveClientIpEnabled: group.preserveClientIp,
        resourceGroupId: group.resourceGroupId,
        serverCount: group.servers.length,
        relatedLoadBalancerIds: [...new Set(users.map(({ loadBalancerId }) => loadBalancerId))],
        healthCheck: {
            healthCheckEnabled: check.enabled,
            healthCheckType: check.type.toUpperCase(),
            healthCheckConnectPort: check.port,
            healthyThreshold: check.healthyThreshold,
            unhealthyThreshold: check.unhealthyThreshold,
            healthCheckConnectTimeout: check.timeout,
            healthCheckInterval: check.interval,
            healthCheckDomain: check.domain,
            healthCheckUrl: check.uri,
            httpCheckMethod: check.method.toUpperCase(),
            healthCheckHttpCode: check.codes.split(","),
            healthCheckReq: check.request,
            healthCheckExp: check.expected,
            healthCheckHttpVersion: check.httpVersion,
        },
        tags: Object.entries(group.tags).map(([key, value]) => ({ key, value })),
    };
}

const updateServerGroupAttribute = nlbAction({
    name: "UpdateServerGroupAttribute",
    request: model({ ServerGroupId: "string", ...changeFields }),
    response: model({ RequestId: "string", ServerGroupId: "string", JobId: "string" }),
    required: ["ServerGroupId"],
    writes: true,
    handle: async (request, context) => {
        const group = serverGroupOf(context, request.serverGroupId);
        checkName(request.serverGroupName, "ServerGroupName");
        const settings = settingsOf(group, group.protocol, request);
        context.checked();
        group.name = valueOr(request.serverGroupName, group.name);
        Object.assign(group, settings);
        await context.applied();
        return { serverGroupId: group.id, jobId: finishedJob(context) };
    },
});

const deleteServerGroup = nlbAction({
    name: "DeleteServerGroup",
    request: model({ RegionId: "string", ClientToken: "string", ServerGroupId: "string" }),
    response: model({ RequestId: "string", ServerGroupId: "string", JobId: "string" }),
    required: ["ServerGroupId"],
    writes: true,
    handle: ({ serverGroupId }, context) => {
        const group = serverGroupOf(context, serverGroupId);
        if (listenersWhere(context, ({ settings }) => settings.serverGroupId === group.id).length > 0)
            refuse("ResourceInUse.serverGroup", "The specified resource serverGroup is in use.");
        context.checked();
        Reflect.deleteProperty(context.store.state.nlbServerGroups, group.id);
        return { serverGroupId: group.id, jobId: finishedJob(context) };
    },
});

const serverFields = [
    {
        ServerId: "string",
        ServerType: "string",
        ServerIp: "string",
        Port: "number",
        Weight: "number",
        Description: "string",
    },
] as const;

interface AskedServer {
    readonly serverId?: string;
    readonly serverType?: string;
    readonly serverIp?: string;
    readonly port?: number;
    readonly weight?: number;
    readonly description?: string;
}

/** Whether a server of a group is the one that a request names. */
function isServer({ store }: ActionContext, server: NlbServer, asked: AskedServer): boolean {
    return (
        server.serverId === asked.serverId &&
        server.port === (asked.port ?? 0) &&
        ["", server.serverIp, addressOfNetworkServer(store.state, server)?.address].includes(asked.serverIp ?? "")
    );
}

function serverFrom(
    context: ActionContext,
    group: NlbServerGroup,
    others: readonly NlbServer[],
    asked: AskedServer,
): NlbServer {
    const { state } = context.store;
    if (!asked.serverId) throw missingParameter("Servers.ServerId");
    if (!asked.serverType) throw missingParameter("Servers.ServerType");
    const type = oneOf(asked.serverType, ["Ecs", "Eni", "Ip"], "ServerType", "Ecs");
    if ((type === "Ip") !== (group.type === "Ip")) refuseParameter("ServerType");
    const server: NlbServer = {
        serverId: asked.serverId,
        type,
        serverIp: asked.serverIp ?? "",
        port: within(asked.port, [1, 65535], "Port", 0) || refuseParameter("Port"),
        weight: within(asked.weight, [0, 100], "Weight", 100),
        description: asked.description ?? "",
    };
    const found = addressOfNetworkServer(state, server);
    if (!found) throw notFound("ResourceNotFound.BackendServer", "The specified resource BackendServer is not found.");
    if (found.vpcId !== "" && found.vpcId !== group.vpcId)
        refuse("Conflict.VpcId", "The backend server and the server group are not in the same VPC.");
    const isAddress = type === "Ip" ? isIPv4(found.address) : ownsAddress(state, server.serverId, found.address);
    if (!isAddress) refuseParameter("ServerIp");
    if (others.some((known) => isServer(context, known, { ...server, serverIp: found.address })))
        refuse("Conflict.BackendServer", "The specified backend server is in the server group already.");
    return server;
}

/** An action that makes a new list of servers out of a group's and those that the request names. */
function membership(
    name: string,
    change: (context: ActionContext, group: NlbServerGroup, asked: readonly AskedServer[]) => NlbServer[],
): Action {
    return nlbAction({
        name,
        request: model({
            RegionId: "string",
            ClientToken: "string",
            ServerGroupId: "string",
            Servers: serverFields,
        }),
        response: model({ RequestId: "string", ServerGroupId: "string", JobId: "string" }),
        required: ["ServerGroupId", "Servers"],
        writes: true,
        handle: async (request, context) => {
            const group = serverGroupOf(context, request.serverGroupId);
            const asked = request.servers ?? [];
            if (asked.length === 0 || asked.length > quotas.serversPerRequest) refuseParameter("Servers");
            const after = change(context, group, asked);
            if (after.length > quotas.serversPerGroup)
                refuse("QuotaExceeded.ServersNum", "The quota of servers of a server group is exceeded.");
            context.checked();
            group.servers = after;
            await context.applied();
            return { serverGroupId: group.id, jobId: finishedJob(context) };
        },
    });
}

const addServersToServerGroup = membership("AddServersToServerGroup", (context, group, asked) => {
    const after = [...group.servers];
    for (const one of asked) after.push(serverFrom(context, group, after, one));
    return after;
});

const removeServersFromServerGroup = membership("RemoveServersFromServerGroup", (context, group, asked) => {
    for (const one of asked) checkThere(context, group, one);
    return group.servers.filter((server) => !asked.some((one) => isServer(context, server, one)));
});

const updateServerGroupServersAttribute = membership("UpdateServerGroupServersAttribute", (context, group, asked) => {
    for (const one of asked) checkThere(context, group, one);
    return group.servers.map((server) => {
        const one = asked.find((candidate) => isServer(context, server, candidate));
        if (!one) return server;
        return {
            ...server,
            weight: within(one.weight, [0, 100], "Weight", server.weight),
            description: one.description ?? server.description,
        };
    });
});

function checkThere(context: ActionContext, group: NlbServerGroup, asked: AskedServer): void {
    if (!group.servers.some((server) => isServer(context, server, asked)))
        throw notFound("ResourceNotFound.BackendServer", "The specified resource BackendServer is not found.");
}

const listServerGroupServers = nlbAction({
    name: "ListServerGroupServers",
    request: model({
        RegionId: "string",
        ServerGroupId: "string",
        ServerIds: ["string"],
        ServerIps: ["string"],
        NextToken: "string",
        MaxResults: "number",
    }),
    response: model({
        RequestId: "string",
        Servers: [{ ...serverFields[0], ServerGroupId: "string", Status: "string", ZoneId: "string" }],
        NextToken: "string",
        MaxResults: "number",
        TotalCount: "number",
    }),
    writes: false,
    handle: (request, context) => {
        const { state } = context.store;
        const groups = request.serverGroupId
            ? [serverGroupOf(context, request.serverGroupId)]
            : inRegion(state.nlbServerGroups, context.regionId);
        const found = groups
            .flatMap((group) =>
                group.servers.map((server) => {
                    const place = addressOfNetworkServer(state, server);
                    return {
                        serverGroupId: group.id,
                        serverId: server.serverId,
                        serverType: server.type,
                        serverIp: place?.address ?? server.serverIp,
                        port: server.port,
                        weight: server.weight,
                        description: server.description,
                        status: "Available",
                        zoneId: place?.zoneId ?? "",
                    };
                }),
            )
            .filter(
                ({ serverId, serverIp }) => among(request.serverIds, serverId) && among(request.serverIps, serverIp),
            );
        const { items, ...page } = paginateByToken(found, request, { default: 20, max: 100 });
        return { ...page, totalCount: found.length, servers: [...items] };
    },
});

export const serverGroupActions: readonly Action[] = [
    createServerGroup,
    listServerGroups,
    updateServerGroupAttribute,
    deleteServerGroup,
    addServersToServerGroup,
    removeServersFromServerGroup,
    updateServerGroupServersAttribute,
    listServerGroupServers,
];
