import type { Plugin } from "../common/plugin";
import { check, type Failure, type Fields } from "../common/schema";
import { isMap, isUnknown, plain, type Value, type ValueMap } from "../common/values";
import { getCertificate, getPublicKey, type Proxy } from "./functions";
import { certRequest, locallySignedCert, privateKey, selfSignedCert } from "./resources";

const proxyFields: Fields = {
    url: {
        type: "string",
        problem: (value) =>
            /^(https?|socks5):\/\//.test(value as string)
                ? undefined
                : `Invalid URL scheme. Proxy URL expected to use scheme from [http https socks5]`,
    },
    username: { type: "string" },
    password: { type: "string", secret: true },
    fromEnv: { type: "boolean" },
};

// Settings of a provider travel as JSON texts.
function proxySetting(value: Value | undefined): ValueMap | undefined {
    const setting = plain(value ?? null);
    const parsed = typeof setting === "string" && setting !== "" ? (JSON.parse(setting) as Value) : setting;
    return isMap(parsed) ? parsed : undefined;
}

function proxyFailures(proxy: ValueMap): Failure[] {
    const { failures } = check(proxyFields, proxy);
    const has = (property: string) => proxy[property] !== undefined;
    const needs = (property: string, other: string) => {
        if (has(property) && !has(other)) {
            failures.push({ property, reason: `'proxy.${property}' needs 'proxy.${other}'` });
        }
    };
    needs("username", "url");
    needs("password", "username");
    if (has("fromEnv") && has("url")) {
        failures.push({ property: "fromEnv", reason: "'proxy.fromEnv' and 'proxy.url' exclude each other" });
    }
    return failures.map(({ property, reason }) => ({ property: `proxy.${property}`, reason }));
}

export function tlsPlugin(): Plugin {
    let proxy: Proxy = {};
    return {
        name: "tls",
        version: "5.6.1",
        acceptSecrets: false,
        resources: {
            "tls:index/privateKey:PrivateKey": privateKey(),
            "tls:index/certRequest:CertRequest": certRequest(),
            "tls:index/selfSignedCert:SelfSignedCert": selfSignedCert(),
            "tls:index/locallySignedCert:LocallySignedCert": locallySignedCert(),
        },
        functions: {
            "tls:index/getPublicKey:getPublicKey": getPublicKey(),
            "tls:index/getCertificate:getCertificate": getCertificate(() => proxy),
        },
        checkConfig: (inputs) => {
            const setting = isUnknown(inputs["proxy"]) ? undefined : proxySetting(inputs["proxy"]);
            return { inputs, failures: setting ? proxyFailures(setting) : [] };
        },
        configure: (config) => {
            proxy = proxySetting(config["proxy"]) ?? {};
        },
        close: async () => undefined,
    };
}
