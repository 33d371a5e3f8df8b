import { randomBytes } from "node:crypto";

/** A MAC address with the prefix that the cloud's interfaces have. */
export function createMac(): string {
    return ["00", "16", "3e", ...Array.from(randomBytes(3), (byte) => byte.toString(16).padStart(2, "0"))].join(":");
}
