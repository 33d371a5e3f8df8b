import { CreateListenerRequest } from "@alicloud/alb20200616/dist/models/CreateListenerRequest";
import { CreateListenerResponseBody } from "@alicloud/alb20200616/dist/models/CreateListenerResponseBody";
import { DeleteListenerRequest } from "@alicloud/alb20200616/dist/models/DeleteListenerRequest";
import { DeleteListenerResponseBody } from "@alicloud/alb20200616/dist/models/DeleteListenerResponseBody";
import { GetListenerAttributeRequest } from "@alicloud/alb20200616/dist/models/GetListenerAttributeRequest";
import { GetListenerAttributeResponseBody } from "@alicloud/alb20200616/dist/models/GetListenerAttributeResponseBody";
import { ListListenerCertificatesRequest } from "@alicloud/alb20200616/dist/models/ListListenerCertificatesRequest";
import { ListListenerCertificatesResponseBody } from "@alicloud/alb20200616/dist/models/ListListenerCertificatesResponseBody";
import { ListListenersRequest } from "@alicloud/alb20200616/dist/models/ListListenersRequest";
import { ListListenersResponseBody } from "@alicloud/alb20200616/dist/models/ListListenersResponseBody";
import { StartListenerRequest } from "@alicloud/alb20200616/dist/models/StartListenerRequest";
import { StartListenerResponseBody } from "@alicloud/alb20200616/dist/models/StartListenerResponseBody";
import { StopListenerRequest } from "@alicloud/alb20200616/dist/models/StopListenerRequest";
import { StopListenerResponseBody } from "@alicloud/alb20200616/dist/models/StopListenerResponseBody";
import { UpdateListenerAttributeRequest } from "@alicloud/alb20200616/dist/models/UpdateListenerAttributeRequest";
import { UpdateListenerAttributeResponseBody } from "@alicloud/alb20200616/dist/models/UpdateListenerAttributeResponseBody";
import type { AlbListener } from "../../model/alb";
import { certificateOf } from "../../model/projectAlb";
import type { Action, ActionContext } from "../action";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { missingParameter, notFound } from "../errors";
import { listenerCertificates } from "../listenerCertificates";
import { among, hasTags, matches, paginateByToken, toTags } from "../listing";
import { albAction } from "./action";
import { checkTags, oneOf, refuse, refuseParameter, refuseQuota, within } from "./checks";
import { beginJob, changing, statusOf } from "./jobs";
import { balancerOf, listenerOf, listenersOf, rulesOf, serverGroupOf, settledListenerOf } from "./lookup";
import { quotas } from "./quotas";
import { tagsView } from "./view";

type Settings = Pick<
    AlbListener,
    | "description"
    | "serverGroupId"
    | "gzip"
    | "http2"
    | "idleTimeout"
    | "requestTimeout"
    | "certificateIds"
    | "securityPolicyId"
    | "forwarded"
>;

/** The parts of a request that set up a listener. */
interface AskedSettings {
    readonly listenerDescription?: string;
    readonly gzipEnabled?: boolean;
    readonly http2Enabled?: boolean;
    readonly idleTimeout?: number;
    readonly requestTimeout?: number;
    readonly securityPolicyId?: string;
    readonly caEnabled?: boolean;
    readonly quicConfig?: { readonly quicUpgradeEnabled?: boolean };
    readonly certificates?: readonly { readonly certificateId?: string }[];
    readonly defaultActions?: readonly {
        readonly type?: string;
        readonly forwardGroupConfig?: {
            readonly serverGroupTuples?: readonly { readonly serverGroupId?: string }[];
        };
    }[];
    readonly XForwardedForConfig?: Partial<AlbListener["forwarded"]>;
}

const policies = ["1_0", "1_1", "1_2", "1_2_strict", "1_2_strict_with_1_3"].map((name) => `tls_cipher_policy_${name}`);

