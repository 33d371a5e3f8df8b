import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { shellWord } from "../toolchain/commandLine";
import { withoutProxyHere } from "../toolchain/noProxy";
import { writePrivate } from "./files";
import type { LabIdentity } from "./identity";
import type { LabPaths } from "./paths";

/** Where systems keep the certificates that they trust. */
const systemBundles = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/**
 * Products whose endpoint clients look up in the environment: nothing may reach the real cloud by accident. Among them
 * are all for which the provider doesn't ask the location service.
 */
const endpointProducts = [
    "alb",
    "alidns",
    "brain_industrial",
    "bssopenapi",
    "cas",
    "cassandra",
    "cbn",
    "cloudfw",
    "computenestsupplier",
    "ecs",
    "eds_aic",
    "esa",
    "kms",
    "location",
    "market",
    "nas",
    "nlb",
    "openapiexplorer",
    "pvtz",
    "ram",
    "resourcecenter",
    "resourcedirectorymaster",
    "resourcemanager",
    "ros",
    "sas",
    "scdn",
    "slb",
    "sts",
    "tablestore",
    "tag",
    "vpc",
    "vpcpeer",
];

/** Products that are looked up under the old names, such as `LOCATION_ENDPOINT`, alone, or by a part of the provider. */
const oldEndpointProducts = ["cdn", "datahub", "location", "mns", "ots"];

/** Variables by which the provider and the SDKs find other credentials than a key pair, which may be those of a real account. */
const otherCredentials = [
    "ALICLOUD_SECURITY_TOKEN",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
    "ALIBABACLOUD_SECURITY_TOKEN",
    "ALICLOUD_ECS_ROLE_NAME",
    "ALIBABA_CLOUD_ECS_METADATA",
    "ALICLOUD_SHARED_CREDENTIALS_FILE",
    "ALIBABA_CLOUD_CREDENTIALS_FILE",
    "ALICLOUD_PROFILE",
    "ALIBABA_CLOUD_PROFILE",
    "ALICLOUD_CREDENTIALS_URI",
    "ALIBABA_CLOUD_CREDENTIALS_URI",
    "ALICLOUD_ASSUME_ROLE_ARN",
    "ALICLOUD_ASSUME_ROLE_SESSION_NAME",
    "ALICLOUD_ASSUME_ROLE_SESSION_EXPIRATION",
    "ALIBABA_CLOUD_ROLE_ARN",
    "ALIBABA_CLOUD_ROLE_SESSION_NAME",
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
    "ALIBABA_CLOUD_OIDC_TOKEN",
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
];

/**
 * Environment of a client of this lab: keys and no other credentials, trust in the lab's certificate beside what is
 * trusted already, endpoints, Pulumi's backend. Also writes the files that it names. What is empty is to be unset; for
 * Pulumi and the provider that is the same.
 */
export function clientEnvironment(
    paths: LabPaths,
    identity: LabIdentity,
    lab: { readonly authority: string; readonly region: string; readonly port: number },
    current: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
    const bundle = join(paths.certificates, "ca-bundle.pem");
    const extra = join(paths.certificates, "extra-ca.pem");
    const trusted = [current["SSL_CERT_FILE"], ...systemBundles].find((file) => isForeign(file, paths));
    const alsoTrusted = current["NODE_EXTRA_CA_CERTS"];
    const authority = lab.authority.trim();
    const read = (file: string | undefined): string => (file === undefined ? "" : readFileSync(file, "utf8").trim());
    writePrivate(bundle, `${read(trusted)}\n${authority}\n`.trimStart());
    writePrivate(extra, `${read(isForeign(alsoTrusted, paths) ? alsoTrusted : undefined)}\n${authority}\n`.trimStart());

    const endpoint = `127.0.0.1:${lab.port}`;
    const keys = { id: identity.accessKeyId, secret: identity.accessKeySecret };
    return {
        ...Object.fromEntries(otherCredentials.map((name) => [name, ""])),
        ALICLOUD_ACCESS_KEY: keys.id,
        ALICLOUD_SECRET_KEY: keys.secret,
        ALICLOUD_REGION: lab.region,
        ALIBABA_CLOUD_ACCESS_KEY_ID: keys.id,
        ALIBABA_CLOUD_ACCESS_KEY_SECRET: keys.secret,
        ALIBABACLOUD_ACCESS_KEY_ID: keys.id,
        ALIBABACLOUD_ACCESS_KEY_SECRET: keys.secret,
        ALIBABA_CLOUD_REGION: lab.region,
        ALICLOUD_ACCOUNT_ID: identity.accountId,
        ALIBABA_CLOUD_ACCOUNT_ID: identity.accountId,
        ALIBABA_CLOUD_ACCOUNT_TYPE: "Domestic",
        ...Object.fromEntries(
            endpointProducts.map((product) => [`ALIBABA_CLOUD_ENDPOINT_${product.toUpperCase()}`, endpoint]),
        ),
        ...Object.fromEntries(oldEndpointProducts.map((product) => [`${product.toUpperCase()}_ENDPOINT`, endpoint])),
        SSL_CERT_FILE: bundle,
        REQUESTS_CA_BUNDLE: bundle,
        NODE_EXTRA_CA_CERTS: extra,
        // One client compares with host:port, another with the host.
        ...withoutProxyHere(current, endpoint),
        PULUMI_BACKEND_URL: `file://${paths.pulumi}`,
        PULUMI_CONFIG_PASSPHRASE: identity.passphrase,
        // The passphrase's salt is in the lab's folder, not in the repository: take it from the stack's state.
        PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_SUPPRESS_NEO_LINK: "true",
        LAB_NAME: paths.name,
        LAB_PORT: String(lab.port),
        LAB_ENDPOINT: endpoint,
    };
}

/** An environment as a shell's commands. Not every SDK takes a variable that is empty for unset. */
export function shellCommands(environment: Readonly<Record<string, string>>): string {
    return Object.entries(environment)
        .map(([name, value]) => (value === "" ? `unset ${name}\n` : `export ${name}=${shellWord(value)}\n`))
        .join("");
}

/** A file that is there and not one of this lab's own, which an environment inherited from it may name. */
function isForeign(file: string | undefined, paths: LabPaths): file is string {
    return file !== undefined && file !== "" && existsSync(file) && !file.startsWith(join(paths.certificates, "/"));
}
