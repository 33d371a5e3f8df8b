import type { X509Certificate } from "node:crypto";
import type { SlbCertificate } from "../../model/slb";
import type { Action, ActionContext } from "../action";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { model } from "../common/model";
import { missingParameter, notFound } from "../errors";
import { hasTags, inRegion, matches, matchesAny, toTags } from "../listing";
import { fits, parseChain as chainOf } from "../pem";
import { slbAction } from "./action";
import { checkName, checkTags, refuse, refuseParameter, valueOr } from "./checks";
import { certificateOf } from "./lookup";
import { quotas } from "./quotas";
import { tagsView } from "./view";

const tagFields = [{ Key: "string", Value: "string" }] as const;

const aboutFields = {
    CommonName: "string",
    Fingerprint: "string",
    CreateTime: "string",
    CreateTimeStamp: "number",
    ExpireTime: "string",
    ExpireTimeStamp: "number",
    ResourceGroupId: "string",
} as const;

const serverFields = {
    ...aboutFields,
    ServerCertificateId: "string",
    ServerCertificateName: "string",
    RegionId: "string",
    RegionIdAlias: "string",
    IsAliCloudCertificate: "number",
    AliCloudCertificateId: "string",
    AliCloudCertificateName: "string",
    SubjectAlternativeNames: { SubjectAlternativeName: ["string"] },
} as const;

/** The certificates of a chain. @throws CloudError `InvalidParameter` when there is none. */
function parseChain(pem: string | undefined, wireName: string): X509Certificate[] {
    return chainOf(pem) ?? refuseParameter(wireName);
}

function timeOf(date: string): string {
    return new Date(date).toISOString().replace(/\.\d+Z$/, "Z");
}

function about(certificate: SlbCertificate) {
    const [first] = parseChain(certificate.certificate, "Certificate");
    const { subject, fingerprint, validTo } = first!;
    return {
        commonName: /^CN=(.*)$/m.exec(subject)?.[1] ?? "",
        fingerprint: fingerprint.toLowerCase(),
        createTime: certificate.createdAt,
        createTimeStamp: Date.parse(certificate.createdAt),
        expireTime: timeOf(validTo),
        expireTimeStamp: Date.parse(validTo),
        resourceGroupId: certificate.resourceGroupId,
    };
}

function serverView(certificate: SlbCertificate) {
    const [first] = parseChain(certificate.certificate, "Certificate");
    return {
        ...about(certificate),
        serverCertificateId: certificate.id,
        serverCertificateName: certificate.name,
        regionId: certificate.regionId,
        regionIdAlias: certificate.regionId,
        isAliCloudCertificate: certificate.source ? 1 : 0,
        aliCloudCertificateId: certificate.source?.id ?? "",
        aliCloudCertificateName: certificate.source?.name ?? "",
        subjectAlternativeNames: {
            subjectAlternativeName: (first!.subjectAltName ?? "")
                .split(", ")
                .filter((name) => name.startsWith("DNS:"))
                .map((name) => name.slice(4)),
        },
    };
}

type Content = Pick<SlbCertificate, "certificate" | "privateKey" | "source">;

interface Upload {
    readonly name: string | undefined;
    readonly resourceGroupId: string | undefined;
    readonly tag: readonly { readonly key?: string; readonly value?: string }[] | undefined;
}

function store(
    context: ActionContext,
    { name, resourceGroupId, tag }: Upload,
    content: Content & Pick<SlbCertificate, "kind">,
): SlbCertificate {
    const { state } = context.store;
    const id = context.store.newId("cert");
    const certificate: SlbCertificate = {
        ...content,
        id,
        regionId: context.regionId,
        createdAt: context.now,
        name: valueOr(name, id),
        description: "",
        tags: toTags(tag),
        resourceGroupId: valueOr(resourceGroupId, DEFAULT_RESOURCE_GROUP_ID),
    };
    state.slbCertificates[id] = certificate;
    return certificate;
}

function checkUpload(context: ActionContext, { name, tag }: Upload, wireName: string): void {
    checkName(name, wireName);
    checkTags(tag);
    if (inRegion(context.store.state.slbCertificates, context.regionId).length >= quotas.certificates)
        refuse("QuotaLimitExceeds", "The number of certificates exceeds the limit.");
}