/** A listener as it is before a client says anything about it. */
function initialSettings(protocol: AlbListener["protocol"]): Settings {
    return {
        description: "",
        serverGroupId: "",
        gzip: true,
        http2: protocol === "HTTPS",
        idleTimeout: 15,
        requestTimeout: 60,
        certificateIds: [],
        securityPolicyId: protocol === "HTTPS" ? "tls_cipher_policy_1_0" : "",
        forwarded: {
            XForwardedForEnabled: true,
            XForwardedForProtoEnabled: false,
            XForwardedForSLBIdEnabled: false,
            XForwardedForSLBPortEnabled: false,
            XForwardedForClientSrcPortEnabled: false,
        },
    };
}

/** What is asked of a switch that a client leaves alone. */
const harmless: readonly unknown[] = [undefined, false, "", "append"];

/** Settings after a request. */
function changedSettings(
    context: ActionContext,
    { protocol, vpcId }: { readonly protocol: AlbListener["protocol"]; readonly vpcId: string },
    before: Settings,
    asked: AskedSettings,
): Settings {
    if (asked.caEnabled === true) refuse("UnsupportedOperation", "The lab's ALB asks clients for no certificate.");
    if (asked.quicConfig?.quicUpgradeEnabled === true) refuse("UnsupportedOperation", "The lab has no QUIC.");
    const https = protocol === "HTTPS";
    const certificateIds = asked.certificates?.map(({ certificateId }) => certificateId ?? "") ?? before.certificateIds;
    if (https && certificateIds.length !== 1) throw missingParameter("Certificates");
    if (!https && certificateIds.length > 0) refuseParameter("Certificates");
    for (const id of certificateIds)
        if (!certificateOf(context.store.state, id))
            throw notFound("ResourceNotFound.Certificate", "The specified resource of Certificate is not found.");
    const policy = asked.securityPolicyId ?? before.securityPolicyId;
    if (https && !policies.includes(policy))
        throw notFound("ResourceNotFound.SecurityPolicy", "The specified resource of SecurityPolicy is not found.");
    const { forwarded } = before;
    const asks = asked.XForwardedForConfig ?? {};
    for (const [name, value] of Object.entries(asks))
        if (!Object.hasOwn(forwarded, name) && !harmless.includes(value))
            refuse("UnsupportedOperation", `The lab's ALB has no ${name}.`);
    return {
        description: asked.listenerDescription ?? before.description,
        serverGroupId: targetOf(context, vpcId, asked.defaultActions) ?? before.serverGroupId,
        gzip: asked.gzipEnabled ?? before.gzip,
        http2: https && (asked.http2Enabled ?? before.http2),
        idleTimeout: within(asked.idleTimeout, [1, 600], "IdleTimeout", before.idleTimeout),
        requestTimeout: within(asked.requestTimeout, [1, 600], "RequestTimeout", before.requestTimeout),
        certificateIds,
        securityPolicyId: https ? policy : "",
        forwarded: {
            XForwardedForEnabled: asks.XForwardedForEnabled ?? forwarded.XForwardedForEnabled,
            XForwardedForProtoEnabled: asks.XForwardedForProtoEnabled ?? forwarded.XForwardedForProtoEnabled,
            XForwardedForSLBIdEnabled: asks.XForwardedForSLBIdEnabled ?? forwarded.XForwardedForSLBIdEnabled,
            XForwardedForSLBPortEnabled: asks.XForwardedForSLBPortEnabled ?? forwarded.XForwardedForSLBPortEnabled,
            XForwardedForClientSrcPortEnabled:
                asks.XForwardedForClientSrcPortEnabled ?? forwarded.XForwardedForClientSrcPortEnabled,
        },
    };
}

