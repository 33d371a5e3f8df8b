import { CreateSnatEntryRequest } from "@alicloud/vpc20160428/dist/models/CreateSnatEntryRequest";
import { CreateSnatEntryResponseBody } from "@alicloud/vpc20160428/dist/models/CreateSnatEntryResponseBody";
import { DeleteSnatEntryRequest } from "@alicloud/vpc20160428/dist/models/DeleteSnatEntryRequest";
import { DeleteSnatEntryResponseBody } from "@alicloud/vpc20160428/dist/models/DeleteSnatEntryResponseBody";
import { DescribeSnatTableEntriesRequest } from "@alicloud/vpc20160428/dist/models/DescribeSnatTableEntriesRequest";
import { DescribeSnatTableEntriesResponseBody } from "@alicloud/vpc20160428/dist/models/DescribeSnatTableEntriesResponseBody";
import { ModifySnatEntryRequest } from "@alicloud/vpc20160428/dist/models/ModifySnatEntryRequest";
import { ModifySnatEntryResponseBody } from "@alicloud/vpc20160428/dist/models/ModifySnatEntryResponseBody";
import { contains, formatCidr, isNetwork, parseAddress, parseCidr } from "../../model/addresses";
import type { NatGateway, SnatEntry } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { missingParameter } from "../errors";
import { inRegion, matches, paginate } from "../listing";
import { vpcAction } from "./action";
import { checkName, refuse } from "./checks";
import { gatewayOfSnatTable, natGatewayOf, snatEntryOf, vswitchOf } from "./lookup";
import { eipsOfGateway } from "./natGateways";
import { quotas } from "./quotas";

const createSnatEntry = vpcAction({
    name: "CreateSnatEntry",
    request: CreateSnatEntryRequest,
    response: CreateSnatEntryResponseBody,
    required: ["SnatTableId"],
    writes: true,
    handle: async (request, context) => {
        const { store, now } = context;
        const gateway = gatewayOfSnatTable(context, request.snatTableId);
        const snatIps = parseSnatIps(context, gateway, request.snatIp);
        checkName(request.snatEntryName, "InvalidParameter.Name.Malformed", { min: 2, letterFirst: true });
        checkAffinity(request.eipAffinity);
        const source = sourceOf(context, gateway, request);
        const entries = Object.values(store.state.snatEntries).filter(
            ({ natGatewayId }) => natGatewayId === gateway.id,
        );
        if (entries.some(({ sourceCidr }) => sourceCidr === source.sourceCidr))
            refuse("Forbidden.SourceVSwitchId.Duplicated", "The specified SourceCIDR is duplicated.");
        if (entries.length >= quotas.snatEntriesPerGateway)
            refuse("Forbidden.SnatEntryCountLimited", "SNAT entry in the specified SNAT table reach its limit.");
        context.checked();

        const entry: SnatEntry = {
            ...source,
            id: store.newId("snat"),
            natGatewayId: gateway.id,
            name: request.snatEntryName ?? "",
            snatIps,
            eipAffinity: request.eipAffinity ?? 0,
            createdAt: now,
        };
        store.state.snatEntries[entry.id] = entry;
        await context.applied();
        return { snatEntryId: entry.id };
    },
});

/** Addresses of a request, each of which must be bound to the gateway. */
function parseSnatIps(context: ActionContext, gateway: NatGateway, text: string | undefined): string[] {
    const addresses = (text ?? "")
        .split(",")
        .map((address) => address.trim())
        .filter((address) => address !== "");
    if (addresses.length === 0) throw missingParameter("SnatIp");
    const bound = eipsOfGateway(context, gateway).map(({ address }) => address);
    // A gateway between private networks translates to its own address.
    if (gateway.networkType === "intranet") bound.push(gateway.privateIp);
    for (const address of addresses) {
        if (parseAddress(address) === undefined)
            refuse("InvalidSnatIp.Malformed", "The specified SnatIp is not a valid IP address.");
        if (!bound.includes(address))
            refuse("EIP_NOT_IN_GATEWAY", `The address ${address} is not associated with the NAT gateway.`);
        if (
            Object.values(context.store.state.forwardEntries).some(
                ({ externalIp, externalPort }) => externalIp === address && /^any$/i.test(externalPort),
            )
        )
            refuse("Forbidden.IpUsedInForwardTable", "The specified SnatIp already used in forward table.");
    }
    return [...new Set(addresses)];
}

function checkAffinity(affinity: number | undefined): void {
    if (affinity !== undefined && affinity !== 0 && affinity !== 1)
        refuse("INVALID_PARAMETER", "The specified value of EipAffinity is not supported.");
}

