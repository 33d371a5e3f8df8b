import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();

/**
 * An address that instances of one VSwitch may hold: whichever of them announces it. Keepalived does that when its peer is silent; its peers
 * have to be unicast, as a VPC knows no multicast.
 */
const haVip = new alicloud.vpc.HAVip("service", {
    vswitchId: config.require("vswitchId"),
    haVipName: "service",
    tags: { "multihost:stack": pulumi.getStack() },
});

const attachments = config
    .requireObject<string[]>("instanceIds")
    .map((instanceId) => new alicloud.vpc.HAVipAttachment(instanceId, { haVipId: haVip.id, instanceId }));

/** Known once every instance may hold it. */
export const address = pulumi.all([haVip.ipAddress, ...attachments.map(({ id }) => id)]).apply(([ip]) => ip);
export const id = haVip.id;
