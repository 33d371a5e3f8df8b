/** The public address that an instance gets for its bandwidth, and that goes with it. */
import { takeEipAddress } from "../../model/addresses";
import type { Eip, Instance } from "../../model/state";
import type { ActionContext } from "../action";
import { refuse } from "./checks";

/** The public address of an instance that is not an EIP of its own. */
export function publicIpOf({ store }: Pick<ActionContext, "store">, instanceId: string): Eip | undefined {
    return Object.values(store.state.eips).find(({ ephemeralFor }) => ephemeralFor === instanceId);
}

/** The EIP that is bound to an instance. */
export function boundEipOf({ store }: Pick<ActionContext, "store">, instanceId: string): Eip | undefined {
    return Object.values(store.state.eips).find(
        ({ ephemeralFor, binding }) => ephemeralFor === undefined && binding?.instanceId === instanceId,
    );
}

/** Public addresses for instances to come: all that are asked for, or a refusal. */
export function takePublicAddresses({ store }: ActionContext, amount: number): string[] {
    const { nextEip } = store.state;
    const taken: string[] = [];
    while (taken.length < amount) {
        const address = takeEipAddress(store, taken);
        if (address === undefined) {
            store.state.nextEip = nextEip;
            return refuse(
                "InvalidOperation.PublicIpAddressNoStock",
                "The public IP address for the specified Region or ChargeType of the instance is out of stock.",
                403,
            );
        }
        taken.push(address);
    }
    return taken;
}

/** Gives an instance a public address that was taken for it. */
export function addPublicIp({ store, now }: ActionContext, instance: Instance, address: string): void {
    const eip: Eip = {
        id: store.newId("eip"),
        regionId: instance.regionId,
        createdAt: now,
        name: "",
        description: "",
        tags: {},
        resourceGroupId: instance.resourceGroupId,
        address,
        bandwidth: String(instance.internetMaxBandwidthOut),
        internetChargeType: instance.internetChargeType,
        instanceChargeType: instance.instanceChargeType,
        isp: "BGP",
        netmode: "public",
        deletionProtection: false,
        ephemeralFor: instance.id,
        binding: {
            instanceId: instance.id,
            instanceType: "EcsInstance",
            instanceRegionId: instance.regionId,
            mode: "NAT",
            vpcId: instance.vpcId,
        },
    };
    store.state.eips[eip.id] = eip;
}

/** Takes an instance's public address away. */
export function releasePublicIp(context: Pick<ActionContext, "store">, instanceId: string): void {
    const eip = publicIpOf(context, instanceId);
    if (eip) Reflect.deleteProperty(context.store.state.eips, eip.id);
}
