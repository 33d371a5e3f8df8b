/** Checks that several VPC actions share. Codes and limits are those of the API reference. */
import { Cidr, contains, isNetwork, overlaps, parseCidr } from "../../model/addresses";
import { CloudError } from "../errors";
import { TagPair, tagProblem } from "../listing";

/** Refuses a request with 400. */
export function refuse(code: string, message: string): never {
    throw new CloudError(code, message, 400);
}

/** The value of a parameter, or its default: clients send an empty string for what they leave open. */
export function valueOr(value: string | undefined, fallback: string): string {
    return value === undefined || value === "" ? fallback : value;
}

/** A name of 1 to 128 characters that is no web address; NAT gateways want a letter first. */
export function checkName(
    name: string | undefined,
    code: string,
    { min = 1, letterFirst = false }: { readonly min?: number; readonly letterFirst?: boolean } = {},
): void {
    if (name === undefined || name === "") return;
    if (
        name.length < min ||
        name.length > 128 ||
        /^https?:\/\//i.test(name) ||
        (letterFirst && !/^\p{Letter}/u.test(name))
    )
        refuse(code, "The specified name is not valid.");
}

/** A description of up to 256 characters that is no web address. */
export function checkDescription(description: string | undefined, code: string): void {
    if (description === undefined || description === "") return;
    if (description.length > 256 || /^https?:\/\//i.test(description))
        refuse(code, "The specified description is not valid.");
}

/** Refuses a value that is not one of a parameter's; absent and empty ones pass. */
export function checkOneOf(
    value: string | undefined,
    allowed: readonly string[],
    wireName: string,
    code: string,
): void {
    if (value !== undefined && value !== "" && !allowed.includes(value))
        refuse(code, `The specified value of ${wireName} is not supported.`);
}

/** Refuses tags that can't be set. */
export function checkTags(tags: readonly TagPair[] | undefined): void {
    switch (tagProblem(tags)) {
        case "key":
            return refuse("InvalidTagKey", "The tag keys are not valid.");
        case "value":
            return refuse("InvalidTagValue", "The tag values are not valid.");
        case "count":
            return refuse("SizeLimitExceeded.TagNum", "The maximum number of tags is exceeded.");
        case "duplicate":
            return refuse("Forbidden.TagKey.Duplicated", "The specified tag key already exists.");
        case undefined:
            return;
    }
}

const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map((text) => parseCidr(text)!);
const forbiddenRanges = ["0.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"].map((text) =>
    parseCidr(text)!,
);

/** The range of the cloud's own services, routed in every VPC. */
export const SERVICE_CIDR = "100.64.0.0/10";

/** A VPC's range: a network with a mask of 8 to 28 that is private, or at least none of those the cloud keeps. */
export function parseVpcCidr(text: string, code = "InvalidParameter"): Cidr {
    const cidr = parseCidr(text);
    if (!cidr || !isNetwork(cidr)) return refuse(code, "Specified CIDR block is not valid.");
    if (cidr.prefix < 8 || cidr.prefix > 28)
        refuse("IllegalParam.CidrBlockMask", `The param of CidrBlock Mask [${cidr.prefix}] is illegal.`);
    if (
        !privateRanges.some((range) => contains(range, cidr)) &&
        [...forbiddenRanges, ...privateRanges].some((range) => overlaps(range, cidr))
    )
        refuse(code, "Specified CIDR block is not valid.");
    return cidr;
}

/** A VSwitch's range: a network with a mask of 16 to 29. */
export function parseVSwitchCidr(text: string): Cidr {
    const cidr = parseCidr(text);
    if (!cidr || !isNetwork(cidr)) return refuse("InvalidCidrBlock.Malformed", "Specified CIDR block is not valid.");
    // The cloud spells it like this.
    if (cidr.prefix < 16 || cidr.prefix > 29)
        refuse("InvalidCirdrBlock.MaskLength", "Specified CIDR block is not valid.");
    return cidr;
}
