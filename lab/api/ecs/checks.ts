/** Checks that several ECS actions share. Codes, statuses and limits are those of the API reference. */
import { CloudError, missingParameter } from "../errors";
import { TagPair, tagProblem } from "../listing";

/** Refuses a request, with 400 where the API reference says nothing else. */
export function refuse(code: string, message: string, status = 400): never {
    throw new CloudError(code, message, status);
}

/** The value of a parameter, or its default: clients send an empty string for what they leave open. */
export function valueOr(value: string | undefined, fallback: string): string {
    return value === undefined || value === "" ? fallback : value;
}

/** A name of 2 to 128 letters, digits, `:`, `_`, `.` and `-` that begins with a letter. */
export function checkName(name: string | undefined, code: string, wireName: string): void {
    if (name === undefined || name === "") return;
    if (!/^\p{Letter}[\p{Letter}\p{Number}:_.-]{1,127}$/u.test(name) || /^https?:\/\//i.test(name))
        refuse(code, `The specified parameter "${wireName}" is not valid.`);
}

/** A description of 2 to 256 characters that is no web address. */
export function checkDescription(description: string | undefined, code: string, wireName = "Description"): void {
    if (description === undefined || description === "") return;
    if (description.length < 2 || description.length > 256 || /^https?:\/\//i.test(description))
        refuse(code, `The specified parameter "${wireName}" is not valid.`);
}

/** Refuses a value that is not one of a parameter's; absent and empty ones pass. */
export function checkOneOf(
    value: string | undefined,
    allowed: readonly string[],
    wireName: string,
    code = `Invalid${wireName}.ValueNotSupported`,
): void {
    if (value !== undefined && value !== "" && !allowed.includes(value))
        refuse(code, `The specified value of parameter "${wireName}" is not supported.`);
}

/**
 * Refuses tags that can't be set.
 * @param inValues what values may not be: web addresses, where the API reference says no more.
 */
export function checkTags(tags: readonly TagPair[] | undefined, inValues = /https?:\/\//i): void {
    switch (tagProblem(tags, inValues)) {
        case "key":
            return refuse("InvalidTagKey.Malformed", "The specified Tag.n.Key is not valid.");
        case "value":
            return refuse("InvalidTagValue.Malformed", "The specified Tag.n.Value is not valid.");
        case "count":
            return refuse("InvalidTagCount", "The specified number of tags exceeds the limit.");
        case "duplicate":
            return refuse("Duplicate.TagKey", "The Tag.N.Key contain duplicate key.");
        case undefined:
            return;
    }
}

/** Refuses a resource group that can't be one; the lab has no list of them. */
export function checkResourceGroup(id: string | undefined): void {
    if (id !== undefined && id !== "" && !/^rg-[0-9a-zA-Z]+$/.test(id))
        refuse("InvalidResourceGroup.NotFound", "The ResourceGroup provided does not exist in our records.", 404);
}

/** What tag values may not be in the two actions that leave `acs:` to the cloud there, too. */
export const reservedWithAcs = /^acs:|https?:\/\//i;

/** A password of 8 to 30 characters of at least three kinds. */
export function checkPassword(password: string | undefined, code = "InvalidPassword.Malformed"): void {
    if (password === undefined || password === "") return;
    const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[()`~!@#$%^&*\-_+=|{}[\]:;'<>,.?/\\"]/];
    if (
        password.length < 8 ||
        password.length > 30 ||
        !/^[\x21-\x7e]+$/.test(password) ||
        kinds.filter((kind) => kind.test(password)).length < 3
    )
        refuse(code, 'The specified parameter "Password" is not valid.');
}

/** A Linux host name: 2 to 64 characters, segments of letters, digits and hyphens, neither of which at an end or twice in a row. */
export function checkHostName(hostName: string | undefined): void {
    if (hostName === undefined || hostName === "") return;
    if (hostName.length < 2 || hostName.length > 64 || !/^[a-zA-Z0-9]+([.-][a-zA-Z0-9]+)*$/.test(hostName))
        refuse("InvalidHostName.Malformed", 'The specified parameter "HostName" is not valid.');
}

const MAX_USER_DATA_BYTES = 32 * 1024;

/** User data: Base64 of at most 32 KiB. */
export function checkUserData(userData: string | undefined): void {
    if (userData === undefined || userData === "") return;
    const plain = userData.replace(/[\r\n]/g, "");
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(plain) || plain.length % 4 === 1)
        refuse("InvalidUserData.Base64FormatInvalid", 'The specified parameter "UserData" must be base64 encoded.');
    if (Buffer.byteLength(plain, "base64") > MAX_USER_DATA_BYTES)
        refuse("InvalidUserData.SizeExceeded", 'The specified parameter "UserData" exceeds the size.');
}

/**
 * The ids in a JSON array, as `InstanceIds` and its like hold them; undefined when the parameter is not there. Some
 * clients send them separated by commas.
 */
export function idList(value: string | undefined, wireName: string, max = 100): readonly string[] | undefined {
    if (value === undefined || value === "") return undefined;
    const ids = ((): readonly string[] => {
        if (!/^\s*[[{"]/.test(value)) return value.split(",").map((id) => id.trim());
        try {
            const parsed: unknown = JSON.parse(value);
            if (Array.isArray(parsed) && parsed.every((id) => typeof id === "string")) return parsed;
        } catch {
            // Told below.
        }
        return refuse(`Invalid${wireName}.Malformed`, `The specified parameter "${wireName}" is not valid.`);
    })();
    if (ids.length > max)
        refuse(`Invalid${wireName}.Malformed`, `The number of ids in the parameter "${wireName}" exceeds ${max}.`);
    return ids;
}

/** The same, where the list must be there. */
export function requiredIdList(value: string | undefined, wireName: string, max?: number): readonly string[] {
    const ids = idList(value, wireName, max);
    if (!ids?.length) throw missingParameter(wireName);
    return ids;
}
