/** What the stack's program asks the engine for, by URN: run against mocks, with the lab's settings. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { computed } from "../../../testing";

/** A resource as an upgrade sees it: by what it is found again, and what it would be replaced for. */
export interface RecordedResource {
    readonly urn: string;
    /** URNs under which earlier releases had it, also by an alias of a component that it belongs to. */
    readonly aliases: readonly string[];
    /** What the program asks for, for resources that hold what can't be made again. */
    readonly inputs?: Readonly<Record<string, unknown>>;
    /** Inputs that the engine leaves as they were, likewise. */
    readonly ignored?: readonly string[];
}

/** Types whose inputs are recorded, and those of their inputs that say nothing about a replacement. */
const stateful =
    /^alicloud:(ecs\/(instance|ecsDisk|eipAddress)|vpc\/(network|switch)|slb\/applicationLoadBalancer|alb\/loadBalancer|nlb\/loadBalancer|nas\/fileSystem):|^tls:index\/privateKey:/;
const harmless = new Set(["tags", "volumeTags", "userData"]);

/** The lab's settings but for some, as the engine hands them to a program. */
function settings(project: string, others: Readonly<Record<string, unknown>>): Record<string, string> {
    const { config } = parse(readFileSync(join(project, "Pulumi.lab.yaml"), "utf8")) as {
        config: Record<string, unknown>;
    };
    return Object.fromEntries(
        Object.entries({ ...config, ...others }).map(([key, value]) => [
            key,
            typeof value === "string" ? value : JSON.stringify(value),
        ]),
    );
}

/** What the SDK has made of a resource's aliases and of those of its parents; it gives no other access to them. */
interface Aliased {
    readonly __aliases: readonly pulumi.Input<string>[];
}

/** A URN with no more than the nearest of its parents' types: the engine's stand-in leaves out the others, the SDK's aliases don't. */
function shortUrn(urn: string): string {
    const [stack, project, types = "", ...name] = urn.split("::");
    return [stack, project, types.split("$").slice(-2).join("$"), ...name].join("::");
}

/**
 * Runs a project's program.
 * @param project folder of a checkout: of this one, or of a release
 * @param others settings in place of the lab's, by their whole names
 */
export async function recordProgram(
    project: string,
    others: Readonly<Record<string, unknown>> = {},
): Promise<RecordedResource[]> {
    const inputs = new Map<string, Record<string, unknown>>();
    await pulumi.runtime.setMocks(
        {
            newResource: ({ type, name, inputs: given }) => {
                const plain = given as Record<string, unknown>;
                inputs.set(`${type}::${name}`, plain);
                const vswitch = /^i-(.*)/.exec(String(plain["vswitchId"]))?.[1];
                const place = vswitch === undefined ? {} : { availabilityZone: `zone-of-${vswitch}` };
                return { id: `i-${name}`, state: { ...plain, ...computed(type, name, plain), ...place } };
            },
            call: ({ token }) =>
                ({
                    "alicloud:index/getZones:getZones": { ids: ["cn-hangzhou-h", "cn-hangzhou-i", "cn-hangzhou-k"] },
                    "alicloud:ecs/getImages:getImages": { images: [{ id: "debian_12_5_x64_20G_alibase.vhd" }] },
                })[token] ?? {},
        },
        "multihost",
        "lab",
    );
    pulumi.runtime.setAllConfig(settings(project, others));
    const recorded = async (
        type: string,
        name: string,
        resource: pulumi.Resource,
        { ignoreChanges: ignored = [] }: pulumi.CustomResourceOptions,
    ): Promise<RecordedResource> => {
        // URN and aliases are set only once the constructor goes on.
        await Promise.resolve();
        const [urn, ...aliases] = (await Promise.all(
            [resource.urn, ...(resource as unknown as Aliased).__aliases].map(
                (output) =>
                    new Promise<string>((done) => void pulumi.output(output).apply((text) => done(shortUrn(text)))),
            ),
        )) as [string, ...string[]];
        const asked = { inputs: kept(inputs.get(`${type}::${name}`)), ...(ignored.length > 0 && { ignored }) };
        return { urn, aliases, ...(stateful.test(type) && asked) };
    };
    const seen: Promise<RecordedResource>[] = [];
    await pulumi.runtime.runInPulumiStack(async () => {
        pulumi.runtime.registerStackTransformation(({ type, name, resource, opts }) => {
            seen.push(recorded(type, name, resource, opts));
            return undefined;
        });
        await import(join(project, "index"));
        return {};
    });
    // Resources are made as others become known.
    for (let idle = 0, count = -1; idle < 20; idle = count === seen.length ? idle + 1 : 0) {
        count = seen.length;
        await new Promise((resolve) => setTimeout(resolve, 25));
    }
    const all = await Promise.all(seen);
    return all.sort((one, other) => (one.urn < other.urn ? -1 : 1));
}

const kept = (inputs: Record<string, unknown> = {}): Record<string, unknown> =>
    Object.fromEntries(
        Object.entries(inputs)
            .filter(([key]) => !harmless.has(key))
            .sort(([one], [other]) => (one < other ? -1 : 1)),
    );

/** Where the record of the last release is kept, for checkouts without its commit. */
export const recordFile = join(__dirname, "released.json");
