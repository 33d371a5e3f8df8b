import { CreateForwardEntryRequest } from "@alicloud/vpc20160428/dist/models/CreateForwardEntryRequest";
import { CreateForwardEntryResponseBody } from "@alicloud/vpc20160428/dist/models/CreateForwardEntryResponseBody";
import { DeleteForwardEntryRequest } from "@alicloud/vpc20160428/dist/models/DeleteForwardEntryRequest";
import { DeleteForwardEntryResponseBody } from "@alicloud/vpc20160428/dist/models/DeleteForwardEntryResponseBody";
import { DescribeForwardTableEntriesRequest } from "@alicloud/vpc20160428/dist/models/DescribeForwardTableEntriesRequest";
import { DescribeForwardTableEntriesResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeForwardTableEntriesResponseBody";
import { ModifyForwardEntryRequest } from "@alicloud/vpc20160428/dist/models/ModifyForwardEntryRequest";
import { ModifyForwardEntryResponseBody } from "@alicloud/vpc20160428/dist/models/ModifyForwardEntryResponseBody";
import { containsAddress, parseAddress, parseCidr } from "../../model/addresses";
import type { ForwardEntry, NatGateway } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { inRegion, matches, paginate } from "../listing";
import { vpcAction } from "./action";
import { checkName, checkOneOf, refuse } from "./checks";
import { forwardEntryOf, gatewayOfForwardTable, natGatewayOf } from "./lookup";
import { eipsOfGateway } from "./natGateways";
import { quotas } from "./quotas";

const createForwardEntry = vpcAction({
    name: "CreateForwardEntry",
    request: CreateForwardEntryRequest,
    response: CreateForwardEntryResponseBody,
    required: ["ForwardTableId", "ExternalIp", "ExternalPort", "InternalIp", "InternalPort", "IpProtocol"],
    writes: true,
    handle: async (request, context) => {
        const { store } = context;
        const gateway = gatewayOfForwardTable(context, request.forwardTableId);
        const entry: ForwardEntry = {
            id: store.newId("fwd"),
            natGatewayId: gateway.id,
            name: request.forwardEntryName ?? "",
            externalIp: request.externalIp!,
            externalPort: request.externalPort!,
            internalIp: request.internalIp!,
            internalPort: request.internalPort!,
            protocol: request.ipProtocol!.toLowerCase(),
        };
        check(context, gateway, entry, request.portBreak);
        if (entriesOf(context, gateway).length >= quotas.forwardEntriesPerGateway)
            refuse("QuotaExceeded", "Forward entry quota exceeded in this route table.");
        context.checked();
        store.state.forwardEntries[entry.id] = entry;
        await context.applied();
        return { forwardEntryId: entry.id };
    },
});

function entriesOf({ store }: ActionContext, gateway: NatGateway): ForwardEntry[] {
    return Object.values(store.state.forwardEntries).filter(({ natGatewayId }) => natGatewayId === gateway.id);
}

/** Checks an entry as it would be, against the gateway and its other entries. */
function check(context: ActionContext, gateway: NatGateway, entry: ForwardEntry, portBreak: boolean | undefined): void {
    checkName(entry.name, "InvalidParameter.Name.Malformed", { min: 2, letterFirst: true });
    checkOneOf(entry.protocol, ["tcp", "udp", "any"], "IpProtocol", "InvalidProtocal.ValueNotSupported");
    const external = parsePorts(entry.externalPort, "InvalidExternalPort.Malformed");
    const internal = parsePorts(entry.internalPort, "InvalidInternalPort.Malformed");
    const any = [external === "any", internal === "any", entry.protocol === "any"];
    if (any.includes(true) && any.includes(false))
        refuse("InvalidProtocal.ValueNotSupported", "Ports and protocol must all be Any, or none of them.");
    if (external !== "any" && internal !== "any" && external.to - external.from !== internal.to - internal.from)
        refuse("InvalidInternalPort.Malformed", "The specified InternalPort is not a valid port.");
    if (parseAddress(entry.externalIp) === undefined)
        refuse("InvalidExternalIp.Malformed", "The specified ExternalIp is not a valid IP address.");
    if (!eipsOfGateway(context, gateway).some(({ address }) => address === entry.externalIp))
        refuse("InvalidIp.NotInNatgw", `The address ${entry.externalIp} is not associated with the NAT gateway.`);
    if (parseAddress(entry.internalIp) === undefined)
        refuse("InvalidInternalIp.Malformed", "The specified InternalIp is not a valid IP address.");
    const vpc = context.store.state.vpcs[gateway.vpcId]!;
    if (![vpc.cidr, ...vpc.secondaryCidrs].some((cidr) => containsAddress(parseCidr(cidr)!, entry.internalIp)))
        refuse("Forbidden.DestnationIpOutOfVpcCIDR", "The specified Internal Ip is Out of VPC CIDR.");
    const others = entriesOf(context, gateway).filter(({ id }) => id !== entry.id);
    if (
        others.some(
            ({ externalIp, protocol, externalPort }) =>
                externalIp === entry.externalIp &&
                (protocol === entry.protocol || protocol === "any" || entry.protocol === "any") &&
                portsOverlap(parsePorts(externalPort, ""), external),
        )
    )
        refuse("Forbidden.ExternalPort.Duplicated", "The external address and port already have a forward entry.");
    if (
        others.some(
            ({ internalIp, protocol, internalPort }) =>
                internalIp === entry.internalIp &&
                protocol === entry.protocol &&
                internalPort.toLowerCase() === entry.internalPort.toLowerCase(),
        )
    )
        refuse("OperationUnsupported.ForwardEntry", "Duplicated destination ip port is unsupported.");
    // An address that is forwarded as a whole can't be shared with SNAT, unless the client asks for it.
    if (
        external === "any" &&
        portBreak !== true &&
        Object.values(context.store.state.snatEntries).some(({ snatIps }) => snatIps.includes(entry.externalIp))
    )
        refuse("Forbidden.ExternalIp.UsedInSnatTable", "The specified ExternalIp is already used in SnatTable.");
}

type Ports = "any" | { readonly from: number; readonly to: number };

function parsePorts(text: string, code: string): Ports {
    if (/^any$/i.test(text)) return "any";
    const match = /^(\d{1,5})(?:\/(\d{1,5}))?$/.exec(text);
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (!match || from < 1 || to > 65535 || to < from) return refuse(code, "The specified port is not valid.");
    return { from, to };
}

function portsOverlap(a: Ports, b: Ports): boolean {
    return a === "any" || b === "any" || (a.from <= b.to && b.from <= a.to);
}

const describeForwardTableEntries = vpcAction({
    name: "DescribeForwardTableEntries",
    request: DescribeForwardTableEntriesRequest,
    response: DescribeForwardTableEntriesResponseBody,
    writes: false,
    handle: (request, context) => {
        const gateways = request.forwardTableId
            ? [gatewayOfForwardTable(context, request.forwardTableId)]
            : request.natGatewayId
              ? [natGatewayOf(context, request.natGatewayId)]
              : inRegion(context.store.state.natGateways, context.regionId);
        const entries = gateways.flatMap((gateway) =>
            entriesOf(context, gateway)
                .filter(
                    (entry) =>
                        matches(request.natGatewayId, gateway.id) &&
                        matches(request.forwardEntryId, entry.id) &&
                        matches(request.forwardEntryName, entry.name) &&
                        matches(request.externalIp, entry.externalIp) &&
                        matches(request.externalPort?.toLowerCase(), entry.externalPort.toLowerCase()) &&
                        matches(request.internalIp, entry.internalIp) &&
                        matches(request.internalPort?.toLowerCase(), entry.internalPort.toLowerCase()) &&
                        matches(request.ipProtocol?.toLowerCase(), entry.protocol),
                )
                .map((entry) => ({
                    forwardEntryId: entry.id,
                    forwardEntryName: entry.name,
                    forwardTableId: gateway.forwardTableId,
                    natGatewayId: gateway.id,
                    externalIp: entry.externalIp,
                    externalPort: entry.externalPort,
                    internalIp: entry.internalIp,
                    internalPort: entry.internalPort,
                    ipProtocol: entry.protocol,
                    status: "Available",
                })),
        );
        const { items, ...page } = paginate(entries, request);
        return { ...page, forwardTableEntries: { forwardTableEntry: items } };
    },
});

const modifyForwardEntry = vpcAction({
    name: "ModifyForwardEntry",
    request: ModifyForwardEntryRequest,
    response: ModifyForwardEntryResponseBody,
    required: ["ForwardTableId", "ForwardEntryId"],
    writes: true,
    handle: async (request, context) => {
        const gateway = gatewayOfForwardTable(context, request.forwardTableId);
        const entry = forwardEntryOf(context, gateway, request.forwardEntryId);
        const next: ForwardEntry = {
            ...entry,
            name: request.forwardEntryName ?? entry.name,
            externalIp: request.externalIp ?? entry.externalIp,
            externalPort: request.externalPort ?? entry.externalPort,
            internalIp: request.internalIp ?? entry.internalIp,
            internalPort: request.internalPort ?? entry.internalPort,
            protocol: (request.ipProtocol ?? entry.protocol).toLowerCase(),
        };
        check(context, gateway, next, request.portBreak);
        context.checked();
        context.store.state.forwardEntries[entry.id] = next;
        await context.applied();
        return {};
    },
});

const deleteForwardEntry = vpcAction({
    name: "DeleteForwardEntry",
    request: DeleteForwardEntryRequest,
    response: DeleteForwardEntryResponseBody,
    required: ["ForwardTableId", "ForwardEntryId"],
    writes: true,
    handle: async (request, context) => {
        const gateway = gatewayOfForwardTable(context, request.forwardTableId);
        const entry = forwardEntryOf(context, gateway, request.forwardEntryId);
        context.checked();
        Reflect.deleteProperty(context.store.state.forwardEntries, entry.id);
        await context.applied();
        return {};
    },
});

export const forwardEntryActions: readonly Action[] = [
    createForwardEntry,
    describeForwardTableEntries,
    modifyForwardEntry,
    deleteForwardEntry,
];
