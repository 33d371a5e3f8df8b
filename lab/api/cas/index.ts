/** `cas`: the certificate service, as far as balancers need it. */
import { X509Certificate } from "node:crypto";
import type { CasCertificate } from "../../model/alb";
import { Action, ActionContext, defineAction } from "../action";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { model } from "../common/model";
import { fits, parseChain } from "../pem";
import { notFound } from "../errors";
import { refuse, valueOr } from "../ecs/checks";
import { matches, paginate, tagProblem, toTags } from "../listing";

/** Uploaded certificates of an account. */
const MAX_CERTIFICATES = 100;
/** Numbers of certificates begin above it. */
const FIRST_NUMBER = 10_000_000;

/** How long before its end a certificate is about to expire. */
const EXPIRY_NOTICE_MS = 30 * 24 * 60 * 60 * 1000;

const tagFields = [{ Key: "string", Value: "string" }] as const;

const refuseParameter = (wireName: string): never =>
    refuse("InvalidParameter", `The specified ${wireName} is invalid.`);

function certificateOf({ store }: ActionContext, number: number | string | undefined): CasCertificate {
    const certificate = store.state.casCertificates[String(number)];
    if (!certificate) throw notFound("NotFound", "The certificate does not exist.");
    return certificate;
}

function checkTags(tags: readonly { readonly key?: string; readonly value?: string }[] | undefined): void {
    if (tagProblem(tags) !== undefined) refuseParameter("Tags");
}

/** Refuses a name that another certificate has. */
function checkName({ store }: ActionContext, name: string | undefined, own?: CasCertificate): void {
    if (name && Object.values(store.state.casCertificates).some((one) => one !== own && one.name === name))
        refuse("NameRepeat", `A certificate of the name ${name} exists.`);
}

const uploadUserCertificate = defineAction({
    product: "cas",
    version: "2020-04-07",
    name: "UploadUserCertificate",
    request: model({
        Name: "string",
        Cert: "string",
        Key: "string",
        ResourceGroupId: "string",
        Tags: tagFields,
    }),
    response: model({ RequestId: "string", CertId: "number", ResourceId: "string" }),
    required: ["Name", "Cert", "Key"],
    writes: true,
    handle: (request, context) => {
        const { store, now, regionId } = context;
        const { casCertificates } = store.state;
        checkName(context, request.name);
        checkTags(request.tags);
        const [first] = parseChain(request.cert) ?? refuseParameter("Cert");
        if (!(fits(first!, request.key!) ?? refuseParameter("Key")))
            refuse("CertKeyNotMatch", "The certificate and the private key do not match.");
        if (Object.keys(casCertificates).length >= MAX_CERTIFICATES)
            refuse("QuotaExceeded", "The number of certificates exceeds the limit.");
        context.checked();
        const number = Math.max(FIRST_NUMBER, ...Object.keys(casCertificates).map(Number)) + 1;
        casCertificates[number] = {
            id: String(number),
            regionId,
            createdAt: now,
            name: request.name!,
            description: "",
            tags: toTags(request.tags),
            resourceGroupId: valueOr(request.resourceGroupId, DEFAULT_RESOURCE_GROUP_ID),
            certificate: request.cert!,
            privateKey: request.key!,
        };
        return { certId: number, resourceId: `cas-ivauto-${number}` };
    },
});

const getUserCertificateDetail = defineAction({
    product: "cas",
    version: "2020-04-07",
    name: "GetUserCertificateDetail",
    request: model({ CertId: "number", CertFilter: "boolean" }),
    response: model({
        RequestId: "string",
        Id: "number",
        Name: "string",
        CertIdentifier: "string",
        Cert: "string",
        Key: "string",
        Common: "string",
        Fingerprint: "string",
        SerialNo: "string",
        StartDate: "string",
        EndDate: "string",
        Expired: "boolean",
        BuyInAliyun: "boolean",
        ResourceGroupId: "string",
        Tags: tagFields,
    }),
    required: ["CertId"],
    writes: false,
    handle: ({ certId, certFilter }, context) => {
        const certificate = certificateOf(context, certId);
        const { common, ...facts } = factsOf(certificate, context);
        return {
            id: Number(certificate.id),
            certIdentifier: `${certificate.id}-${certificateRegion(certificate.regionId)}`,
            ...(certFilter !== true && { cert: certificate.certificate, key: certificate.privateKey }),
            common,
            ...facts,
            buyInAliyun: false,
            tags: Object.entries(certificate.tags).map(([key, value]) => ({ key, value })),
        };
    },
});

/** The same by an older version, which the provider's data source asks for certificates with their content. */
const describeUserCertificateDetail = defineAction({
    product: "cas",
    version: "2018-07-13",
    name: "DescribeUserCertificateDetail",
    request: model({ CertId: "number" }),
    response: model({
        RequestId: "string",
        Id: "number",
        Name: "string",
        Cert: "string",
        Key: "string",
        Common: "string",
        Fingerprint: "string",
        StartDate: "string",
        EndDate: "string",
        Expired: "boolean",
        BuyInAliyun: "boolean",
    }),
    required: ["CertId"],
    writes: false,
    handle: ({ certId }, context) => {
        const certificate = certificateOf(context, certId);
        const { name, common, fingerprint, startDate, endDate, expired } = factsOf(certificate, context);
        return {
            id: Number(certificate.id),
            name,
            cert: certificate.certificate,
            key: certificate.privateKey,
            common,
            fingerprint,
            startDate,
            endDate,
            expired,
            buyInAliyun: false,
        };
    },
});

