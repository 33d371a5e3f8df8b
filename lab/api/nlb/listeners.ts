import type { NlbListener, NlbListenerSettings, NlbProtocol, NlbServerGroup } from "../../model/nlb";
import { certificateOf } from "../../model/projectAlb";
import { addressOfNetworkServer } from "../../model/projectNlb";
import type { Action, ActionContext } from "../action";
import { model } from "../common/model";
import { missingParameter, notFound } from "../errors";
import { listenerCertificates } from "../listenerCertificates";
import { among, hasTags, inRegion, matches, paginateByToken, toTags } from "../listing";
import { nlbAction } from "./action";
import { checkTags, oneOf, refuse, valueOr, within } from "./checks";
import { finishedJob } from "./jobs";
import { balancerOf, listenerOf, listenersWhere, serverGroupOf } from "./lookup";
import { quotas } from "./quotas";

const tagFields = [{ Key: "string", Value: "string" }] as const;

const settingFields = {
    ListenerDescription: "string",
    ServerGroupId: "string",
    IdleTimeout: "number",
    SecurityPolicyId: "string",
    CertificateIds: ["string"],
    CaCertificateIds: ["string"],
    CaEnabled: "boolean",
    AlpnEnabled: "boolean",
    AlpnPolicy: "string",
    ProxyProtocolEnabled: "boolean",
    SecSensorEnabled: "boolean",
    Cps: "number",
    Mss: "number",
    ProxyProtocolV2Config: {
        Ppv2VpcIdEnabled: "boolean",
        Ppv2PrivateLinkEpIdEnabled: "boolean",
        Ppv2PrivateLinkEpsIdEnabled: "boolean",
    },
} as const;

interface AskedSettings {
    readonly serverGroupId?: string;
    readonly idleTimeout?: number;
    readonly securityPolicyId?: string;
    readonly certificateIds?: readonly string[];
    readonly caEnabled?: boolean;
    readonly alpnEnabled?: boolean;
    readonly alpnPolicy?: string;
    readonly proxyProtocolEnabled?: boolean;
    readonly proxyProtocolV2Config?: Readonly<Record<string, boolean>>;
    readonly secSensorEnabled?: boolean;
    readonly cps?: number;
    readonly mss?: number;
}

function initialSettings(protocol: NlbProtocol): NlbListenerSettings {
    return {
        serverGroupId: "",
        idleTimeout: protocol === "UDP" ? 20 : 900,
        proxyProtocol: false,
        cps: 0,
        mss: 0,
        secSensor: false,
        certificateIds: [],
        securityPolicyId: protocol === "TCPSSL" ? "tls_cipher_policy_1_0" : "",
        alpn: { enabled: false, policy: "" },
    };
}

