import type { DesiredTls } from "../../model/desired";
import { tlsVersions } from "../../model/projectSlb";
import type { Action } from "../action";
import { model } from "../common/model";
import { nlbAction } from "./action";

const versions: readonly (DesiredTls["minimum"] | DesiredTls["maximum"])[] = [
    "TLSv1.0",
    "TLSv1.1",
    "TLSv1.2",
    "TLSv1.3",
];

const keyAgreement = ["ECDSA", "RSA"].flatMap((key) =>
    ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA256", "AES256-SHA384", "AES128-SHA", "AES256-SHA"].map(
        (suite) => `ECDHE-${key}-${suite}`,
    ),
);
const keyTransport = [
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-SHA256",
    "AES256-SHA256",
    "AES128-SHA",
    "AES256-SHA",
    "DES-CBC3-SHA",
];
const version13 = [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_CCM_SHA256",
    "TLS_AES_128_CCM_8_SHA256",
];
const compatible = [...keyAgreement, ...keyTransport];

/** What the reference lists; the lab's balancers hold to the versions alone. */
const ciphers: Readonly<Record<string, readonly string[]>> = {
    tls_cipher_policy_1_0: compatible,
    tls_cipher_policy_1_1: compatible,
    tls_cipher_policy_1_2: compatible,
    tls_cipher_policy_1_2_strict: keyAgreement,
    tls_cipher_policy_1_2_strict_with_1_3: [...version13, ...keyAgreement],
};

const listSystemSecurityPolicy = nlbAction({
    name: "ListSystemSecurityPolicy",
    request: model({ RegionId: "string" }),
    response: model({
        RequestId: "string",
        SecurityPolicies: [
            { SecurityPolicyId: "string", SecurityPolicyName: "string", TlsVersion: "string", Ciphers: "string" },
        ],
    }),
    writes: false,
    handle: () => ({
        securityPolicies: Object.entries(ciphers).map(([name, suites]) => {
            const { minimum, maximum } = tlsVersions(name);
            return {
                securityPolicyId: name,
                securityPolicyName: name,
                tlsVersion: versions.slice(versions.indexOf(minimum), versions.indexOf(maximum) + 1).join(","),
                ciphers: suites.join(","),
            };
        }),
    }),
});

export const securityPolicyActions: readonly Action[] = [listSystemSecurityPolicy];
