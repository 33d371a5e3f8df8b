import { AssumeRoleRequest, AssumeRoleResponseBody, GetCallerIdentityResponseBody } from "@alicloud/sts20150401";
import { createHash } from "node:crypto";
import { Action, defineAction } from "../action";
import type { Credentials } from "../credentials";
import { CloudError, notFound } from "../errors";
import { model } from "./model";

const version = "2015-04-01";
const ROLE_ARN = /^acs:ram::(\d+):role\/([\w.-]{1,64})$/i;
const SESSION_NAME = /^[\w.@-]{2,64}$/;

/** Security Token Service: who am I, and sessions of roles. The lab has no RAM roles yet: any role may be assumed. */
export function stsActions(credentials: Credentials): readonly Action[] {
    const getCallerIdentity = defineAction({
        product: "Sts",
        version,
        name: "GetCallerIdentity",
        request: model({}),
        response: GetCallerIdentityResponseBody,
        writes: false,
        handle: (_request, { caller }) => {
            if (!caller) throw new CloudError("InternalError", "The request has no caller.", 500);
            return {
                accountId: caller.accountId,
                arn: caller.arn,
                identityType: caller.identityType,
                principalId: caller.principalId,
                userId: caller.userId,
                roleId: caller.roleId ?? "",
            };
        },
    });

    const assumeRole = defineAction({
        product: "Sts",
        version,
        name: "AssumeRole",
        request: AssumeRoleRequest,
        response: AssumeRoleResponseBody,
        required: ["RoleArn", "RoleSessionName"],
        // Sessions are sealed into their token, so nothing of the model changes.
        writes: false,
        handle: (request) => {
            const [, account, role] = ROLE_ARN.exec(request.roleArn ?? "") ?? [];
            if (account === undefined || role === undefined)
                throw new CloudError("InvalidParameter.RoleArn", "The parameter RoleArn is wrongly formed.", 400);
            const session = request.roleSessionName ?? "";
            if (!SESSION_NAME.test(session))
                throw new CloudError(
                    "InvalidParameter.RoleSessionName",
                    "The parameter RoleSessionName is wrongly formed.",
                    400,
                );
            const seconds = request.durationSeconds ?? 3600;
            if (!Number.isInteger(seconds) || seconds < 900 || seconds > 43200)
                throw new CloudError(
                    "InvalidParameter.DurationSeconds",
                    "The Min/Max value of DurationSeconds is 15min/12hr.",
                    400,
                );
            if (account !== credentials.accountId)
                throw notFound("EntityNotExist.Role", `The role not exists: ${request.roleArn ?? ""}.`);
            const principal = `${numericId(role)}:${session}`;
            const issued = credentials.issue(`acs:ram::${account}:assumed-role/${role}/${session}`, principal, seconds);
            return {
                assumedRoleUser: { arn: `acs:ram::${account}:role/${role}/${session}`, assumedRoleId: principal },
                credentials: {
                    accessKeyId: issued.accessKeyId,
                    accessKeySecret: issued.accessKeySecret,
                    securityToken: issued.securityToken,
                    expiration: issued.expiration.toISOString().replace(/\.\d+Z$/, "Z"),
                },
            };
        },
    });
    return [getCallerIdentity, assumeRole];
}

/** A role's id as the cloud writes one: 18 digits starting with 3, the same for the same name. */
function numericId(role: string): string {
    const number = createHash("sha256").update(role.toLowerCase()).digest().readBigUInt64BE();
    return `3${(number % 10n ** 17n).toString().padStart(17, "0")}`;
}
