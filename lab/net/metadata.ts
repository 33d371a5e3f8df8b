/** The metadata service at 100.100.100.200, as far as instances and their tools ask it. */
import { randomBytes } from "node:crypto";
import * as http from "node:http";
import type { DesiredHost, DesiredMachine, DesiredNic } from "../model/desired";
import { RESOLVERS } from "./plan";
import { listenOn } from "./listen";

/** What the service knows of who asks. */
export interface Asker {
    readonly host: DesiredHost;
    readonly nic: DesiredNic;
    readonly machine: DesiredMachine;
}

/** Names of a folder by path, or text. */
interface Tree {
    readonly [name: string]: Tree | string | undefined;
}

/** The tree below `/latest`. Pure. */
export function metadataTree({ host, nic, machine }: Asker): Tree {
    const vpc = machine.vpcs.find(({ id }) => id === nic.vpcId);
    const vswitch = vpc?.vswitches.find(({ id }) => id === nic.vswitchId);
    const eipOf = (address: string): string | undefined =>
        machine.eips.find(
            ({ target }) => target?.kind === "instance" && target.vpcId === nic.vpcId && target.privateIp === address,
        )?.address;
    const vpcCidr = vpc?.cidrs[0] ?? "";
    const interfaces = Object.fromEntries(
        host.nics.map((each) => {
            const its = machine.vpcs
                .find(({ id }) => id === each.vpcId)
                ?.vswitches.find(({ id }) => id === each.vswitchId);
            return [
                each.mac,
                {
                    gateway: its?.gateway ?? "",
                    netmask: netmask(its?.cidr ?? ""),
                    "network-interface-id": each.id,
                    "primary-ip-address": each.primaryIp,
                    "private-ipv4s": JSON.stringify([each.primaryIp, ...each.secondaryIps]),
                    "vpc-cidr-block": machine.vpcs.find(({ id }) => id === each.vpcId)?.cidrs[0] ?? "",
                    "vpc-id": each.vpcId,
                    "vswitch-id": each.vswitchId,
                    "vswitch-cidr-block": its?.cidr ?? "",
                },
            ];
        }),
    );
    const disks = Object.fromEntries(host.disks.map(({ id, device }) => [id.replace(/^d-/, ""), { id, name: device }]));
    const tags = Object.entries(host.tags);
    return {
        "meta-data": {
            "dns-conf": { nameservers: RESOLVERS.join("\n") },
            ...(Object.keys(disks).length > 0 && { disks }),
            eipv4: eipOf(nic.primaryIp),
            hostname: host.hostname,
            "image-id": host.imageId,
            instance: {
                "instance-name": host.name,
                "instance-type": host.instanceType,
                "virtualization-solution": "ECS Virt",
                "max-netbw-egress": "102400",
                "max-netbw-ingress": "102400",
            },
            "instance-id": host.id,
            mac: nic.mac,
            network: { interfaces: { macs: interfaces } },
            "network-type": "vpc",
            "ntp-conf": { "ntp-servers": "ntp.cloud.aliyuncs.com" },
            "owner-account-id": undefined,
            "private-ipv4": nic.primaryIp,
            "public-keys": Object.fromEntries(host.publicKeys.map((key, i) => [String(i), { "openssh-key": key }])),
            "region-id": host.regionId,
            "serial-number": host.systemDiskId,
            "source-address": undefined,
            ...(tags.length > 0 && { tags: { instance: Object.fromEntries(tags) } }),
            "vpc-cidr-block": vpcCidr,
            "vpc-id": nic.vpcId,
            "vswitch-cidr-block": vswitch?.cidr ?? "",
            "vswitch-id": nic.vswitchId,
            "zone-id": host.zoneId,
        },
        "user-data": host.userData,
        dynamic: {
            "instance-identity": {
                document: JSON.stringify({
                    "zone-id": host.zoneId,
                    "serial-number": host.systemDiskId,
                    "instance-id": host.id,
                    "region-id": host.regionId,
                    "private-ipv4": nic.primaryIp,
                    mac: nic.mac,
                    "image-id": host.imageId,
                }),
            },
        },
    };
}

