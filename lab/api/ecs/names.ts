/** Names of instances that are made together. */
import { checkHostName, checkName, refuse } from "./checks";

/** `prefix[begin,bits]suffix`, as the cloud numbers names. */
const pattern = /^(.*?)\[(\d{0,6}),(\d?)\](.*)$/s;

/**
 * One name for each instance.
 * @param uniqueSuffix appends 001, 002, … unless the name is a pattern that ends with its number.
 */
export function expandNames(name: string, amount: number, uniqueSuffix: boolean): readonly string[] {
    const match = pattern.exec(name);
    if (!match) {
        const suffixed = uniqueSuffix && amount > 1;
        return Array.from({ length: amount }, (_, i) => (suffixed ? `${name}${String(i + 1).padStart(3, "0")}` : name));
    }
    const [, prefix = "", begin = "", bits = "", suffix = ""] = match;
    const width = bits === "" ? 6 : Math.max(Number(bits), begin.length);
    const first = begin === "" ? 0 : Number(begin);
    return Array.from(
        { length: amount },
        (_, i) =>
            prefix +
            String(first + i).padStart(width, "0") +
            suffix +
            (uniqueSuffix && suffix !== "" && amount > 1 ? String(i + 1).padStart(3, "0") : ""),
    );
}

interface NamesRequest {
    readonly instanceName?: string;
    readonly hostName?: string;
    readonly hostNames?: readonly string[];
    readonly uniqueSuffix?: boolean;
}

/** What new instances are called; an empty name is the cloud's to choose. */
export interface InstanceNames {
    readonly instanceNames: readonly string[];
    readonly hostNames: readonly string[];
}

/** The names that a request gives to its instances, checked. */
export function namesOf(request: NamesRequest, amount: number): InstanceNames {
    const suffix = request.uniqueSuffix === true;
    const instanceNames = expandNames(request.instanceName ?? "", amount, suffix && !!request.instanceName);
    for (const name of instanceNames) checkName(name, "InvalidInstanceName.Malformed", "InstanceName");
    const given = request.hostNames?.filter((name) => name !== "") ?? [];
    if (given.length > 0 && request.hostName)
        refuse("InvalidParameter.Conflict", "HostName and HostNames.N can't be specified at the same time.");
    const hostNames =
        given.length > 0
            ? Array.from({ length: amount }, (_, i) => given[i] ?? "")
            : expandNames(request.hostName ?? "", amount, suffix && !!request.hostName);
    for (const name of hostNames) checkHostName(name.replaceAll("${instance_id}", "i-0"));
    return { instanceNames, hostNames };
}

/** The host name that the cloud gives to a Linux instance that was given none. */
export function defaultHostName(instanceId: string): string {
    return `iZ${instanceId.replace(/^i-/, "")}Z`;
}