/** What a request makes of a listener's settings: what it does not name stays. */
function settingsOf(
    context: ActionContext,
    protocol: NlbProtocol,
    vpcId: string,
    before: NlbListenerSettings,
    request: AskedSettings,
): NlbListenerSettings {
    const group = serverGroupOf(context, valueOr(request.serverGroupId, before.serverGroupId));
    // TLS ends at the balancer, which speaks to servers of either kind.
    const kinds: readonly NlbServerGroup["protocol"][] = [protocol, protocol === "TCPSSL" ? "TCP" : "TCP_UDP"];
    if (!kinds.includes(group.protocol))
        refuse("Conflict.Protocol", "The protocols of the listener and of the server group do not go together.");
    if (group.vpcId !== vpcId) refuse("Conflict.VpcId", "The load balancer and the server group have different VPCs.");
    if (request.caEnabled === true)
        refuse("UnsupportedOperation", "The lab's TCPSSL listeners ask clients for no certificate.");
    if (protocol === "UDP" && request.proxyProtocolEnabled === true)
        refuse("UnsupportedOperation", "The lab's UDP listeners don't tell servers the clients' addresses.");
    if (Object.values(request.proxyProtocolV2Config ?? {}).includes(true))
        refuse("UnsupportedOperation", "The lab's listeners tell servers of no VPC, endpoint or endpoint service.");
    const certificateIds = request.certificateIds?.length ? request.certificateIds : before.certificateIds;
    if (protocol === "TCPSSL") {
        if (certificateIds.length === 0) throw missingParameter("CertificateIds");
        for (const id of certificateIds)
            if (!certificateOf(context.store.state, id))
                throw notFound("ResourceNotFound.certificate", "The specified resource certificate is not found.");
    }
    const enabled = request.alpnEnabled ?? before.alpn.enabled;
    return {
        serverGroupId: group.id,
        idleTimeout: within(
            request.idleTimeout,
            protocol === "UDP" ? [1, 20] : [1, 900],
            "IdleTimeout",
            before.idleTimeout,
        ),
        proxyProtocol: request.proxyProtocolEnabled ?? before.proxyProtocol,
        cps: within(request.cps, [0, 1_000_000], "Cps", before.cps),
        mss: within(request.mss, [0, 1500], "Mss", before.mss),
        secSensor: request.secSensorEnabled ?? before.secSensor,
        certificateIds,
        securityPolicyId: valueOr(request.securityPolicyId, before.securityPolicyId),
        alpn: {
            enabled,
            policy: enabled
                ? oneOf<string>(
                      request.alpnPolicy,
                      ["HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred"],
                      "AlpnPolicy",
                      valueOr(before.alpn.policy, "HTTP1Only"),
                  )
                : "",
        },
    };
}

const createListener = nlbAction({
    name: "CreateListener",
    request: model({
        RegionId: "string",
        ClientToken: "string",
        LoadBalancerId: "string",
        ListenerProtocol: "string",
        ListenerPort: "number",
        StartPort: "number",
        EndPort: "number",
        Tag: tagFields,
        ...settingFields,
    }),
    response: model({ RequestId: "string", ListenerId: "string", JobId: "string" }),
    required: ["LoadBalancerId", "ListenerProtocol", "ListenerPort", "ServerGroupId"],
    writes: true,
    handle: async (request, context) => {
        const { store, now } = context;
        const balancer = balancerOf(context, request.loadBalancerId);
        const protocol = oneOf(request.listenerProtocol, ["TCP", "UDP", "TCPSSL"], "ListenerProtocol", "TCP");
        const port = within(request.listenerPort, [0, 65535], "ListenerPort", 0);
        if (port === 0 || request.startPort || request.endPort)
            refuse("UnsupportedOperation", "The lab's listeners have one port each.");
        checkTags(request.tag);
        const others = listenersWhere(context, ({ loadBalancerId }) => loadBalancerId === balancer.id);
        if (others.some((other) => other.port === port && (other.protocol === "UDP") === (protocol === "UDP")))
            refuse("Conflict.Port", "The specified port is used by a listener of the load balancer already.");
        if (others.length >= quotas.listenersPerBalancer)
            refuse("QuotaExceeded.ListenersNum", "The quota of listeners of a load balancer is exceeded.");
        const settings = settingsOf(context, protocol, balancer.vpcId, initialSettings(protocol), request);
        context.checked();
        // As in the cloud the id says where it listens. Clients split theirs at `:` and `_`.
        const id = `${store.newId("lsn")}@${port}`;
        store.state.nlbListeners[id] = {
            id,
            regionId: balancer.regionId,
            createdAt: now,
            name: "",
            description: request.listenerDescription ?? "",
            tags: toTags(request.tag),
            resourceGroupId: "",
            loadBalancerId: balancer.id,
            protocol,
            port,
            stopped: false,
            settings,
        };
        await context.applied();
        return { listenerId: id, jobId: finishedJob(context) };
    },
});