const listUserCertificateOrder = defineAction({
    product: "cas",
    version: "2020-04-07",
    name: "ListUserCertificateOrder",
    request: model({
        OrderType: "string",
        Status: "string",
        Keyword: "string",
        ResourceGroupId: "string",
        CurrentPage: "number",
        ShowSize: "number",
    }),
    response: model({
        RequestId: "string",
        CurrentPage: "number",
        ShowSize: "number",
        TotalCount: "number",
        CertificateOrderList: [
            {
                CertificateId: "number",
                Name: "string",
                CommonName: "string",
                Fingerprint: "string",
                SerialNo: "string",
                StartDate: "string",
                EndDate: "string",
                Expired: "boolean",
                Status: "string",
                Upload: "boolean",
                ResourceGroupId: "string",
            },
        ],
    }),
    writes: false,
    handle: (request, context) => {
        // Certificates of other orders than an upload are bought.
        const uploaded = ["CERT", "UPLOAD"].includes(request.orderType ?? "")
            ? Object.values(context.store.state.casCertificates)
            : [];
        const found = uploaded
            .filter(({ resourceGroupId }) => matches(request.resourceGroupId, resourceGroupId))
            .map((certificate) => {
                const { common, ...facts } = factsOf(certificate, context);
                const status = statusOf(certificate, context);
                return { certificateId: Number(certificate.id), commonName: common, ...facts, status, upload: true };
            })
            .filter(
                ({ commonName, status }) =>
                    commonName.includes(request.keyword ?? "") &&
                    // Who asks for no status gets those that can still be used.
                    (request.status ? status === request.status : status !== "EXPIRED"),
            );
        const asked = { pageNumber: request.currentPage, pageSize: request.showSize };
        const { items, totalCount, pageNumber, pageSize } = paginate(found, asked, { default: 50, max: 50 });
        return { currentPage: pageNumber, showSize: pageSize, totalCount, certificateOrderList: items };
    },
});

/** What is said of a certificate wherever it is described. */
function factsOf(certificate: CasCertificate, { now }: ActionContext) {
    const { subject, fingerprint, serialNumber, validFrom, validTo } = new X509Certificate(certificate.certificate);
    return {
        name: certificate.name,
        common: /^CN=(.*)$/m.exec(subject)?.[1] ?? "",
        fingerprint,
        serialNo: serialNumber,
        startDate: dayOf(validFrom),
        endDate: dayOf(validTo),
        expired: Date.parse(validTo) < Date.parse(now),
        resourceGroupId: certificate.resourceGroupId,
    };
}

function statusOf({ certificate }: CasCertificate, { now }: ActionContext): "ISSUED" | "WILLEXPIRED" | "EXPIRED" {
    const left = Date.parse(new X509Certificate(certificate).validTo) - Date.parse(now);
    return left < 0 ? "EXPIRED" : left < EXPIRY_NOTICE_MS ? "WILLEXPIRED" : "ISSUED";
}

/** Where the service keeps what balancers of a region use. */
function certificateRegion(regionId: string): string {
    return regionId.startsWith("cn-") ? "cn-hangzhou" : "ap-southeast-1";
}

function dayOf(date: string): string {
    return new Date(date).toISOString().slice(0, 10);
}

const deleteUserCertificate = defineAction({
    product: "cas",
    version: "2020-04-07",
    name: "DeleteUserCertificate",
    request: model({ CertId: "number" }),
    response: model({ RequestId: "string" }),
    required: ["CertId"],
    writes: true,
    handle: ({ certId }, context) => {
        const certificate = certificateOf(context, certId);
        const { albListeners, nlbListeners } = context.store.state;
        const isUsed = [
            ...Object.values(albListeners),
            ...Object.values(nlbListeners).map(({ settings }) => settings),
        ].some(({ certificateIds }) => certificateIds.some((id) => id.startsWith(`${certificate.id}-`)));
        if (isUsed) refuse("CertificateInUse", "The certificate is deployed to a cloud product.");
        context.checked();
        Reflect.deleteProperty(context.store.state.casCertificates, certificate.id);
        return {};
    },
});

/** Renames a certificate and sets its tags, by the service's older version. */
const createCertificateName = defineAction({
    product: "cas",
    version: "2018-08-13",
    name: "CreateCertificateName",
    request: model({ CertificateId: "string", Name: "string", ResourceGroupId: "string", Tags: tagFields }),
    response: model({ RequestId: "string" }),
    required: ["CertificateId"],
    writes: true,
    handle: (request, context) => {
        const certificate = certificateOf(context, request.certificateId);
        const tags = (request.tags ?? []).filter(({ key }) => key !== undefined && key !== "");
        checkName(context, request.name, certificate);
        checkTags(tags);
        context.checked();
        certificate.name = valueOr(request.name, certificate.name);
        certificate.resourceGroupId = valueOr(request.resourceGroupId, certificate.resourceGroupId);
        if (request.tags !== undefined) certificate.tags = toTags(tags);
        return {};
    },
});

/** Every action of `cas` that the lab has. */
export const actions: Action[] = [
    uploadUserCertificate,
    getUserCertificateDetail,
    describeUserCertificateDetail,
    listUserCertificateOrder,
    deleteUserCertificate,
    createCertificateName,
];
