import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { CloudError, notFound } from "./errors";

/** Who made a request. */
export interface Caller {
    readonly accessKeyId: string;
    readonly accessKeySecret: string;
    readonly accountId: string;
    readonly identityType: "Account" | "AssumedRoleUser";
    readonly arn: string;
    readonly principalId: string;
    readonly userId: string;
    readonly roleId?: string;
}

/** A key pair that `AssumeRole` handed out. */
export interface SessionCredentials {
    readonly accessKeyId: string;
    readonly accessKeySecret: string;
    readonly securityToken: string;
    readonly expiration: Date;
}

interface Session {
    readonly key: string;
    readonly arn: string;
    readonly principal: string;
    readonly expires: number;
}

/**
 * The account's key pair and the sessions derived from it. A session's secret and token follow from the account's
 * secret, so that they outlive a restart of the lab without being stored.
 */
export class Credentials {
    constructor(
        readonly accessKeyId: string,
        readonly accessKeySecret: string,
        readonly accountId: string,
        private readonly clock: () => number = Date.now,
    ) {}

    /**
     * The caller behind an access key id.
     * @throws CloudError as the cloud does for unknown keys and for foreign, wrong or expired tokens.
     */
    find(accessKeyId: string, securityToken: string): Caller {
        if (accessKeyId === this.accessKeyId) {
            // An account's own key takes no token.
            if (securityToken !== "") throw mismatch();
            return {
                accessKeyId,
                accessKeySecret: this.accessKeySecret,
                accountId: this.accountId,
                identityType: "Account",
                arn: `acs:ram::${this.accountId}:root`,
                principalId: this.accountId,
                userId: this.accountId,
            };
        }
        if (!accessKeyId.startsWith("STS.") || securityToken === "")
            throw notFound("InvalidAccessKeyId.NotFound", "Specified access key is not found.");
        const session = this.open(securityToken);
        if (session.key !== accessKeyId) throw mismatch();
        if (session.expires <= this.clock())
            throw new CloudError("InvalidSecurityToken.Expired", "Specified SecurityToken is expired.", 400);
        return {
            accessKeyId,
            accessKeySecret: this.derive("secret", accessKeyId),
            accountId: this.accountId,
            identityType: "AssumedRoleUser",
            arn: session.arn,
            principalId: session.principal,
            userId: session.principal,
            roleId: session.principal.split(":")[0]!,
        };
    }

    /** A key pair for a session of a role. */
    issue(arn: string, principal: string, seconds: number): SessionCredentials {
        const key = `STS.${randomBytes(15).toString("base64").replace(/[+/=]/g, "x")}`;
        const expires = Math.floor(this.clock() / 1000) * 1000 + seconds * 1000;
        const body = Buffer.from(JSON.stringify({ key, arn, principal, expires } satisfies Session)).toString(
            "base64url",
        );
        return {
            accessKeyId: key,
            accessKeySecret: this.derive("secret", key),
            securityToken: `CAIS${body}.${this.derive("token", body)}`,
            expiration: new Date(expires),
        };
    }

    private open(token: string): Session {
        const malformed = new CloudError(
            "InvalidSecurityToken.Malformed",
            "Specified SecurityToken is malformed.",
            400,
        );
        const match = /^CAIS([\w-]+)\.([\w-]+)$/.exec(token);
        if (!match) throw malformed;
        if (!equal(this.derive("token", match[1]!), match[2]!)) throw malformed;
        return JSON.parse(Buffer.from(match[1]!, "base64url").toString()) as Session;
    }

    private derive(purpose: string, value: string): string {
        return createHmac("sha256", this.accessKeySecret).update(`${purpose}\n${value}`).digest("base64url");
    }
}

function mismatch(): CloudError {
    return new CloudError(
        "InvalidSecurityToken.MismatchWithAccessKey",
        "Specified SecurityToken mismatch with the AccessKey.",
        400,
    );
}

/** Compares secrets in constant time. */
export function equal(a: string, b: string): boolean {
    const left = Buffer.from(a);
    const right = Buffer.from(b);
    return left.length === right.length && timingSafeEqual(left, right);
}
