import { createHash } from "node:crypto";

import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";

import { physicalName, tagsFor } from "../tags";
import type { ListenerArgs } from "./args";
import type { BalancerParts, BalancerPlace, ListenerCertificate } from "./cloud";

/**
 * Gives a listener's certificate to the certificate service, from which the newer products take theirs.
 *
 * @returns the certificate's number and where the service keeps it, as these products name it
 */
export function uploadCertificate(
    parts: BalancerParts,
    child: string,
    listener: ListenerArgs,
    place: BalancerPlace,
    region: pulumi.Output<string>,
): pulumi.Output<string> {
    const { args, parent } = parts;
    const given = parts.certificateOf(child, listener, place);
    const uploaded = new alicloud.cas.ServiceCertificate(
        child,
        {
            // Unique in the account.
            certificateName: certificateName(physicalName(child), given),
            cert: given.certificate,
            key: pulumi.secret(given.privateKey),
            tags: tagsFor(child, args.tags),
        },
        { parent, additionalSecretOutputs: ["key"] },
    );
    return pulumi.interpolate`${uploaded.id}-${region.apply(certificateRegion)}`;
}

/**
 * Name of a certificate that stays beside the one that it replaces, until no listener has that any more: with the same name the provider
 * would delete first, which the cloud refuses.
 */
export function certificateName(name: string, { certificate }: ListenerCertificate): pulumi.Output<string> {
    return pulumi.output(certificate).apply((pem) => `${name.slice(0, 48)}-${digest(pem)}`);
}

/** The certificate service has two homes: one for the regions of China, one for the others. */
function certificateRegion(region: string): string {
    return region.startsWith("cn-") ? "cn-hangzhou" : "ap-southeast-1";
}

function digest(text: string): string {
    return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
