import { createHash, generateKeyPairSync } from "node:crypto";
import { AttachKeyPairRequest } from "@alicloud/ecs20140526/dist/models/AttachKeyPairRequest";
import { AttachKeyPairResponseBody } from "@alicloud/ecs20140526/dist/models/AttachKeyPairResponseBody";
import { CreateKeyPairRequest } from "@alicloud/ecs20140526/dist/models/CreateKeyPairRequest";
import { CreateKeyPairResponseBody } from "@alicloud/ecs20140526/dist/models/CreateKeyPairResponseBody";
import { DeleteKeyPairsRequest } from "@alicloud/ecs20140526/dist/models/DeleteKeyPairsRequest";
import { DeleteKeyPairsResponseBody } from "@alicloud/ecs20140526/dist/models/DeleteKeyPairsResponseBody";
import { DescribeKeyPairsRequest } from "@alicloud/ecs20140526/dist/models/DescribeKeyPairsRequest";
import { DescribeKeyPairsResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeKeyPairsResponseBody";
import { DetachKeyPairRequest } from "@alicloud/ecs20140526/dist/models/DetachKeyPairRequest";
import { DetachKeyPairResponseBody } from "@alicloud/ecs20140526/dist/models/DetachKeyPairResponseBody";
import { ImportKeyPairRequest } from "@alicloud/ecs20140526/dist/models/ImportKeyPairRequest";
import { ImportKeyPairResponseBody } from "@alicloud/ecs20140526/dist/models/ImportKeyPairResponseBody";
import type { Instance, KeyPair } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { CloudError } from "../errors";
import { TagPair, hasTags, inRegion, matches, paginate, toTags } from "../listing";
import { ecsAction } from "./action";
import { checkName, checkResourceGroup, checkTags, refuse, requiredIdList, reservedWithAcs } from "./checks";
import { findKeyPair, instanceOf, keyPairOf } from "./lookup";
import { quotas } from "./quotas";
import { tagsView } from "./view";

interface NewKeyPair {
    readonly keyPairName?: string;
    readonly resourceGroupId?: string;
    readonly tag?: readonly TagPair[];
}

function checkNew(context: ActionContext, request: NewKeyPair, reservedInTagValues?: RegExp): void {
    checkName(request.keyPairName, "InvalidKeyPairName.Malformed", "KeyPairName");
    checkTags(request.tag, reservedInTagValues);
    checkResourceGroup(request.resourceGroupId);
    if (findKeyPair(context, request.keyPairName))
        refuse("KeyPair.AlreadyExist", "The specified parameter KeyPairName already exists.", 403);
    if (inRegion(context.store.state.keyPairs, context.regionId).length >= quotas.keyPairs)
        refuse("QuotaExceed.KeyPair", "The maximum number of key pairs is reached.", 403);
}

function add({ store, regionId, now }: ActionContext, request: NewKeyPair, publicKey: string, blob: Buffer): KeyPair {
    const pair: KeyPair = {
        id: store.newId("ssh"),
        regionId,
        createdAt: now,
        name: request.keyPairName ?? "",
        description: "",
        tags: toTags(request.tag),
        resourceGroupId: request.resourceGroupId ?? "",
        publicKey,
        fingerprint: createHash("md5").update(blob).digest("hex"),
    };
    store.state.keyPairs[pair.id] = pair;
    return pair;
}

const createKeyPair = ecsAction({
    name: "CreateKeyPair",
    request: CreateKeyPairRequest,
    response: CreateKeyPairResponseBody,
    required: ["KeyPairName"],
    writes: true,
    handle: (request, context) => {
        checkNew(context, request, reservedWithAcs);
        context.checked();
        const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
        const { n = "", e = "" } = publicKey.export({ format: "jwk" });
        const blob = Buffer.concat([
            field(Buffer.from("ssh-rsa")),
            field(unsigned(Buffer.from(e, "base64url"))),
            field(unsigned(Buffer.from(n, "base64url"))),
        ]);
        const pair = add(context, request, `ssh-rsa ${blob.toString("base64")}`, blob);
        return {
            keyPairId: pair.id,
            keyPairName: pair.name,
            keyPairFingerPrint: pair.fingerprint,
            privateKeyBody: privateKey.export({ format: "pem", type: "pkcs1" }).toString(),
        };
    },
});

/** A field of SSH's wire format: its length, then its bytes. */
function field(bytes: Buffer): Buffer {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
}

/** SSH's numbers are signed. */
function unsigned(bytes: Buffer): Buffer {
    return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
}

const importKeyPair = ecsAction({
    name: "ImportKeyPair",
    request: ImportKeyPairRequest,
    response: ImportKeyPairResponseBody,
    required: ["KeyPairName", "PublicKeyBody"],
    writes: true,
    handle: (request, context) => {
        checkNew(context, request);
        const publicKey = (request.publicKeyBody ?? "").trim();
        const blob = publicKeyBlob(publicKey);
        if (!blob)
            return refuse(
                "InvalidPublicKeyBody.ValueNotSupported",
                "The specified parameter PublicKeyBody is not valid.",
            );
        context.checked();
        const pair = add(context, request, publicKey, blob);
        return { keyPairName: pair.name, keyPairFingerPrint: pair.fingerprint };
    },
});

const keyTypes = /^(ssh-rsa|ssh-dss|ssh-ed25519|ecdsa-sha2-nistp(256|384|521))$/;

/** The bytes of a public key in OpenSSH's one-line form, or undefined when it is not one. */
function publicKeyBlob(text: string): Buffer | undefined {
    const [type = "", encoded = ""] = text.split(/\s+/);
    if (!keyTypes.test(type) || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded) || text.includes("\n")) return undefined;
    const blob = Buffer.from(encoded, "base64");
    if (blob.length < 4 || blob.length < 4 + blob.readUInt32BE(0)) return undefined;
    return blob.subarray(4, 4 + blob.readUInt32BE(0)).toString() === type ? blob : undefined;
}