const viewFields = {
    ListenerId: "string",
    LoadBalancerId: "string",
    ListenerProtocol: "string",
    ListenerPort: "number",
    ListenerStatus: "string",
    RegionId: "string",
    // Text, unlike the port of a listener that has one.
    StartPort: "string",
    EndPort: "string",
    Tags: tagFields,
    ...settingFields,
} as const;

function view(listener: NlbListener) {
    const { settings } = listener;
    return {
        listenerId: listener.id,
        loadBalancerId: listener.loadBalancerId,
        listenerProtocol: listener.protocol,
        listenerPort: listener.port,
        listenerStatus: listener.stopped ? "Stopped" : "Running",
        regionId: listener.regionId,
        listenerDescription: listener.description,
        serverGroupId: settings.serverGroupId,
        idleTimeout: settings.idleTimeout,
        securityPolicyId: settings.securityPolicyId,
        certificateIds: [...settings.certificateIds],
        caCertificateIds: [],
        caEnabled: false,
        alpnEnabled: settings.alpn.enabled,
        alpnPolicy: settings.alpn.policy,
        proxyProtocolEnabled: settings.proxyProtocol,
        proxyProtocolV2Config: {
            ppv2VpcIdEnabled: false,
            ppv2PrivateLinkEpIdEnabled: false,
            ppv2PrivateLinkEpsIdEnabled: false,
        },
        secSensorEnabled: settings.secSensor,
        cps: settings.cps,
        mss: settings.mss,
        tags: Object.entries(listener.tags).map(([key, value]) => ({ key, value })),
    };
}

const getListenerAttribute = nlbAction({
    name: "GetListenerAttribute",
    request: model({ RegionId: "string", ClientToken: "string", ListenerId: "string" }),
    response: model({ RequestId: "string", ...viewFields }),
    required: ["ListenerId"],
    writes: false,
    handle: ({ listenerId }, context) => view(listenerOf(context, listenerId)),
});

const listListeners = nlbAction({
    name: "ListListeners",
    request: model({
        RegionId: "string",
        ListenerIds: ["string"],
        LoadBalancerIds: ["string"],
        ListenerProtocol: "string",
        Tag: tagFields,
        NextToken: "string",
        MaxResults: "number",
    }),
    response: model({
        RequestId: "string",
        Listeners: [viewFields],
        NextToken: "string",
        MaxResults: "number",
        TotalCount: "number",
    }),
    writes: false,
    handle: (request, context) => {
        const found = inRegion(context.store.state.nlbListeners, context.regionId).filter(
            (listener) =>
                among(request.listenerIds, listener.id) &&
                among(request.loadBalancerIds, listener.loadBalancerId) &&
                matches(request.listenerProtocol, listener.protocol) &&
                hasTags(listener, request.tag),
        );
        const { items, ...page } = paginateByToken(found, request, { default: 20, max: 100 });
        return { ...page, totalCount: found.length, listeners: items.map(view) };
    },
});

const listListenerCertificates = nlbAction({
    name: "ListListenerCertificates",
    request: model({
        RegionId: "string",
        ListenerId: "string",
        CertType: "string",
        CertificateIds: ["string"],
        NextToken: "string",
        MaxResults: "number",
    }),
    response: model({
        RequestId: "string",
        CertificateIds: ["string"],
        Certificates: [{ CertificateId: "string", CertificateType: "string", IsDefault: "boolean", Status: "string" }],
        NextToken: "string",
        MaxResults: "number",
        TotalCount: "number",
    }),
    required: ["ListenerId"],
    writes: false,
    handle: (request, context) => {
        const { certificateIds } = listenerOf(context, request.listenerId).settings;
        const listed = listenerCertificates(certificateIds, request, request.certType, 50);
        return { ...listed, certificateIds: listed.certificates.map(({ certificateId }) => certificateId) };
    },
});

