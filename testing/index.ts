/**
 * Stand-ins for the cloud in unit tests of programs that are made of the components: what Pulumi's mocks have to answer beside a resource's
 * own inputs. Nothing is reached, and no host runs anything.
 */
import * as pulumi from "@pulumi/pulumi";

/**
 * Mocks that answer as the cloud, the providers and the hosts would. Extend {@link PlatformMocks.newResource} or {@link PlatformMocks.call}
 * for resources of your own that need more.
 *
 * @example
 * const mocks = new PlatformMocks();
 * await pulumi.runtime.setMocks(mocks, "shop", "test");
 * // Only now: resources are made of what is set when they come.
 * const { site } = await import("./site");
 */
export class PlatformMocks implements pulumi.runtime.Mocks {
    /** Everything that the program has asked for so far: type, name and inputs, those that are secret as plain values. */
    public readonly resources: pulumi.runtime.MockResourceArgs[] = [];

    /** Makes a resource, whose id is its name with `-id` behind it, and of an instance with `i-` before it, by which balancers know one. */
    public newResource(args: pulumi.runtime.MockResourceArgs): { id: string; state: Record<string, unknown> } {
        const inputs = args.inputs as Record<string, unknown>;
        this.resources.push({ ...args, inputs: plainInputs(inputs) });
        const made = args.type === "alicloud:ecs/instance:Instance" ? `i-${args.name}` : `${args.name}-id`;
        const id = args.id === undefined || args.id === "" ? made : args.id;
        return { id, state: { ...inputs, ...computed(args.type, args.name, inputs) } };
    }

    /** Looks something up. */
    public call({ token }: pulumi.runtime.MockCallArgs): Record<string, unknown> {
        return lookedUp(token);
    }
}

/** What the SDK marks a secret with on its way to the engine. */
const secretSignature = "4dabf18193072939515e22adb298388d";

/** Inputs as the program gave them, without what marks secrets. */
export function plainInputs(inputs: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, plainValue(value)]));
}

function plainValue(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(plainValue);
    if (typeof value !== "object" || value === null) return value;
    const fields = value as Record<string, unknown>;
    return secretSignature in fields ? plainValue(fields["value"]) : plainInputs(fields);
}

/** What the cloud, a provider or a host gives a resource beside its inputs; nothing for types that the components need nothing of. */
export function computed(
    type: string,
    name: string,
    inputs: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
    switch (type) {
        case "tls:index/privateKey:PrivateKey":
            return {
                privateKeyOpenssh: pulumi.secret(`PRIVATE ${name}`),
                privateKeyPem: pulumi.secret(`PEM ${name}`),
                publicKeyOpenssh: `${inputs["algorithm"] === "ECDSA" ? "ecdsa-sha2-nistp256" : "ssh-ed25519"} AAAA${name.replaceAll("-", "/")}\n`,
            };
        case "tls:index/selfSignedCert:SelfSignedCert":
        case "tls:index/locallySignedCert:LocallySignedCert":
            return { certPem: `CERTIFICATE ${name}` };
        case "tls:index/certRequest:CertRequest":
            return { certRequestPem: `REQUEST ${name}` };
        case "alicloud:ecs/instance:Instance":
            return { privateIp: `10.0.0.${name.replace(/\D/g, "")}`, availabilityZone: `zone-of-${name}` };
        case "alicloud:ecs/eipAddress:EipAddress":
            return { ipAddress: `198.51.100.1-${name}` };
        case "alicloud:vpc/natGateway:NatGateway":
            return { snatTableIds: "stb-1" };
        case "alicloud:vpc/switch:Switch":
            return { zoneId: `zone-of-${name}` };
        case "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer":
            return { address: "192.0.2.1" };
        case "alicloud:nlb/loadBalancer:LoadBalancer":
            return {
                dnsName: `${name}.nlb.example.com`,
                regionId: "cn-hangzhou",
                zoneMappings: zonesOf(inputs, (number) => ({
                    publicIpv4Address: `192.0.2.${number + 1}`,
                    privateIpv4Address: `10.0.255.${number + 1}`,
                })),
            };
        case "alicloud:alb/loadBalancer:LoadBalancer":
            return {
                dnsName: `${name}.alb.example.com`,
                regionId: "cn-hangzhou",
                zoneMappings: zonesOf(inputs, (number) => ({ address: `192.0.2.${number + 10}` })),
            };
        case "command:remote:Command":
            return { stdout: '{"step":"x","changed":[]}\n', stderr: "" };
        default:
            return {};
    }
}

/** The zones of a balancer, each with what the cloud adds, in an order of their own, as a set has. */
function zonesOf(inputs: Readonly<Record<string, unknown>>, added: (number: number) => object): object[] {
    const zones = (inputs["zoneMappings"] ?? []) as readonly object[];
    return zones.map((zone, index) => ({ ...zone, ...added(index + 1) })).reverse();
}

/** What a look-up finds, by the function's token: zones, an image, an instance to adopt. */
export function lookedUp(token: string): Record<string, unknown> {
    switch (token) {
        case "alicloud:index/getZones:getZones":
            return { ids: ["cn-hangzhou-k", "cn-hangzhou-h", "cn-hangzhou-i"] };
        case "alicloud:vpc/getEnhancedNatAvailableZones:getEnhancedNatAvailableZones":
            // Their ids are local names, as the provider has them.
            return { ids: ["Hangzhou Zone H"], zones: [{ zoneId: "cn-hangzhou-h", localName: "Hangzhou Zone H" }] };
        case "alicloud:ecs/getImages:getImages":
            return { images: [{ id: "debian_12_5_x64_20G_alibase.vhd" }] };
        case "alicloud:ecs/getInstances:getInstances": {
            const place = { availabilityZone: "cn-hangzhou-h", instanceType: "ecs.g7.large" };
            return { instances: [{ privateIp: "10.0.254.1", eip: "", publicIp: "198.51.100.254", ...place }] };
        }
        default:
            return {};
    }
}
