/** Each component as a part of somebody else's, in another region, in a preview that knows none of the values that may come later. */
import { Recorder } from "./recorder";

// As the engine answers for a provider whose settings aren't known.
const looks = [
    "index/getZones:getZones",
    "vpc/getEnhancedNatAvailableZones:getEnhancedNatAvailableZones",
    "ecs/getImages:getImages",
    "ecs/getInstances:getInstances",
];
const answers = Object.fromEntries(looks.map((name) => [`alicloud:${name}`, {}]));
const recorder = new Recorder({ preview: true, answers });

import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { everything } from "./everything";

const { id: unknown } = new tls.PrivateKey("later", { algorithm: "ED25519" });
const made = everything({ text: () => unknown, number: () => unknown.apply(Number) });
const elsewhere = new alicloud.Provider("elsewhere", { region: unknown });

class Foreign extends pulumi.ComponentResource {
    constructor(component: string, opts: pulumi.ComponentResourceOptions, own: pulumi.ComponentResourceOptions) {
        super("test:index:Foreign", component, {}, opts);
        made[component]!({ parent: this, ...own });
        this.registerOutputs({});
    }
}

// What they are made of is the same for all.
beforeAll(() => recorder.settled());

describe.each(Object.keys(made))("%s", (component) => {
    test.each<[string, pulumi.ComponentResourceOptions, pulumi.ComponentResourceOptions]>([
        ["whose provider is its parent's", { providers: [elsewhere] }, {}],
        ["whose provider is its own", {}, { provider: elsewhere }],
    ])("%s", async (_, opts, own) => {
        recorder.clear();
        new Foreign(component, { ...opts, ...recorder.watched }, own);
        await recorder.settled();
        const asked = new Map(recorder.resources.map((resource) => [`${resource.type} ${resource.name}`, resource]));
        const parts = recorder.observed
            .filter(({ resource }) => pulumi.CustomResource.isInstance(resource))
            .map(({ type, name }) => `${type} ${name}`);
        expect(parts.length).toBeGreaterThan(0);
        expect(parts.filter((part) => !asked.has(part))).toEqual([]);
        const used = [
            ...parts.map((part) => [part, asked.get(part)!.provider] as const),
            ...recorder.calls.map(({ token, provider }) => [token, provider] as const),
        ].filter(([part]) => part.startsWith("alicloud:"));
        expect(used.filter(([, provider]) => !provider.includes("::elsewhere::"))).toEqual([]);
    });
});