const uploadServerCertificate = slbAction({
    name: "UploadServerCertificate",
    request: model({
        RegionId: "string",
        ServerCertificateName: "string",
        ServerCertificate: "string",
        PrivateKey: "string",
        AliCloudCertificateId: "string",
        ResourceGroupId: "string",
        Tag: tagFields,
    }),
    response: model({ ...serverFields, RequestId: "string" }),
    writes: true,
    handle: (request, context) => {
        const { serverCertificateName: name, resourceGroupId, tag } = request;
        const content = request.aliCloudCertificateId
            ? copyOf(context, request.aliCloudCertificateId)
            : uploadedOf(request);
        checkUpload(context, { name, resourceGroupId, tag }, "ServerCertificateName");
        context.checked();
        const certificate = store(context, { name, resourceGroupId, tag }, { kind: "server", ...content });
        return serverView(certificate);
    },
});

/** What the certificate service holds. @param id its number, alone or with the region behind a hyphen. */
function copyOf(context: ActionContext, id: string): Content {
    const { casCertificates } = context.store.state;
    const number = id.split("-")[0]!;
    const found = Object.hasOwn(casCertificates, number) ? casCertificates[number] : undefined;
    if (!found) throw notFound("AliCloudCertificateId.NotFound", "The specified AliCloudCertificateId does not exist.");
    const { name, certificate, privateKey } = found;
    checkKind(parseChain(certificate, "AliCloudCertificateId")[0]!, "AliCloudCertificateId");
    return { certificate, privateKey, source: { id, name } };
}

/** This product serves with RSA keys alone. */
function checkKind({ publicKey }: X509Certificate, wireName: string): void {
    if (publicKey.asymmetricKeyType !== "rsa") refuseParameter(wireName);
}

function uploadedOf(request: { readonly serverCertificate?: string; readonly privateKey?: string }): Content {
    const { serverCertificate: certificate, privateKey } = request;
    if (!certificate) throw missingParameter("ServerCertificate");
    if (!privateKey) throw missingParameter("PrivateKey");
    const [first] = parseChain(certificate, "ServerCertificate");
    checkKind(first!, "ServerCertificate");
    if (!privateKey.trimStart().startsWith("-----BEGIN RSA PRIVATE KEY-----")) refuseParameter("PrivateKey");
    if (!(fits(first!, privateKey) ?? refuseParameter("PrivateKey")))
        refuse("CertificateAndPrivateKeyNotMatch", "The specified certificate and private key do not match.");
    return { certificate, privateKey };
}

const describeServerCertificates = slbAction({
    name: "DescribeServerCertificates",
    request: model({
        RegionId: "string",
        ServerCertificateId: "string",
        ResourceGroupId: "string",
        Tag: tagFields,
    }),
    response: model({
        RequestId: "string",
        ServerCertificates: {
            ServerCertificate: [{ ...serverFields, Tags: { Tag: [{ TagKey: "string", TagValue: "string" }] } }],
        },
    }),
    writes: false,
    handle: (request, context) => ({
        serverCertificates: {
            serverCertificate: inRegion(context.store.state.slbCertificates, context.regionId)
                .filter(
                    (certificate) =>
                        certificate.kind === "server" &&
                        matchesAny(request.serverCertificateId, certificate.id) &&
                        matches(request.resourceGroupId, certificate.resourceGroupId) &&
                        hasTags(certificate, request.tag),
                )
                .map((certificate) => ({ ...serverView(certificate), tags: tagsView(certificate.tags) })),
        },
    }),
});

const uploadCACertificate = slbAction({
    name: "UploadCACertificate",
    request: model({
        RegionId: "string",
        CACertificate: "string",
        CACertificateName: "string",
        ResourceGroupId: "string",
        Tag: tagFields,
    }),
    response: model({ ...aboutFields, RequestId: "string", CACertificateId: "string", CACertificateName: "string" }),
    required: ["CACertificate"],
    writes: true,
    handle: (request, context) => {
        const { cACertificateName: name, resourceGroupId, tag } = request;
        checkUpload(context, { name, resourceGroupId, tag }, "CACertificateName");
        parseChain(request.cACertificate, "CACertificate");
        context.checked();
        const certificate = store(
            context,
            { name, resourceGroupId, tag },
            { kind: "ca", certificate: request.cACertificate!, privateKey: "" },
        );
        return { ...about(certificate), cACertificateId: certificate.id, cACertificateName: certificate.name };
    },
});

