/** Where a lab's interfaces and addresses lie, by the lab's index. Pure. */
import { deviceName } from "../hosts/labs";
import { formatAddress, parseAddress } from "../model/addresses";

/** The machine's public face: what hosts see when somebody on the machine connects to them. */
const INTERNET = parseAddress("203.0.113.1")!;
const OUTER = parseAddress("198.18.0.0")!;
const TWINS = parseAddress("198.19.0.0")!;
const EIPS = parseAddress("127.77.0.0")!;
/** Where the cloud's balancers and their health checks come from, in every VPC. */
const BALANCERS = parseAddress("100.64.0.0")!;

/** What the labs of one machine have together: for elastic addresses, and for what travels between name spaces. */
export const EIP_RANGE = `${formatAddress(EIPS)}/16`;
export const TRAVEL_RANGE = `${formatAddress(OUTER)}/15`;

/** Addresses in one lab's slice of every range. */
export const SLICE = 4096;

/** Names and addresses of one lab. */
export interface LabAddresses {
    readonly index: number;
    /** Interface in the machine's own name space that holds the lab's addresses. */
    readonly device: string;
    /** nftables table in the machine's own name space; also the tag of rules in tables of others. */
    readonly table: string;
    /** Beginning of the names of edge links in the machine's own name space. */
    readonly edgePrefix: string;
    /** Beginning of the names of the VPCs' name spaces. */
    readonly namespacePrefix: string;
    /** Beginning of the names of the balancers' name spaces. */
    readonly balancerPrefix: string;
    /** Where the lab's own services (DNS, metadata) listen. */
    readonly service: string;
    /** Source address of connections from the machine to an EIP. */
    readonly internet: string;
    /** The lab's elastic addresses. */
    readonly eips: string;
    /**
     * The same addresses as they travel between name spaces: 127.0.0.0/8 is the loopback network everywhere and is
     * neither routed nor accepted from a wire.
     */
    readonly twins: string;
    /** Addresses of edge links, and of interfaces towards the lab's services. */
    readonly outer: string;
}

/** Names and addresses of the lab with an index. */
export function labAddresses(index: number): LabAddresses {
    const at = (base: number): string => `${formatAddress(base + SLICE * index)}/20`;
    return {
        index,
        device: deviceName(index),
        table: `mh${index}`,
        edgePrefix: `mh${index}e`,
        namespacePrefix: `mh${index}-`,
        balancerPrefix: `mh${index}b-`,
        service: outerAddress(index, 1),
        internet: formatAddress(INTERNET + index),
        eips: at(EIPS),
        twins: at(TWINS),
        outer: at(OUTER),
    };
}

/** An outer address by its number; 0 is not used and 1 is the lab's services. */
export function outerAddress(index: number, number: number): string {
    return formatAddress(OUTER + SLICE * index + number);
}

/** The address from which the balancer with a number reaches its servers. */
export function balancerAddress(number: number): string {
    return formatAddress(BALANCERS + number);
}

/** An address or range of 127.77.0.0/16 as it travels; undefined for any other. */
export function twin(address: string): string | undefined {
    return /^127\.77\.(.+)$/.exec(address) ? address.replace(/^127\.77\./, "198.19.") : undefined;
}

/** Whether a range is all addresses. */
export function isDefault(cidr: string): boolean {
    return /\/0+$/.test(cidr);
}

/** Ranges as packets come from them: those between hosts by way of their EIPs carry the twin of the sender's. */
export function withTwins(cidrs: readonly string[]): string[] {
    return cidrs.flatMap((cidr) => {
        const other = twin(cidr);
        return other === undefined ? [cidr] : [cidr, other];
    });
}

/** A fixed hardware address for an end of an edge link: neighbours are entered, not asked for. */
export function edgeMac(side: "machine" | "router", index: number, slot: number): string {
    const bytes = [0x02, side === "machine" ? 0x4d : 0x52, 0x48, index, slot >> 8, slot & 255];
    return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