/** The server group that default actions name: a listener of this product forwards, and rules do the rest. */
function targetOf(context: ActionContext, vpcId: string, actions: AskedSettings["defaultActions"]): string | undefined {
    if (actions === undefined) return undefined;
    const [action] = actions;
    const [target] = action?.forwardGroupConfig?.serverGroupTuples ?? [];
    if (actions.length !== 1 || action?.type !== "ForwardGroup") refuseParameter("DefaultActions");
    const group = serverGroupOf(context, target?.serverGroupId);
    if (group.vpcId !== vpcId)
        refuse(
            "Mismatch.ServerGroupAndLoadBalancer",
            "The server group and the load balancer are not in the same VPC.",
        );
    return group.id;
}

const createListener = albAction({
    name: "CreateListener",
    request: CreateListenerRequest,
    response: CreateListenerResponseBody,
    required: ["LoadBalancerId", "ListenerProtocol", "ListenerPort", "DefaultActions"],
    writes: true,
    handle: async (request, context) => {
        const { store, now } = context;
        const balancer = balancerOf(context, request.loadBalancerId);
        if (now < balancer.change.until)
            refuse("IncorrectBusinessStatus.LoadBalancer", `The business status of ${balancer.id} is incorrect.`);
        if (request.listenerProtocol === "QUIC") refuse("UnsupportedOperation", "The lab has no QUIC.");
        const protocol = oneOf(request.listenerProtocol, ["HTTP", "HTTPS"], "ListenerProtocol", "HTTP");
        const port = within(request.listenerPort, [1, 65535], "ListenerPort", 80);
        checkTags(request.tag);
        const others = listenersOf(context, balancer);
        if (others.some((other) => other.port === port))
            refuse("ResourceAlreadyExist.Listener", "The specified resource of Listener already exists.");
        if (others.length >= quotas.listenersPerBalancer) refuseQuota("ListenersNum");
        const settings = changedSettings(
            context,
            { protocol, vpcId: balancer.vpcId },
            initialSettings(protocol),
            request,
        );
        context.checked();
        const id = store.newId("lsn");
        const change = changing(context, "Provisioning");
        store.state.albListeners[id] = {
            ...settings,
            id,
            regionId: balancer.regionId,
            createdAt: now,
            name: "",
            tags: toTags(request.tag),
            resourceGroupId: DEFAULT_RESOURCE_GROUP_ID,
            loadBalancerId: balancer.id,
            protocol,
            port,
            stopped: false,
            acl: { type: "", ids: [] },
            change,
        };
        await context.applied();
        return {
            listenerId: id,
            jobId: beginJob(context, "CreateListener", { type: "listener", id }, change.until),
        };
    },
});

function view(context: ActionContext, listener: AlbListener) {
    return {
        listenerId: listener.id,
        loadBalancerId: listener.loadBalancerId,
        listenerProtocol: listener.protocol,
        listenerPort: listener.port,
        listenerDescription: listener.description,
        listenerStatus: statusOf(context, listener.change, listener.stopped ? "Stopped" : "Running"),
        gzipEnabled: listener.gzip,
        http2Enabled: listener.http2,
        idleTimeout: listener.idleTimeout,
        requestTimeout: listener.requestTimeout,
        securityPolicyId: listener.securityPolicyId,
        defaultActions: [
            {
                type: "ForwardGroup",
                forwardGroupConfig: { serverGroupTuples: [{ serverGroupId: listener.serverGroupId }] },
            },
        ],
        quicConfig: { quicUpgradeEnabled: false },
        XForwardedForConfig: listener.forwarded,
        tags: tagsView(listener.tags),
    };
}

const getListenerAttribute = albAction({
    name: "GetListenerAttribute",
    request: GetListenerAttributeRequest,
    response: GetListenerAttributeResponseBody,
    required: ["ListenerId"],
    writes: false,
    handle: ({ listenerId }, context) => {
        const listener = listenerOf(context, listenerId);
        return {
            ...view(context, listener),
            caEnabled: false,
            certificates: listener.certificateIds.map((certificateId) => ({ certificateId })),
            aclConfig: {
                aclType: listener.acl.type,
                aclRelations: listener.acl.ids.map((aclId) => ({ aclId, status: "Associated" })),
            },
        };
    },
});

