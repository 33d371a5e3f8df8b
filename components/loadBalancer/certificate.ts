import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";

import { sha256 } from "../scripts";
import { physicalName, shortened, tagsFor } from "../tags";
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
    const home = pulumi.all([region, accountTypeOf(parent)]).apply(([id, type]) => certificateRegion(id, type));
    return pulumi.interpolate`${uploaded.id}-${home}`;
}

/**
 * Name of a certificate that stays beside the one that it replaces, until no listener has that any more: with the same name the provider
 * would delete first, which the cloud refuses.
 */
export function certificateName(name: string, { certificate }: ListenerCertificate): pulumi.Output<string> {
    return pulumi.output(certificate).apply((pem) => `${shortened(name, 48)}-${sha256(pem).slice(0, 8)}`);
}

/**
 * The certificate service has two homes. The provider (connectivity/endpoint.go) takes the one outside of China for international accounts
 * in regions that are no part of its market there, Hong Kong among them; which kind of account it is, only its setting tells here.
 */
function certificateRegion(region: string, accountType: string | undefined): string {
    const isChinese = region.startsWith("cn-");
    switch (accountType) {
        case "Domestic":
            return "cn-hangzhou";
        case "International":
            return isChinese && region !== "cn-hongkong" ? "cn-hangzhou" : "ap-southeast-1";
        default:
            return isChinese ? "cn-hangzhou" : "ap-southeast-1";
    }
}

/** As the provider that was handed to the balancer says, or else the stack's settings. */
function accountTypeOf(balancer: pulumi.Resource): pulumi.Output<string | undefined> {
    const provider = balancer.getProvider("alicloud:cas/serviceCertificate:ServiceCertificate");
    const ofStack = new pulumi.Config("alicloud").get("accountType");
    return pulumi.output((provider as alicloud.Provider | undefined)?.accountType).apply((own) => own ?? ofStack);
}
