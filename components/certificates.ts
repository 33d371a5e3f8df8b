import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import type { Host } from "./host";
import { generationName, generationsOf, type KeyGenerations, makeGenerations } from "./keys";

const day = 24;
const year = 365 * day;

/** A certificate and its key, in PEM format. */
export interface NodeCertificate {
    readonly certificate: pulumi.Output<string>;
    readonly privateKey: pulumi.Output<string>;
}

/** A certificate authority of one component's own. */
export interface Authority {
    /** Certificates of every valid generation, one after the other. */
    readonly certificate: pulumi.Output<string>;
    /** Certificate of a host, valid for its name and address and the names of the authority, as a server and as a client of the other hosts. */
    issue(host: Host): NodeCertificate;
    /** Certificate of a server that is no host, such as a load balancer. `child` names its resources. */
    issueServer(child: string, subject: ServerSubject): NodeCertificate;
}

/** What a server's certificate is valid for. */
export interface ServerSubject {
    readonly commonName: string;
    readonly dnsNames: readonly pulumi.Input<string>[];
    readonly ipAddresses: readonly pulumi.Input<string>[];
}

type KeyAlgorithm = "ECDSA" | "RSA";

/** What an authority is made from. */
export interface AuthorityOptions {
    /** What hosts' certificates are valid for besides the host's own name. @default [] */
    readonly dnsNames?: readonly string[];
    /** Generations of its key, and of the keys that it certifies. @default the first one */
    readonly keys?: KeyGenerations | undefined;
    /** Kind of its key, on P-256 or of 2048 bits, and of the keys that it certifies. An authority that is there keeps its key. @default "ECDSA" */
    readonly algorithm?: KeyAlgorithm;
}

/** One generation of an authority. */
interface Root {
    readonly key: tls.PrivateKey;
    readonly certificate: tls.SelfSignedCert;
}

function keyInputs(algorithm: KeyAlgorithm): tls.PrivateKeyArgs {
    return algorithm === "RSA" ? { algorithm, rsaBits: 2048 } : { algorithm, ecdsaCurve: "P256" };
}

function createRoot(name: string, parent: pulumi.Resource, generation: number, algorithm: KeyAlgorithm): Root {
    const child = generationName(`${name}-ca`, generation);
    const key = new tls.PrivateKey(
        child,
        keyInputs(algorithm),
        // Clients trust it. One of another kind comes with another generation, beside it.
        { parent, ignoreChanges: ["algorithm", "ecdsaCurve", "rsaBits"] },
    );
    const certificate = new tls.SelfSignedCert(
        child,
        {
            privateKeyPem: key.privateKeyPem,
            isCaCertificate: true,
            allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
            // Clients that know two of a name have to try both.
            subject: { commonName: `${generationName(name, generation)} certificate authority`.slice(-64) },
            validityPeriodHours: 10 * year,
            earlyRenewalHours: 2 * year,
        },
        // A component that is renamed keeps its authority, which its clients trust.
        { parent, ignoreChanges: ["subject"] },
    );
    return { key, certificate };
}

/**
 * Makes an authority below `parent`. Certificates renew by themselves in any update that comes close enough to their end;
 * the authority keeps its key when it renews, so what it has issued stays valid.
 */
export function createAuthority(name: string, parent: pulumi.Resource, options: AuthorityOptions = {}): Authority {
    const { dnsNames = [], algorithm = "ECDSA" } = options;
    const { current } = generationsOf(options.keys);
    const roots = makeGenerations(options.keys, (generation) => createRoot(name, parent, generation, algorithm));
    const issuer = roots.current;
    const issue = (plainName: string, subject: ServerSubject, uses: readonly string[]): NodeCertificate => {
        const child = generationName(plainName, current);
        const nodeKey = new tls.PrivateKey(child, keyInputs(algorithm), { parent });
        const request = new tls.CertRequest(
            child,
            {
                privateKeyPem: nodeKey.privateKeyPem,
                subject: { commonName: subject.commonName.slice(0, 64) },
                dnsNames: [...subject.dnsNames],
                ipAddresses: [...subject.ipAddresses],
            },
            { parent },
        );
        const issued = new tls.LocallySignedCert(
            child,
            {
                caPrivateKeyPem: issuer.key.privateKeyPem,
                caCertPem: issuer.certificate.certPem,
                certRequestPem: request.certRequestPem,
                allowedUses: ["digital_signature", "key_encipherment", ...uses],
                validityPeriodHours: year,
                earlyRenewalHours: 60 * day,
            },
            { parent },
        );
        return { certificate: issued.certPem, privateKey: nodeKey.privateKeyPem };
    };
    return {
        certificate: pulumi
            .all(roots.all.map(({ certificate }) => certificate.certPem))
            .apply((all) => (all.length === 1 ? all[0]! : all.map((pem) => `${pem.trim()}\n`).join(""))),
        issue: (host) =>
            issue(
                `${name}-${host.name}`,
                {
                    commonName: host.name,
                    dnsNames: [host.name, ...dnsNames],
                    ipAddresses: [host.privateAddress, "127.0.0.1"],
                },
                // Every node is a client of the others as well.
                ["server_auth", "client_auth"],
            ),
        issueServer: (child, subject) => issue(child, subject, ["server_auth"]),
    };
}
