/** Runs one policy of the pack on made-up resources, as the engine's analyzer does. */
import type { PolicyResource, ResourceValidationArgs, StackValidationArgs } from "@pulumi/policy";
import { policies } from "../../../policy/policies";

export interface Subject {
    readonly type: string;
    readonly props?: Record<string, unknown>;
    readonly name?: string;
    readonly stack?: string;
    /** Type tokens of the components around it, outermost first. */
    readonly within?: readonly string[];
    readonly opts?: { readonly protect?: boolean; readonly ignoreChanges?: readonly string[] };
    /** Types of what its property `instanceId` comes from. */
    readonly boundTo?: readonly string[];
}

function defaultsOf(
    schema: { properties: Record<string, { default?: unknown }> } | undefined,
): Record<string, unknown> {
    return Object.fromEntries(
        Object.entries(schema?.properties ?? {}).map(([key, property]) => [key, property.default]),
    );
}

/** What the policy says, each message with the resource's name before it. */
export async function check(
    policyName: string,
    subjects: readonly Subject[],
    settings: Record<string, unknown> = {},
): Promise<string[]> {
    const policy = policies.find(({ name }) => name === policyName);
    if (policy === undefined) throw new Error(`there is no policy ${policyName}`);
    const getConfig = (): object => ({ ...defaultsOf(policy.configSchema), ...settings });
    const said: string[] = [];
    const resources = subjects.map(
        ({ type, props = {}, name = "thing", stack = "dev", within = [], opts, boundTo }) => ({
            type,
            props,
            name,
            urn: `urn:pulumi:${stack}::multihost::${[...within, type].join("$")}::${name}`,
            opts: { protect: false, ignoreChanges: [], ...opts },
            propertyDependencies:
                boundTo === undefined ? {} : { instanceId: boundTo.map((bound) => ({ type: bound })) },
        }),
    );
    if ("validateStack" in policy) {
        const args = {
            resources: resources as unknown as PolicyResource[],
            getConfig,
        } as unknown as StackValidationArgs;
        await policy.validateStack(args, (message, urn) =>
            said.push(`${urn?.split("::").at(-1) ?? "stack"}: ${message}`),
        );
        return said;
    }
    for (const resource of resources) {
        const args = { ...resource, getConfig } as unknown as ResourceValidationArgs;
        for (const validate of [policy.validateResource ?? []].flat())
            await validate(args, (message) => said.push(`${resource.name}: ${message}`));
    }
    return said;
}

/** Properties of which one is known only to the update; asking for it fails, as the pack's own proxy does. */
export function unknownAt(name: string, props: Record<string, unknown> = {}): Record<string, unknown> {
    return Object.defineProperty({ ...props }, name, {
        enumerable: true,
        get: () => {
            throw new Error(`string value at .${name} can't be known during preview`);
        },
    });
}