const updateListenerAttribute = nlbAction({
    name: "UpdateListenerAttribute",
    request: model({ RegionId: "string", ClientToken: "string", ListenerId: "string", ...settingFields }),
    response: model({ RequestId: "string", JobId: "string" }),
    required: ["ListenerId"],
    writes: true,
    handle: async (request, context) => {
        const listener = listenerOf(context, request.listenerId);
        const { vpcId } = balancerOf(context, listener.loadBalancerId);
        const settings = settingsOf(context, listener.protocol, vpcId, listener.settings, request);
        context.checked();
        listener.settings = settings;
        listener.description = request.listenerDescription ?? listener.description;
        await context.applied();
        return { jobId: finishedJob(context) };
    },
});

/** An action that does something to one listener. */
function listenerAction(name: string, change: (context: ActionContext, listener: NlbListener) => void): Action {
    return nlbAction({
        name,
        request: model({ RegionId: "string", ClientToken: "string", ListenerId: "string" }),
        response: model({ RequestId: "string", JobId: "string" }),
        required: ["ListenerId"],
        writes: true,
        handle: async ({ listenerId }, context) => {
            const listener = listenerOf(context, listenerId);
            context.checked();
            change(context, listener);
            await context.applied();
            return { jobId: finishedJob(context) };
        },
    });
}

const getListenerHealthStatus = nlbAction({
    name: "GetListenerHealthStatus",
    request: model({ RegionId: "string", ListenerId: "string", NextToken: "string", MaxResults: "number" }),
    response: model({
        RequestId: "string",
        ListenerHealthStatus: [
            {
                ListenerId: "string",
                ListenerPort: "number",
                ListenerProtocol: "string",
                ServerGroupInfos: [
                    {
                        ServerGroupId: "string",
                        HeathCheckEnabled: "boolean",
                        NonNormalServers: [
                            {
                                ServerId: "string",
                                ServerIp: "string",
                                Port: "number",
                                Status: "string",
                                Reason: { ReasonCode: "string" },
                            },
                        ],
                    },
                ],
            },
        ],
        NextToken: "string",
        MaxResults: "number",
        TotalCount: "number",
    }),
    required: ["ListenerId"],
    writes: false,
    handle: async ({ listenerId }, context) => {
        const listener = listenerOf(context, listenerId);
        const group = serverGroupOf(context, listener.settings.serverGroupId);
        const known = (await context.health?.(listener.loadBalancerId)) ?? [];
        const servers = group.servers.flatMap((server) => {
            const address = addressOfNetworkServer(context.store.state, server)?.address ?? server.serverIp;
            const found = known.find(
                (one) => one.listenerId === listener.id && one.address === address && one.port === server.port,
            );
            if (found?.health === "up" || found?.health === "unchecked") return [];
            return [
                {
                    serverId: server.serverId,
                    serverIp: address,
                    port: server.port,
                    ...(found
                        ? { status: "Unhealthy", reason: { reasonCode: "CONNECT_TIMEOUT" } }
                        : { status: "Initial" }),
                },
            ];
        });
        return {
            listenerHealthStatus: [
                {
                    listenerId: listener.id,
                    listenerPort: listener.port,
                    listenerProtocol: listener.protocol,
                    serverGroupInfos: [
                        {
                            serverGroupId: group.id,
                            // The cloud spells this one so.
                            heathCheckEnabled: group.healthCheck.enabled,
                            nonNormalServers: servers,
                        },
                    ],
                },
            ],
            totalCount: 1,
        };
    },
});

export const listenerActions: readonly Action[] = [
    createListener,
    getListenerAttribute,
    listListeners,
    listListenerCertificates,
    updateListenerAttribute,
    listenerAction("StartListener", (_context, listener) => (listener.stopped = false)),
    listenerAction("StopListener", (_context, listener) => (listener.stopped = true)),
    listenerAction("DeleteListener", ({ store }, { id }) => Reflect.deleteProperty(store.state.nlbListeners, id)),
    getListenerHealthStatus,
];