const describeCACertificates = slbAction({
    name: "DescribeCACertificates",
    request: model({ RegionId: "string", CACertificateId: "string", ResourceGroupId: "string", Tag: tagFields }),
    response: model({
        RequestId: "string",
        CACertificates: {
            CACertificate: [
                {
                    ...aboutFields,
                    CACertificateId: "string",
                    CACertificateName: "string",
                    RegionId: "string",
                    Tags: { Tag: [{ TagKey: "string", TagValue: "string" }] },
                },
            ],
        },
    }),
    writes: false,
    handle: (request, context) => ({
        cACertificates: {
            cACertificate: inRegion(context.store.state.slbCertificates, context.regionId)
                .filter(
                    (certificate) =>
                        certificate.kind === "ca" &&
                        matchesAny(request.cACertificateId, certificate.id) &&
                        matches(request.resourceGroupId, certificate.resourceGroupId) &&
                        hasTags(certificate, request.tag),
                )
                .map((certificate) => ({
                    ...about(certificate),
                    cACertificateId: certificate.id,
                    cACertificateName: certificate.name,
                    regionId: certificate.regionId,
                    tags: tagsView(certificate.tags),
                })),
        },
    }),
});

const setServerCertificateName = slbAction({
    name: "SetServerCertificateName",
    request: model({ RegionId: "string", ServerCertificateId: "string", ServerCertificateName: "string" }),
    response: model({ RequestId: "string" }),
    required: ["ServerCertificateId", "ServerCertificateName"],
    writes: true,
    handle: (request, context) =>
        rename(context, "server", request.serverCertificateId, request.serverCertificateName, "ServerCertificateName"),
});

const setCACertificateName = slbAction({
    name: "SetCACertificateName",
    request: model({ RegionId: "string", CACertificateId: "string", CACertificateName: "string" }),
    response: model({ RequestId: "string" }),
    required: ["CACertificateId", "CACertificateName"],
    writes: true,
    handle: (request, context) =>
        rename(context, "ca", request.cACertificateId, request.cACertificateName, "CACertificateName"),
});

function rename(
    context: ActionContext,
    kind: SlbCertificate["kind"],
    id: string | undefined,
    name: string | undefined,
    wireName: string,
): object {
    const certificate = certificateOf(context, kind, id);
    checkName(name, wireName);
    context.checked();
    certificate.name = name!;
    return {};
}

const deleteServerCertificate = slbAction({
    name: "DeleteServerCertificate",
    request: model({ RegionId: "string", ServerCertificateId: "string" }),
    response: model({ RequestId: "string" }),
    required: ["ServerCertificateId"],
    writes: true,
    handle: ({ serverCertificateId }, context) => remove(context, "server", serverCertificateId),
});

const deleteCACertificate = slbAction({
    name: "DeleteCACertificate",
    request: model({ RegionId: "string", CACertificateId: "string" }),
    response: model({ RequestId: "string" }),
    required: ["CACertificateId"],
    writes: true,
    handle: ({ cACertificateId }, context) => remove(context, "ca", cACertificateId),
});

function remove(context: ActionContext, kind: SlbCertificate["kind"], id: string | undefined): object {
    const { state } = context.store;
    const certificate = certificateOf(context, kind, id);
    const used = Object.values(state.loadBalancers).some(({ listeners }) =>
        listeners.some(
            ({ settings: { tls } }) =>
                tls?.serverCertificateId === certificate.id || tls?.caCertificateId === certificate.id,
        ),
    );
    if (used)
        refuse(
            kind === "server" ? "CertificateAndPrivateKeyIsRefered" : "CACertificateIsRefered",
            "The specified certificate is used by a listener.",
        );
    context.checked();
    Reflect.deleteProperty(state.slbCertificates, certificate.id);
    return {};
}

export const certificateActions: readonly Action[] = [
    uploadServerCertificate,
    describeServerCertificates,
    setServerCertificateName,
    deleteServerCertificate,
    uploadCACertificate,
    describeCACertificates,
    setCACertificateName,
    deleteCACertificate,
];
