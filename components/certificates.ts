import type * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import type { Host } from "./host";

const day = 24;
const year = 365 * day;

/** A certificate and its key, in PEM format. */
export interface NodeCertificate {
    readonly certificate: pulumi.Output<string>;
    readonly privateKey: pulumi.Output<string>;
}

/** A certificate authority of one component's own. */
export interface Authority {
    readonly certificate: pulumi.Output<string>;
    /** Certificate of a host, valid for its name and address, as a server and as a client of the other hosts. */
    issue(host: Host): NodeCertificate;
}

/**
 * Makes an authority below `parent`. Certificates renew by themselves in any update that comes close enough to their end;
 * the authority keeps its key when it renews, so what it has issued stays valid.
 */
export function createAuthority(name: string, parent: pulumi.Resource): Authority {
    const key = new tls.PrivateKey(`${name}-ca`, { algorithm: "ECDSA", ecdsaCurve: "P256" }, { parent });
    const authority = new tls.SelfSignedCert(
        `${name}-ca`,
        {
            privateKeyPem: key.privateKeyPem,
            isCaCertificate: true,
            allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
            subject: { commonName: `${name} certificate authority`.slice(-64) },
            validityPeriodHours: 10 * year,
            earlyRenewalHours: 2 * year,
        },
        { parent },
    );
    return {
        certificate: authority.certPem,
        issue(host) {
            const child = `${name}-${host.name}`;
            const nodeKey = new tls.PrivateKey(child, { algorithm: "ECDSA", ecdsaCurve: "P256" }, { parent });
            const request = new tls.CertRequest(
                child,
                {
                    privateKeyPem: nodeKey.privateKeyPem,
                    subject: { commonName: host.name.slice(0, 64) },
                    dnsNames: [host.name],
                    ipAddresses: [host.privateAddress, "127.0.0.1"],
                },
                { parent },
            );
            const issued = new tls.LocallySignedCert(
                child,
                {
                    caPrivateKeyPem: key.privateKeyPem,
                    caCertPem: authority.certPem,
                    certRequestPem: request.certRequestPem,
                    // Every node is a client of the others as well.
                    allowedUses: ["digital_signature", "key_encipherment", "server_auth", "client_auth"],
                    validityPeriodHours: year,
                    earlyRenewalHours: 60 * day,
                },
                { parent },
            );
            return { certificate: issued.certPem, privateKey: nodeKey.privateKeyPem };
        },
    };
}