function sourceOf(
    context: ActionContext,
    gateway: NatGateway,
    request: { readonly sourceVSwitchId?: string; readonly sourceCIDR?: string },
): Pick<SnatEntry, "vswitchId" | "sourceCidr"> {
    if (request.sourceVSwitchId) {
        const vswitch = vswitchOf(context, request.sourceVSwitchId);
        if (vswitch.vpcId !== gateway.vpcId)
            refuse("INVALID_PARAMETER", "The VSwitch does not belong to the VPC of the NAT gateway.");
        if (Object.values(context.store.state.haVips).some(({ vswitchId }) => vswitchId === vswitch.id))
            refuse("Forbidden.SourceVSwitchId.IncludeHaVip", "There is some HaVips under specified VSwitch");
        if (!request.sourceCIDR) return { vswitchId: vswitch.id, sourceCidr: vswitch.cidr };
        const cidr = parseSource(request.sourceCIDR);
        if (!contains(parseCidr(vswitch.cidr)!, parseCidr(cidr)!))
            refuse("INVALID_PARAMETER", "The specified SourceCIDR does not belong to the VSwitch.");
        return { vswitchId: vswitch.id, sourceCidr: cidr };
    }
    if (!request.sourceCIDR) throw missingParameter("SourceVSwitchId");
    return { sourceCidr: parseSource(request.sourceCIDR) };
}

function parseSource(text: string): string {
    const cidr = parseCidr(text.includes("/") ? text : `${text}/32`);
    if (!cidr || !isNetwork(cidr)) return refuse("INVALID_PARAMETER", "The specified SourceCIDR is not valid.");
    return formatCidr(cidr);
}

const describeSnatTableEntries = vpcAction({
    name: "DescribeSnatTableEntries",
    request: DescribeSnatTableEntriesRequest,
    response: DescribeSnatTableEntriesResponseBody,
    writes: false,
    handle: (request, context) => {
        const gateways = request.snatTableId
            ? [gatewayOfSnatTable(context, request.snatTableId)]
            : request.natGatewayId
              ? [natGatewayOf(context, request.natGatewayId)]
              : inRegion(context.store.state.natGateways, context.regionId);
        const entries = gateways.flatMap((gateway) =>
            Object.values(context.store.state.snatEntries)
                .filter(
                    (entry) =>
                        entry.natGatewayId === gateway.id &&
                        matches(request.natGatewayId, gateway.id) &&
                        matches(request.snatEntryId, entry.id) &&
                        matches(request.snatEntryName, entry.name) &&
                        (!request.snatIp || entry.snatIps.includes(request.snatIp)) &&
                        matches(request.sourceCIDR, entry.sourceCidr) &&
                        matches(request.sourceVSwitchId, entry.vswitchId ?? "") &&
                        !request.networkInterfaceIds?.length,
                )
                .map((entry) => ({
                    snatEntryId: entry.id,
                    snatEntryName: entry.name,
                    snatTableId: gateway.snatTableId,
                    natGatewayId: gateway.id,
                    snatIp: entry.snatIps.join(","),
                    sourceCIDR: entry.sourceCidr,
                    sourceVSwitchId: entry.vswitchId ?? "",
                    eipAffinity: String(entry.eipAffinity),
                    networkInterfaceId: "",
                    status: "Available",
                })),
        );
        const { items, ...page } = paginate(entries, request);
        return { ...page, snatTableEntries: { snatTableEntry: items } };
    },
});

const modifySnatEntry = vpcAction({
    name: "ModifySnatEntry",
    request: ModifySnatEntryRequest,
    response: ModifySnatEntryResponseBody,
    required: ["SnatTableId", "SnatEntryId"],
    writes: true,
    handle: async (request, context) => {
        const gateway = gatewayOfSnatTable(context, request.snatTableId);
        const entry = snatEntryOf(context, gateway, request.snatEntryId);
        const snatIps = request.snatIp ? parseSnatIps(context, gateway, request.snatIp) : entry.snatIps;
        checkName(request.snatEntryName, "InvalidParameter.Name.Malformed", { min: 2, letterFirst: true });
        checkAffinity(request.eipAffinity);
        context.checked();
        entry.snatIps = snatIps;
        if (request.snatEntryName !== undefined) entry.name = request.snatEntryName;
        if (request.eipAffinity !== undefined) entry.eipAffinity = request.eipAffinity;
        await context.applied();
        return {};
    },
});

const deleteSnatEntry = vpcAction({
    name: "DeleteSnatEntry",
    request: DeleteSnatEntryRequest,
    response: DeleteSnatEntryResponseBody,
    required: ["SnatTableId", "SnatEntryId"],
    writes: true,
    handle: async (request, context) => {
        const gateway = gatewayOfSnatTable(context, request.snatTableId);
        const entry = snatEntryOf(context, gateway, request.snatEntryId);
        context.checked();
        Reflect.deleteProperty(context.store.state.snatEntries, entry.id);
        await context.applied();
        return {};
    },
});

export const snatEntryActions: readonly Action[] = [
    createSnatEntry,
    describeSnatTableEntries,
    modifySnatEntry,
    deleteSnatEntry,
];
