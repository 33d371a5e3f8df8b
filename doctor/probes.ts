/** What is examined from hosts although no step has made it: resources of the cloud's, as its hosts see them. */
import { commandText } from "../components/scriptText";
import type { StackResource } from "../delivery/states";
import { balancersOf, type Fields, fieldsOf, type Find, finder, text } from "../graph/balancers";
import { attachedVpcs, vpcOf } from "../graph/topology";
import { reachable, type Way } from "./balancers";
import { loadCheck } from "./checks";
import type { Finding } from "./findings";
import type { InventoryHost } from "./inventory";
import { zonesOf } from "./names";

/** A check, and the hosts that can run it: each of them does, or for one of the service as a whole the first that takes a login. */
export interface Probe {
    /** Name of the check, such as `dns/names`. */
    readonly check: string;
    /** The best one first. */
    readonly from: readonly Vantage[];
}

/** Who can run a check. */
export interface Vantage {
    /** Undefined for the machine that the doctor runs on. */
    readonly host: InventoryHost | undefined;
    /** With what there is to ask from there. */
    readonly command: string;
    /** What can't be asked from there. */
    readonly aside: readonly Finding[];
}

/** A host whose machine the stack has made, so that its state tells where it stands. */
export interface PlacedHost {
    readonly host: InventoryHost;
    /** Id of its instance. */
    readonly instance: string;
    /** Id of its VPC. */
    readonly vpc: string;
    /** Its address within the VPC. */
    readonly address: string;
}

export interface Probes {
    readonly probes: readonly Probe[];
    readonly findings: readonly Finding[];
}

/** Which checks of the cloud's resources there are, and which hosts can run them. */
export function readProbes(resources: readonly StackResource[], hosts: readonly InventoryHost[]): Probes {
    const of = finder(resources);
    const switches = new Map(of("vpc/switch:Switch").map((resource) => [resource.id ?? "", fieldsOf(resource)]));
    const placed = placesOf(of, hosts, switches);
    const names = nameProbes(resources, placed);
    const balancers = balancerProbes(resources, placed, switches);
    return {
        probes: [...names.probes, ...balancers.probes],
        findings: [...names.findings, ...balancers.findings],
    };
}

function placesOf(of: Find, hosts: readonly InventoryHost[], switches: ReadonlyMap<string, Fields>): PlacedHost[] {
    const instances = new Map(of("ecs/instance:Instance").map((resource) => [resource.id ?? "", fieldsOf(resource)]));
    return hosts.flatMap((host): PlacedHost[] => {
        const { machine: instance } = host;
        const outputs = instances.get(instance);
        if (outputs === undefined) return [];
        return [{ host, instance, vpc: vpcOf(outputs, switches), address: text(outputs["privateIp"]) }];
    });
}

/** Every host asks for itself: its own resolver decides what its services see. */
function nameProbes(resources: readonly StackResource[], placed: readonly PlacedHost[]): Probes {
    const attachments = finder(resources)("pvtz/zoneAttachment:ZoneAttachment").map(fieldsOf);
    const zones = zonesOf(resources).map((zone) => ({
        ...zone,
        vpcs: attachments.filter((fields) => fields["zoneId"] === zone.id).flatMap(attachedVpcs),
    }));
    const vpcs = [...new Set(placed.map(({ vpc }) => vpc))].filter((vpc) => vpc !== "");
    return {
        probes: vpcs.flatMap((vpc): Probe[] => {
            const known = zones.filter((zone) => zone.vpcs.includes(vpc) && zone.names.length > 0);
            if (known.length === 0) return [];
            const values = {
                PARAM_NAMES: known.flatMap(({ names }) => names).join(" "),
                PARAM_ZONES: known.map(({ name }) => name).join(" "),
            };
            const asking = placed.filter((one) => one.vpc === vpc);
            return [
                {
                    check: "dns/names",
                    from: asking.map(({ host }) => ({
                        host,
                        command: commandOf("dns/names", values),
                        aside: [],
                    })),
                },
            ];
        }),
        findings: zones
            .filter((zone) => !zone.vpcs.some((vpc) => vpcs.includes(vpc)))
            .map(({ name }) =>
                unasked("dns", "names", `${name}: no host of the stack is known to stand in a VPC that it is bound to`),
            ),
    };
}

function balancerProbes(
    resources: readonly StackResource[],
    placed: readonly PlacedHost[],
    switches: ReadonlyMap<string, Fields>,
): Probes {
    const results = balancersOf(resources).map((balancer): Probes => {
        const { name, ways, missing } = reachable(resources, balancer, placed, switches);
        const skip = (details: readonly string[]): Finding[] =>
            details.map((detail) => unasked("balancer", "listener", `${name}${detail}`));
        const [best] = ways;
        if (best === undefined || best.listeners.length === 0)
            return { probes: [], findings: skip([...missing, ...(best?.refused ?? [])]) };
        const vantage = ({ place, listeners, refused }: Way): Vantage => {
            const values = {
                PARAM_NAME: name,
                PARAM_ADDRESSES: balancer.addresses.join(" "),
                PARAM_LISTENERS: listeners.join(" "),
            };
            const command = commandOf("balancer/listeners", values);
            return { host: place?.host, command, aside: skip(refused) };
        };
        const from = ways.filter(({ listeners }) => listeners.length > 0).map(vantage);
        return { probes: [{ check: "balancer/listeners", from }], findings: skip(missing) };
    });
    return {
        probes: results.flatMap(({ probes }) => probes),
        findings: results.flatMap(({ findings }) => findings),
    };
}

/** As it stands it runs on this machine, too, where nothing that is asked needs to be asked by root. */
function commandOf(check: string, values: Readonly<Record<string, string>>): string {
    return commandText(loadCheck(check)!.script, values, "root");
}

function unasked(service: string, check: string, detail: string): Finding {
    return { host: null, service, step: null, check, status: "skipped", detail };
}
