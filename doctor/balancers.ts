/** Which hosts of a stack can connect to which listeners of a balancer, by the stack's state. */
import { contains, parseCidr } from "../components/network/cidr";
import type { StackResource } from "../delivery/states";
import {
    type Balancer,
    type BalancerListener,
    type Fields,
    fieldsOf,
    finder,
    items,
    targetGroups,
    text,
} from "../graph/balancers";
import { vpcOf } from "../graph/topology";
import type { PlacedHost } from "./probes";

/** Who has a way to a balancer. */
export interface Way {
    /** Undefined for the machine that the doctor runs on, to which a balancer of the internet is as near as to its other clients. */
    readonly place: PlacedHost | undefined;
    /** What it can ask, each as `protocol:port:path:host name:origin of the certificate`, what isn't there empty. */
    readonly listeners: readonly string[];
    /** Why it can't ask others, to be read behind the balancer's name. */
    readonly refused: readonly string[];
}

export interface Reachable {
    readonly name: string;
    /** The host that can ask the most first, and of those that can ask as much one that isn't behind the balancer. */
    readonly ways: readonly Way[];
    /** What no host can ask. */
    readonly missing: readonly string[];
}

const asked = ["tcp", "tls", "http", "https"];
const isEncrypted = (protocol: string): boolean => protocol === "https" || protocol === "tls";

export function reachable(
    resources: readonly StackResource[],
    balancer: Balancer,
    placed: readonly PlacedHost[],
    switches: ReadonlyMap<string, Fields>,
): Reachable {
    const name = nameOf(balancer.urn);
    const [listeners, others] = [true, false].map((wanted) =>
        balancer.listeners.filter(({ protocol }) => asked.includes(protocol) === wanted),
    ) as [BalancerListener[], BalancerListener[]];
    const missing = others.map((listener) => `${wordsOf(listener)}: a ${listener.protocol} listener is not asked`);
    if (listeners.length === 0) return { name, ways: [], missing };
    if (balancer.addresses.length === 0)
        return { name, ways: [], missing: [...missing, ": the state has no address of it: run `pulumi refresh`"] };

    const isBehind = ({ instance }: PlacedHost): boolean => balancer.servers.some(({ id }) => id === instance);
    // A balancer of a VPC always stands where its servers do, if nothing else tells.
    const vpc =
        vpcOf(balancerFields(resources, balancer), switches) || (placed.find((place) => isBehind(place))?.vpc ?? "");
    const near = balancer.public ? [undefined] : placed.filter((place) => vpc !== "" && place.vpc === vpc);
    if (near.length === 0)
        return { name, ways: [], missing: [...missing, ": no host of the stack is known to stand in its VPC"] };
    const lists = new Map(listeners.map((listener) => [listener, refusalOf(resources, balancer, listener)]));
    const ways = near.map((place): Way => {
        const reasons = new Map(
            listeners.map((listener) => {
                const passesOn = listener.protocol === "tcp" || listener.protocol === "tls";
                // What is only passed on would come back to its own sender, which the cloud does not do.
                const itself = passesOn && place && isBehind(place) ? "only servers behind it could ask" : undefined;
                return [listener, lists.get(listener)!(place?.address) ?? itself];
            }),
        );
        return {
            place,
            listeners: listeners
                .filter((listener) => reasons.get(listener) === undefined)
                .map((listener) => questionOf(resources, listener)),
            refused: listeners.flatMap((listener) => {
                const reason = reasons.get(listener);
                return reason === undefined ? [] : [`${wordsOf(listener)}: ${reason}`];
            }),
        };
    });
    const rank = ({ place, listeners: open }: Way): number => 2 * open.length + (place && isBehind(place) ? 0 : 1);
    return { name, ways: ways.sort((one, other) => rank(other) - rank(one)), missing };
}

const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);
const wordsOf = ({ protocol, port }: BalancerListener): string => `, ${protocol} on port ${port}`;

function balancerFields(resources: readonly StackResource[], { urn }: Balancer): Fields {
    return fieldsOf(resources.find((resource) => resource.urn === urn)!);
}

/** Asks as the balancer's own health checks do: that path is known to answer, whatever else the servers have. */
function questionOf(resources: readonly StackResource[], { resource, protocol, port }: BalancerListener): string {
    const fields = fieldsOf(resource);
    const [group] = targetGroups(fields);
    const check =
        group === undefined
            ? fields
            : ((fieldsOf(resources.find(({ id }) => id === group) ?? resource)["healthCheckConfig"] as
                  Fields | undefined) ?? {});
    const path = text(check["healthCheckUri"]) || text(check["healthCheckPath"]);
    const host = text(check["healthCheckDomain"]) || text(check["healthCheckHost"]);
    return [
        protocol,
        port,
        /^\/[^\s:]*$/.test(path) ? path : "/",
        /^[\w.-]+$/.test(host) ? host : "",
        isEncrypted(protocol) ? (isGenerated(resources, resource) ? "generated" : "given") : "",
    ].join(":");
}

