/** The machine's own resolvers, read again when their file changes. */
import { readFileSync, statSync } from "node:fs";

export class Resolvers {
    private stamp = -1;
    private found: string[] = [];

    constructor(private readonly file = "/etc/resolv.conf") {}

    /** Addresses of the resolvers, in the order in which to ask them. */
    list(): readonly string[] {
        let stamp = 0;
        try {
            stamp = statSync(this.file).mtimeMs;
        } catch {
            // Without the file a resolver on this machine is the custom.
        }
        if (stamp !== this.stamp) {
            this.found = parseResolvers(stamp === 0 ? "" : readFileSync(this.file, "utf8"));
            this.stamp = stamp;
        }
        return this.found;
    }
}

/** `nameserver` lines of a resolv.conf; this machine when there are none. */
export function parseResolvers(text: string): string[] {
    const found = text
        .split("\n")
        .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1])
        .filter((address) => address !== undefined);
    return found.length > 0 ? found : ["127.0.0.1"];
}
