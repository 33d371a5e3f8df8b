/** How many addresses of the VSwitches the stack takes. */
import { slotNumbers, slotVswitch } from "../components/nodePool/settings";
import type { StackConfig } from "../config";
import { balancerAddresses } from "./loadBalancer";
import { webHosts } from "./web";

/** The addresses that hosts, balancer and file storage take in each of so many VSwitches. */
export function addressesTaken(
    { hosts, web, storage, loadBalancer }: Pick<StackConfig, "hosts" | "web" | "storage" | "loadBalancer">,
    vswitches: number,
): number[] {
    const pools = [hosts, ...(web.enabled ? [webHosts(web, hosts)] : [])];
    const places = pools.flatMap(({ count, exclude, placement }) =>
        slotNumbers(count, exclude).map((number) => slotVswitch(number, placement, vswitches)),
    );
    // The bastion, and where clients mount the cloud's own file storage.
    places.push(1, ...(storage.enabled && storage.engine === "nas" ? [1] : []));
    return Array.from({ length: vswitches }, (_, index) => {
        const here = places.filter((place) => place === index + 1).length;
        return here + balancerAddresses(loadBalancer, index + 1);
    });
}
