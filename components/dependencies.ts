import type * as pulumi from "@pulumi/pulumi";

type DependsOn = pulumi.ResourceOptions["dependsOn"];

/** Joins what several ask to be waited for. */
export function dependsOnAll(...asked: readonly DependsOn[]): pulumi.Input<pulumi.Resource>[] {
    // The SDK takes an output of a list in its place, too; its types don't say so.
    return asked.flatMap((one) => (one ?? []) as pulumi.Input<pulumi.Resource>[]);
}

/**
 * Options of a component whose `dependsOn` counts for everything that it makes. Pulumi notes it of the component alone, for which its parts wait
 * when they are made: where a part goes while the component stays, nothing would say that it goes before what it was made on.
 */
export function componentOptions(opts: pulumi.ComponentResourceOptions = {}): pulumi.ComponentResourceOptions {
    const { dependsOn, parent, transformations = [] } = opts;
    if (dependsOn === undefined) return opts;
    // The parent holds these parts: each would wait for all, and so for itself.
    const before = dependsOnAll(dependsOn).filter((one) => one !== parent);
    const wait: pulumi.ResourceTransformation = ({ props, opts: given }) =>
        given.dependsOn === dependsOn
            ? undefined
            : { props, opts: { ...given, dependsOn: dependsOnAll(given.dependsOn, before) } };
    return { ...opts, transformations: [wait, ...transformations] };
}
