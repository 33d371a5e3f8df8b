/** Security group rules between the wire and the model: one canonical form, in which equal rules are equal strings. */
import { parseAddress, parseCidr } from "../../model/addresses";
import type { SecurityGroup, SecurityGroupRule } from "../../model/state";
import type { ActionContext } from "../action";
import { missingParameter } from "../errors";
import { refuse, valueOr } from "./checks";
import { compressIpv6 } from "./ipv6";
import { securityGroupOf } from "./lookup";

export type Direction = SecurityGroupRule["direction"];

/** A rule as requests of both directions describe it. */
export interface RuleWish {
    readonly ipProtocol?: string;
    readonly portRange?: string;
    readonly portRangeListId?: string;
    readonly sourcePortRange?: string;
    readonly policy?: string;
    readonly priority?: string;
    readonly nicType?: string;
    readonly description?: string;
    readonly sourceCidrIp?: string;
    readonly destCidrIp?: string;
    readonly ipv6SourceCidrIp?: string;
    readonly ipv6DestCidrIp?: string;
    readonly sourceGroupId?: string;
    readonly destGroupId?: string;
    readonly sourceGroupOwnerAccount?: string;
    readonly destGroupOwnerAccount?: string;
    readonly sourcePrefixListId?: string;
    readonly destPrefixListId?: string;
}

/** A rule without what the cloud gives it. */
export type RuleFields = Omit<SecurityGroupRule, "id" | "createdAt">;

/** Spellings of the cloud's answers. */
const protocols: ReadonlyMap<string, string> = new Map([
    ["tcp", "TCP"],
    ["udp", "UDP"],
    ["icmp", "ICMP"],
    ["icmpv6", "ICMPv6"],
    ["gre", "GRE"],
    ["all", "ALL"],
]);

/**
 * The canonical form of a rule.
 * @throws CloudError for a malformed one; whether its groups exist is `checkPeers`' matter.
 */
export function toRule(direction: Direction, wish: RuleWish): RuleFields {
    if (!wish.ipProtocol) throw missingParameter("IpProtocol");
    const ipProtocol = protocols.get(wish.ipProtocol.toLowerCase());
    if (ipProtocol === undefined)
        return refuse(
            "InvalidIpProtocol.ValueNotSupported",
            "The parameter IpProtocol must be specified with case insensitive TCP, UDP, ICMP, GRE or All.",
        );
    if (wish.portRangeListId)
        refuse("InvalidPortRangeListId.NotFound", "The specified port range list was not found: the lab has none.");
    const ingress = direction === "ingress";
    // An address goes before a group, as the API reference says.
    const sourceCidr = ipv4(wish.sourceCidrIp, "SourceCidrIp");
    const destCidr = ipv4(wish.destCidrIp, "DestCidrIp");
    const ipv6SourceCidr = ipv6(wish.ipv6SourceCidrIp, "Ipv6SourceCidrIp");
    const ipv6DestCidr = ipv6(wish.ipv6DestCidrIp, "Ipv6DestCidrIp");
    const hasV4 = sourceCidr !== "" || destCidr !== "";
    const hasV6 = ipv6SourceCidr !== "" || ipv6DestCidr !== "";
    if (hasV4 && hasV6)
        refuse(
            ingress ? "InvalidParam.SourceIp" : "InvalidParam.DestIp",
            "IPv6 and IPv4 addresses cannot exist at the same time.",
        );
    if (hasV6 && ipProtocol === "ICMP")
        refuse(
            "InvalidParam.Ipv4ProtocolConflictWithIpv6Address",
            "IPv6 address cannot be specified for IPv4-specific protocol.",
        );
    if (hasV4 && ipProtocol === "ICMPv6")
        refuse(
            "InvalidParam.Ipv6ProtocolConflictWithIpv4Address",
            "IPv4 address cannot be specified for IPv6-specific protocol.",
        );
    const byAddress = ingress ? sourceCidr + ipv6SourceCidr !== "" : destCidr + ipv6DestCidr !== "";
    const sourceGroupId = ingress && !byAddress ? (wish.sourceGroupId ?? "") : "";
    const destGroupId = !ingress && !byAddress ? (wish.destGroupId ?? "") : "";
    const byGroup = sourceGroupId + destGroupId !== "";
    const sourcePrefixListId = ingress && !byAddress && !byGroup ? (wish.sourcePrefixListId ?? "") : "";
    const destPrefixListId = !ingress && !byAddress && !byGroup ? (wish.destPrefixListId ?? "") : "";
    if (!byAddress && !byGroup && sourcePrefixListId + destPrefixListId === "")
        refuse(
            ingress ? "MissingParameter.Source" : "MissingParameter.Dest",
            ingress
                ? "One of the parameters SourceCidrIp, Ipv6SourceCidrIp, SourceGroupId or SourcePrefixListId must be specified."
                : "One of the parameters DestCidrIp, Ipv6DestCidrIp, DestGroupId or DestPrefixListId must be specified.",
        );
    return {
        direction,
        ipProtocol,
        portRange: portRange(ipProtocol, wish.portRange),
        sourcePortRange: sourcePortRange(wish.sourcePortRange),
        policy: policyOf(wish.policy),
        priority: priorityOf(wish.priority),
        nicType: nicTypeOf(wish.nicType),
        description: descriptionOf(wish.description),
        sourceCidr,
        destCidr,
        ipv6SourceCidr,
        ipv6DestCidr,
        sourceGroupId,
        destGroupId,
        sourceGroupOwner: sourceGroupId === "" ? "" : (wish.sourceGroupOwnerAccount ?? ""),
        destGroupOwner: destGroupId === "" ? "" : (wish.destGroupOwnerAccount ?? ""),
        sourcePrefixListId,
        destPrefixListId,
    };
}