const describeKeyPairs = ecsAction({
    name: "DescribeKeyPairs",
    request: DescribeKeyPairsRequest,
    response: DescribeKeyPairsResponseBody,
    writes: false,
    handle: (request, { store, regionId }) => {
        const found = inRegion(store.state.keyPairs, regionId).filter(
            (pair) =>
                nameMatches(request.keyPairName, pair.name) &&
                matches(request.keyPairFingerPrint, pair.fingerprint) &&
                matches(request.resourceGroupId, pair.resourceGroupId) &&
                hasTags(pair, request.tag),
        );
        const { items, ...page } = paginate(found, request, { default: 10, max: 50 });
        return {
            ...page,
            keyPairs: {
                keyPair: items.map((pair) => ({
                    keyPairName: pair.name,
                    keyPairFingerPrint: pair.fingerprint,
                    creationTime: pair.createdAt,
                    resourceGroupId: pair.resourceGroupId,
                    ...(request.includePublicKey === true && { publicKey: pair.publicKey }),
                    tags: tagsView(pair.tags),
                })),
            },
        };
    },
});

/** Whether a name fits a pattern in which `*` stands for anything. */
export function nameMatches(pattern: string | undefined, name: string): boolean {
    if (pattern === undefined || pattern === "") return true;
    const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`, "s").test(name);
}

const deleteKeyPairs = ecsAction({
    name: "DeleteKeyPairs",
    request: DeleteKeyPairsRequest,
    response: DeleteKeyPairsResponseBody,
    writes: true,
    handle: (request, context) => {
        const { state } = context.store;
        const names = requiredIdList(request.keyPairNames, "KeyPairNames");
        // A key pair that is gone already is none to complain about.
        const pairs = names.map((name) => findKeyPair(context, name)).filter((pair) => pair !== undefined);
        const users = inRegion(state.instances, context.regionId);
        if (pairs.some((pair) => users.some(({ keyPairName }) => keyPairName === pair.name)))
            refuse(
                "InvalidParameter.KeypairAlreadyAttachedInstance",
                "The specified parameter KeyPairNames contains a key pair that is attached to an instance.",
                403,
            );
        context.checked();
        for (const pair of pairs) Reflect.deleteProperty(state.keyPairs, pair.id);
        return {};
    },
});

const MAX_INSTANCES = 50;

/** Does something with each instance, and says per instance how it went. */
function forEach(
    context: ActionContext,
    ids: readonly string[],
    keyPairName: string,
    change: (instance: Instance) => void,
): object {
    const result = ids.map((instanceId) => {
        try {
            change(instanceOf(context, instanceId));
            return { instanceId, success: "true", code: "200", message: "successful" };
        } catch (error) {
            if (!(error instanceof CloudError)) throw error;
            return { instanceId, success: "false", code: error.code, message: error.message };
        }
    });
    return {
        keyPairName,
        totalCount: String(ids.length),
        failCount: String(result.filter(({ success }) => success === "false").length),
        results: { result },
    };
}

const attachKeyPair = ecsAction({
    name: "AttachKeyPair",
    request: AttachKeyPairRequest,
    response: AttachKeyPairResponseBody,
    required: ["KeyPairName"],
    writes: true,
    handle: (request, context) => {
        const { name } = keyPairOf(context, request.keyPairName);
        const ids = requiredIdList(request.instanceIds, "InstanceIds", MAX_INSTANCES);
        context.checked();
        return forEach(context, ids, name, (instance) => {
            if (instance.status !== "Running" && instance.status !== "Stopped")
                refuse(
                    "IncorrectInstanceStatus",
                    "The current status of the resource does not support this operation.",
                    403,
                );
            instance.keyPairName = name;
            // With a key, the cloud turns logins by password off.
            instance.password = "";
        });
    },
});

const detachKeyPair = ecsAction({
    name: "DetachKeyPair",
    request: DetachKeyPairRequest,
    response: DetachKeyPairResponseBody,
    required: ["KeyPairName"],
    writes: true,
    handle: (request, context) => {
        const { name } = keyPairOf(context, request.keyPairName);
        const ids = requiredIdList(request.instanceIds, "InstanceIds", MAX_INSTANCES);
        context.checked();
        return forEach(context, ids, name, (instance) => {
            if (instance.keyPairName !== name)
                refuse("InvalidKeyPair.NotAttached", "The key pair is not attached to the instance.");
            instance.keyPairName = "";
        });
    },
});

export const keyPairActions: readonly Action[] = [
    createKeyPair,
    importKeyPair,
    describeKeyPairs,
    deleteKeyPairs,
    attachKeyPair,
    detachKeyPair,
];