/** Whether a certificate is the stack's own: made for this listener, beside it. */
function isGenerated(resources: readonly StackResource[], { urn, parent }: StackResource): boolean {
    const own = nameOf(urn);
    return resources.some(
        (resource) =>
            resource.type === "tls:index/locallySignedCert:LocallySignedCert" &&
            resource.parent === parent &&
            (nameOf(resource.urn) === own || nameOf(resource.urn).startsWith(`${own}-g`)),
    );
}

/** Tells why a listener takes nothing from an address, or may not from one that isn't known; undefined when it does. */
type Refusal = (source: string | undefined) => string | undefined;

function refusalOf(
    resources: readonly StackResource[],
    balancer: Balancer,
    { resource, protocol, port }: BalancerListener,
): Refusal {
    const of = finder(resources);
    const fields = fieldsOf(resource);
    if (resource.type.startsWith("alicloud:slb/")) {
        const on = text(fields["aclStatus"]) === "on";
        const ids = Array.isArray(fields["aclIds"]) ? fields["aclIds"].map(text) : [text(fields["aclId"])];
        return on ? byLists(resources, "slb", ids, text(fields["aclType"])) : () => undefined;
    }
    if (resource.type.startsWith("alicloud:alb/")) {
        const lists = of("alb/listenerAclAttachment:ListenerAclAttachment")
            .map(fieldsOf)
            .filter(({ listenerId }) => listenerId === resource.id);
        const ids = lists.map(({ aclId }) => text(aclId));
        return ids.length === 0 ? () => undefined : byLists(resources, "alb", ids, text(lists[0]!["aclType"]));
    }
    const id = resources.find(({ urn }) => urn === balancer.urn)?.id;
    const groups = of("nlb/loadBalancerSecurityGroupAttachment:LoadBalancerSecurityGroupAttachment")
        .map(fieldsOf)
        .filter(({ loadBalancerId }) => loadBalancerId === id)
        .map(({ securityGroupId }) => text(securityGroupId));
    const rules = of("ecs/securityGroupRule:SecurityGroupRule")
        .map(fieldsOf)
        .filter((rule) => rule["type"] === "ingress" && groups.includes(text(rule["securityGroupId"])))
        .filter((rule) => covers(rule, protocol === "udp" ? "udp" : "tcp", Number(port)));
    return byRules(rules);
}

function isIn(range: string, address: string): boolean {
    const [outer, inner] = [parseCidr(range), parseCidr(`${address}/32`)];
    return outer !== undefined && inner !== undefined && contains(outer, inner);
}

const onlyIn = (ranges: readonly string[]): string => `an access list lets only ${ranges.join(", ")} in`;
const keptOut = (range: string): string => `an access list keeps ${range} out`;

function byLists(
    resources: readonly StackResource[],
    product: "slb" | "alb",
    ids: readonly string[],
    type: string,
): Refusal {
    const of = finder(resources);
    const lists = of(`${product}/acl:Acl`).filter(({ id }) => id !== undefined && ids.includes(id));
    if (lists.length < ids.length) return () => "an access list that is not the stack's decides who gets in";
    const ranges = [
        ...lists.flatMap((list) => ["entryLists", "aclEntries"].flatMap((entries) => items(fieldsOf(list)[entries]))),
        ...of(`${product}/aclEntryAttachment:AclEntryAttachment`)
            .map(fieldsOf)
            .filter(({ aclId }) => ids.includes(text(aclId))),
    ].map(({ entry }) => text(entry));
    const distinct = [...new Set(ranges)];
    // Without entries a list admits everybody.
    if (distinct.length === 0) return () => undefined;
    return (source) => {
        const range = distinct.find((one) => source !== undefined && isIn(one, source));
        if (source === undefined && type.toLowerCase() !== "white") return keptOut(distinct.join(", "));
        if (type.toLowerCase() === "white") return range === undefined ? onlyIn(distinct) : undefined;
        return range === undefined ? undefined : keptOut(range);
    };
}

/** Of a security group's rules the first in order of priority decides, a refusal before an admission; where none does, everybody is admitted. */
function byRules(rules: readonly Fields[]): Refusal {
    const weight = ({ priority, policy }: Fields): number => 2 * (Number(priority) || 1) + (policy === "drop" ? 0 : 1);
    const inOrder = [...rules].sort((one, other) => weight(one) - weight(other));
    return (source) => {
        const first = inOrder.find(({ cidrIp, policy }) =>
            source === undefined ? policy === "drop" : isIn(text(cidrIp), source),
        );
        if (first?.["policy"] !== "drop") return undefined;
        const range = text(first["cidrIp"]);
        const admitted = inOrder.filter(({ policy }) => policy !== "drop").map(({ cidrIp }) => text(cidrIp));
        return range === "0.0.0.0/0" && admitted.length > 0 ? onlyIn(admitted) : keptOut(range);
    };
}

function covers({ ipProtocol, portRange }: Fields, protocol: string, port: number): boolean {
    if (ipProtocol === "all") return true;
    const [first = 0, last = 0] = text(portRange).split("/").map(Number);
    return ipProtocol === protocol && (first === -1 || (first <= port && port <= last));
}