function ipv4(value: string | undefined, wireName: string): string {
    if (value === undefined || value === "") return "";
    if (!parseCidr(value) && parseAddress(value) === undefined)
        refuse(`Invalid${wireName}.Malformed`, `The specified parameter "${wireName}" is not valid.`);
    return value;
}

/** Compressed and in lower case, as clients compare them. */
function ipv6(value: string | undefined, wireName: string): string {
    if (value === undefined || value === "") return "";
    const [address = "", prefix, ...rest] = value.split("/");
    const compressed = compressIpv6(address);
    if (
        rest.length > 0 ||
        compressed === undefined ||
        (prefix !== undefined && !(/^\d{1,3}$/.test(prefix) && Number(prefix) <= 128))
    )
        refuse(`InvalidParam.${wireName}`, `The specified param ${wireName} is not valid.`);
    return prefix === undefined ? compressed : `${compressed}/${Number(prefix)}`;
}

function portRange(ipProtocol: string, value: string | undefined): string {
    const withPorts = ipProtocol === "TCP" || ipProtocol === "UDP";
    if (value === undefined || value === "") {
        if (withPorts) throw missingParameter("PortRange");
        return "-1/-1";
    }
    if (withPorts) {
        if (!isPortRange(value))
            refuse("InvalidIpPortRange.Malformed", 'The specified parameter "PortRange" is not valid.');
    } else if (value !== "-1/-1") {
        refuse("InvalidIpPortRange.Malformed", 'The specified parameter "PortRange" is not valid.');
    }
    return value;
}

function isPortRange(value: string): boolean {
    const match = /^([1-9]\d{0,4})\/([1-9]\d{0,4})$/.exec(value);
    return match !== null && Number(match[1]) <= Number(match[2]) && Number(match[2]) <= 65535;
}

function sourcePortRange(value: string | undefined): string {
    if (value === undefined || value === "" || value === "-1/-1") return value ?? "";
    if (!isPortRange(value))
        refuse("InvalidSourcePortRange.Malformed", 'The specified parameter "SourcePortRange" is not valid.');
    return value;
}

function policyOf(value: string | undefined): "Accept" | "Drop" {
    switch (valueOr(value, "accept").toLowerCase()) {
        case "accept":
            return "Accept";
        case "drop":
            return "Drop";
        default:
            return refuse("InvalidPolicy.Malformed", 'The specified parameter "Policy" is not valid.');
    }
}

function priorityOf(value: string | undefined): number {
    const text = valueOr(value, "1");
    const priority = Number(text);
    if (!/^\d+$/.test(text)) return refuse("InvalidPriority.Malformed", "The parameter Priority is invalid.");
    if (priority < 1 || priority > 100)
        return refuse("InvalidPriority.ValueNotSupported", "The parameter Priority is invalid.");
    return priority;
}

function nicTypeOf(value: string | undefined): "intranet" {
    if (!["internet", "intranet"].includes(valueOr(value, "intranet").toLowerCase()))
        refuse("InvalidNicType.ValueNotSupported", "The specified NicType does not exist.");
    // Groups of a VPC know no other.
    return "intranet";
}

function descriptionOf(value: string | undefined): string {
    if (value !== undefined && (value.length > 512 || /^https?:\/\//i.test(value)))
        refuse(
            "InvalidSecurityGroupDiscription.Malformed",
            "The specified security group rule description is not valid.",
        );
    return value ?? "";
}

/** Refuses a rule whose other side can't be one. */
export function checkPeers(context: ActionContext, group: SecurityGroup, rule: RuleFields): void {
    if (rule.sourcePrefixListId + rule.destPrefixListId !== "")
        refuse("InvalidPrefixListId.NotFound", "The specified prefix list was not found: the lab has none.", 404);
    const peerId = rule.sourceGroupId + rule.destGroupId;
    if (peerId === "") return;
    const name = rule.direction === "ingress" ? "Source" : "Dest";
    if (peerId === group.id)
        refuse(
            "InvalidParamter.Conflict",
            `The specified SecurityGroupId should be different from the ${name}GroupId.`,
            403,
        );
    const peer = securityGroupOf(context, peerId, `Invalid${name}GroupId.NotFound`);
    if (peer.vpcId !== group.vpcId)
        refuse(
            `Invalid${name}GroupId.Mismatch`,
            `Specified security group and ${name === "Source" ? "source" : "destination"} group are not in the same VPC.`,
        );
    if (group.kind === "enterprise")
        refuse(
            "InvalidOperation.InvalidSecurityGroupType",
            "An enterprise security group can't have rules that reference another security group.",
            403,
        );
}

/** What tells a rule from others, but for its priority. */
export function identityOf(rule: RuleFields): string {
    return JSON.stringify([
        rule.direction,
        rule.ipProtocol,
        rule.portRange,
        // Absent and `-1/-1` mean the same.
        rule.sourcePortRange === "-1/-1" ? "" : rule.sourcePortRange,
        rule.sourceCidr,
        rule.destCidr,
        rule.ipv6SourceCidr,
        rule.ipv6DestCidr,
        rule.sourceGroupId,
        rule.destGroupId,
        rule.sourcePrefixListId,
        rule.destPrefixListId,
    ]);
}

/** Whether two rules say the same. */
export function isSameRule(a: RuleFields, b: RuleFields): boolean {
    return a.policy === b.policy && a.priority === b.priority && identityOf(a) === identityOf(b);
}