/** Text at a path below `/latest`: a value, or the names in a folder. Undefined where there is nothing. */
export function lookUp(tree: Tree, path: string): string | undefined {
    let here: Tree | string | undefined = tree;
    for (const name of path.split("/").filter((part) => part !== "")) {
        if (typeof here !== "object") return undefined;
        here = Object.hasOwn(here, name) ? here[name] : undefined;
    }
    if (typeof here !== "object") return here;
    return Object.entries(here)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (typeof value === "object" ? `${name}/` : name))
        .join("\n");
}

function netmask(cidr: string): string {
    const length = Number(cidr.split("/")[1] ?? 32);
    return [0, 8, 16, 24].map((at) => 256 - 2 ** (8 - Math.max(0, Math.min(8, length - at)))).join(".");
}

export interface MetadataOptions {
    readonly address: string;
    readonly preferredPort: number;
    /** Who has an outer address. */
    readonly whoIs: (outerAddress: string) => Asker | undefined;
    readonly clock?: () => number;
}

/** A host may use a token for as long as it asked for. */
interface Token {
    readonly hostId: string;
    readonly until: number;
}

/** Header that a request shows its token in. */
const TOKEN = "x-aliyun-ecs-metadata-token";

export class MetadataService {
    private readonly server: http.Server;
    private readonly tokens = new Map<string, Token>();
    private readonly clock: () => number;
    port = 0;

    constructor(private readonly options: MetadataOptions) {
        this.clock = options.clock ?? Date.now;
        this.server = http.createServer((request, response) => this.answer(request, response));
        this.server.keepAliveTimeout = 1_000;
    }

    async start(): Promise<void> {
        this.port = await listenOn(this.server, this.options.address, this.options.preferredPort);
    }

    async close(): Promise<void> {
        this.server.closeAllConnections();
        await new Promise((resolve) => this.server.close(resolve));
    }

    private answer(request: http.IncomingMessage, response: http.ServerResponse): void {
        request.resume();
        const [status, text] = this.decide(request);
        response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" });
        response.end(request.method === "HEAD" ? undefined : text);
    }

    private decide(request: http.IncomingMessage): readonly [status: number, text: string] {
        const path = (request.url ?? "/").split("?")[0]!;
        const asker = this.options.whoIs(request.socket.remoteAddress ?? "");
        if (!asker) return [404, "Not Found\n"];
        if (!asker.host.metadata.enabled) return [403, "Forbidden\n"];
        if (path === "/latest/api/token") {
            if (request.method !== "PUT") return [405, "Method Not Allowed\n"];
            const seconds = Number(request.headers["x-aliyun-ecs-metadata-token-ttl-seconds"]);
            if (!(seconds >= 1 && seconds <= 21600)) return [400, "Bad Request\n"];
            return [200, this.issue(asker.host.id, seconds)];
        }
        if (request.method !== "GET" && request.method !== "HEAD") return [405, "Method Not Allowed\n"];
        if (asker.host.metadata.tokenRequired && !this.isValid(request.headers[TOKEN], asker.host.id))
            return [403, "Forbidden\n"];
        if (path === "/" || path === "") return [200, "latest/"];
        const below = /^\/latest(?=\/|$)(.*)$/.exec(path)?.[1];
        const text = below === undefined ? undefined : lookUp(metadataTree(asker), below);
        return text === undefined ? [404, "Not Found\n"] : [200, text];
    }

    private issue(hostId: string, seconds: number): string {
        const now = this.clock();
        for (const [token, { until }] of this.tokens) if (until <= now) this.tokens.delete(token);
        const token = randomBytes(30).toString("base64");
        this.tokens.set(token, { hostId, until: now + seconds * 1000 });
        return token;
    }

    private isValid(token: string | readonly string[] | undefined, hostId: string): boolean {
        const known = typeof token === "string" ? this.tokens.get(token) : undefined;
        return known?.hostId === hostId && known.until > this.clock();
    }
}