const listListeners = albAction({
    name: "ListListeners",
    request: ListListenersRequest,
    response: ListListenersResponseBody,
    writes: false,
    handle: (request, context) => {
        const found = Object.values(context.store.state.albListeners).filter(
            (listener) =>
                among(request.listenerIds, listener.id) &&
                among(request.loadBalancerIds, listener.loadBalancerId) &&
                matches(request.listenerProtocol, listener.protocol) &&
                hasTags(listener, request.tag),
        );
        const { items, ...page } = paginateByToken(found, request, { default: 20, max: 100 });
        return { ...page, totalCount: found.length, listeners: items.map((listener) => view(context, listener)) };
    },
});

const listListenerCertificates = albAction({
    name: "ListListenerCertificates",
    request: ListListenerCertificatesRequest,
    response: ListListenerCertificatesResponseBody,
    required: ["ListenerId"],
    writes: false,
    handle: (request, context) =>
        listenerCertificates(
            listenerOf(context, request.listenerId).certificateIds,
            request,
            request.certificateType,
            100,
        ),
});

/** Lets a change of a listener begin, after it was made. @returns the id of its job */
export async function changed(context: ActionContext, apiName: string, listener: AlbListener): Promise<string> {
    listener.change = changing(context, "Configuring");
    await context.applied();
    return beginJob(context, apiName, { type: "listener", id: listener.id }, listener.change.until);
}

const updateListenerAttribute = albAction({
    name: "UpdateListenerAttribute",
    request: UpdateListenerAttributeRequest,
    response: UpdateListenerAttributeResponseBody,
    required: ["ListenerId"],
    writes: true,
    handle: async (request, context) => {
        const listener = settledListenerOf(context, request.listenerId);
        const { vpcId } = balancerOf(context, listener.loadBalancerId);
        const settings = changedSettings(context, { protocol: listener.protocol, vpcId }, listener, request);
        context.checked();
        Object.assign(listener, settings);
        return { jobId: await changed(context, "UpdateListenerAttribute", listener) };
    },
});

const startListener = albAction({
    name: "StartListener",
    request: StartListenerRequest,
    response: StartListenerResponseBody,
    required: ["ListenerId"],
    writes: true,
    handle: async ({ listenerId }, context) => {
        const listener = settledListenerOf(context, listenerId);
        context.checked();
        listener.stopped = false;
        return { jobId: await changed(context, "StartListener", listener) };
    },
});

const stopListener = albAction({
    name: "StopListener",
    request: StopListenerRequest,
    response: StopListenerResponseBody,
    required: ["ListenerId"],
    writes: true,
    handle: async ({ listenerId }, context) => {
        const listener = settledListenerOf(context, listenerId);
        context.checked();
        listener.stopped = true;
        return { jobId: await changed(context, "StopListener", listener) };
    },
});

const deleteListener = albAction({
    name: "DeleteListener",
    request: DeleteListenerRequest,
    response: DeleteListenerResponseBody,
    required: ["ListenerId"],
    writes: true,
    handle: async ({ listenerId }, context) => {
        const { state } = context.store;
        const listener = settledListenerOf(context, listenerId);
        context.checked();
        for (const rule of rulesOf(context, listener)) Reflect.deleteProperty(state.albRules, rule.id);
        Reflect.deleteProperty(state.albListeners, listener.id);
        await context.applied();
        return { jobId: beginJob(context, "DeleteListener", { type: "listener", id: listener.id }) };
    },
});

export const listenerActions: readonly Action[] = [
    createListener,
    getListenerAttribute,
    listListeners,
    listListenerCertificates,
    updateListenerAttribute,
    startListener,
    stopListener,
    deleteListener,
];
