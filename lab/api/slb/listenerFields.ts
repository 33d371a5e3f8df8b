/** Wire names of listeners' requests and answers, by protocol. */
import type { ListenerProtocol } from "../../model/slb";
import { Fields, Members, model } from "../common/model";
import type { ModelClass, Plain } from "../wire";

const address = { RegionId: "string", LoadBalancerId: "string", ListenerPort: "number" } as const;

const shared = {
    BackendServerPort: "number",
    Bandwidth: "number",
    Scheduler: "string",
    VServerGroupId: "string",
    AclStatus: "string",
    AclType: "string",
    AclId: "string",
    Description: "string",
} as const;

const check = {
    HealthCheckType: "string",
    HealthCheckMethod: "string",
    HealthCheckDomain: "string",
    HealthCheckURI: "string",
    HealthCheckHttpCode: "string",
    HealthCheckConnectPort: "number",
    HealthCheckInterval: "number",
    HealthyThreshold: "number",
    UnhealthyThreshold: "number",
} as const;

const common = { ...shared, ...check } as const;

const transport = {
    HealthCheckConnectTimeout: "number",
    PersistenceTimeout: "number",
    ConnectionDrain: "string",
    ProxyProtocolV2Enabled: "boolean",
} as const;

const application = {
    HealthCheck: "string",
    HealthCheckTimeout: "number",
    StickySession: "string",
    StickySessionType: "string",
    CookieTimeout: "number",
    Cookie: "string",
    Gzip: "string",
    IdleTimeout: "number",
    RequestTimeout: "number",
    XForwardedFor: "string",
    XForwardedFor_SLBIP: "string",
    XForwardedFor_SLBID: "string",
    XForwardedFor_proto: "string",
    XForwardedFor_SLBPORT: "string",
    XForwardedFor_ClientSrcPort: "string",
} as const;

const tls = {
    ServerCertificateId: "string",
    CACertificateId: "string",
    EnableHttp2: "string",
    TLSCipherPolicy: "string",
} as const;

/** Members that a protocol's requests and answers share. */
const settings = {
    tcp: { ...common, ...transport, EstablishedTimeout: "number" },
    udp: { ...common, ...transport, HealthCheckReq: "string", HealthCheckExp: "string" },
    http: { ...common, ...application },
    https: {
        ...common,
        ...application,
        ...tls,
    },
} as const satisfies Record<ListenerProtocol, Fields>;

/** Members of requests only. */
const asked = {
    tcp: { HealthCheckSwitch: "string" },
    udp: { HealthCheckSwitch: "string" },
    http: { ListenerForward: "string", ForwardPort: "number", ForwardCode: "number" },
    https: {},
} as const satisfies Record<ListenerProtocol, Fields>;

type RequestFields = Members<
    typeof address &
        typeof settings.tcp &
        typeof settings.udp &
        typeof settings.https &
        typeof asked.tcp &
        typeof asked.http & {
            readonly MasterSlaveServerGroupId: "string";
            readonly VServerGroup: "string";
            readonly lowerHealthCheckInterval: "number";
            readonly lowerHealthCheckReq: "string";
            readonly lowerHealthCheckExp: "string";
            readonly Tag: readonly [{ readonly Key: "string"; readonly Value: "string" }];
        }
>;
/** What requests about a listener may say; a protocol leaves out what is not its own. */
export type ListenerRequest = Plain<RequestFields>;

/** Request of `CreateLoadBalancer…Listener`. */
export function creationRequest(protocol: ListenerProtocol): ModelClass<RequestFields> {
    const request = requestModel(protocol, {
        MasterSlaveServerGroupId: "string",
        Tag: [{ Key: "string", Value: "string" }],
    });
    // Older clients begin this name in lower case for TCP, newer ones and later requests do not.
    alsoInLowerCase(request, "HealthCheckInterval", "number");
    return request;
}

/** Request of `SetLoadBalancer…ListenerAttribute`. */
export function changeRequest(protocol: ListenerProtocol): ModelClass<RequestFields> {
    return requestModel(protocol, {
        VServerGroup: "string",
        MasterSlaveServerGroupId: "string",
        DryRun: "boolean",
    });
}

function requestModel(protocol: ListenerProtocol, more: Fields): ModelClass<RequestFields> {
    const fields: Fields = { ...address, ...settings[protocol], ...asked[protocol], ...more };
    const request: ModelClass<RequestFields> = model(fields);
    // The vendor's SDKs begin these two in lower case, the Terraform provider does not.
    if (protocol === "udp")
        for (const wireName of ["HealthCheckReq", "HealthCheckExp"]) alsoInLowerCase(request, wireName, "string");
    return request;
}

function alsoInLowerCase(request: ModelClass, wireName: string, type: "string" | "number"): void {
    request.names()[`lower${wireName}`] = wireName.charAt(0).toLowerCase() + wireName.slice(1);
    request.types()[`lower${wireName}`] = type;
}

const ruleFields = {
    RuleId: "string",
    RuleName: "string",
    Domain: "string",
    Url: "string",
    VServerGroupId: "string",
    ListenerSync: "string",
} as const;

const answered = {
    Status: "string",
    HealthCheck: "string",
    AclIds: { AclId: ["string"] },
    Tags: { Tag: [{ TagKey: "string", TagValue: "string" }] },
} as const;

const answers = {
    tcp: { ...settings.tcp, ...answered },
    udp: { ...settings.udp, ...answered },
    http: { ...settings.http, ...answered, ...asked.http, Rules: { Rule: [ruleFields] } },
    https: { ...settings.https, ...answered, Rules: { Rule: [ruleFields] } },
} as const satisfies Record<ListenerProtocol, Fields>;

type AnswerFields = Members<typeof answers.tcp & typeof answers.udp & typeof answers.http & typeof answers.https> & {
    loadBalancerId?: string;
    listenerPort?: number;
};
/** What an answer about a listener may hold. */
export type ListenerAnswer = Plain<AnswerFields>;

/** Answer of `DescribeLoadBalancer…ListenerAttribute`. */
export function attributeAnswer(protocol: ListenerProtocol): ModelClass<AnswerFields> {
    return model({
        RequestId: "string",
        LoadBalancerId: "string",
        ListenerPort: "number",
        ...answers[protocol],
    });
}

/** What lists of listeners say of one under the name of its protocol. */
export const listedSettings = {
    tcp: {
        ...check,
        ...transport,
        EstablishedTimeout: "number",
        HealthCheck: "string",
        // Text in lists only.
        ProxyProtocolV2Enabled: "string",
    },
    udp: {
        ...check,
        HealthCheck: "string",
        HealthCheckConnectTimeout: "number",
        HealthCheckReq: "string",
        HealthCheckExp: "string",
        ConnectionDrain: "string",
        ProxyProtocolV2Enabled: "string",
    },
    http: { ...check, ...application, ListenerForward: "string", ForwardPort: "number" },
    https: {
        ...check,
        ...application,
        ...tls,
    },
} as const satisfies Record<ListenerProtocol, Fields>;

/** A listener in the answer of `DescribeLoadBalancerListeners`. */
export const listedFields = {
    LoadBalancerId: "string",
    ListenerPort: "number",
    ListenerProtocol: "string",
    Status: "string",
    ...shared,
    AclIds: ["string"],
    Tags: [{ TagKey: "string", TagValue: "string" }],
    TCPListenerConfig: listedSettings.tcp,
    UDPListenerConfig: listedSettings.udp,
    HTTPListenerConfig: listedSettings.http,
    HTTPSListenerConfig: listedSettings.https,
} as const;
