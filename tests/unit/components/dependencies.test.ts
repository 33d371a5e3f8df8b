import { Recorder } from "./recorder";

const recorder = new Recorder();

import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { everything } from "./everything";

const made = everything({ text: (known) => known, number: (known) => known });

beforeEach(() => recorder.clear());

/** What a component makes with these options, as the engine is asked for it. */
async function partsOf(component: string, opts: pulumi.ComponentResourceOptions) {
    recorder.clear();
    made[component]!({ ...opts, ...recorder.watched });
    await recorder.settled();
    return recorder.observed
        .filter(({ resource }) => pulumi.CustomResource.isInstance(resource))
        .map(({ type, name, opts: { dependsOn } }) => ({
            part: `${type} ${name} ${JSON.stringify(recorder.find(type, name).inputs)}`,
            dependsOn: dependsOn as readonly unknown[] | undefined,
        }));
}

// What they are made of is the same for all.
beforeAll(() => recorder.settled());

describe.each(Object.keys(made))("%s", (component) => {
    test("makes everything after what it depends on, and nothing else of it", async () => {
        const before = new tls.PrivateKey("before", { algorithm: "ED25519" });
        const without = await partsOf(component, {});
        const parts = await partsOf(component, { dependsOn: before });
        expect(parts.filter(({ dependsOn }) => dependsOn?.includes(before) !== true).map(({ part }) => part)).toEqual(
            [],
        );
        const asked = new Set(without.map(({ part }) => part));
        expect(parts.filter(({ part }) => !asked.has(part)).map(({ part }) => part)).toEqual([]);
        expect([parts.length, asked.size]).toEqual([without.length, without.length]);
    });
});

describe("dependsOn of a component", () => {
    test("may be a list, and one that is known later", async () => {
        const key = (name: string): pulumi.Resource => new tls.PrivateKey(name, { algorithm: "ED25519" });
        const [one, two] = [key("one"), key("two")];
        const list = await partsOf("PrivateDns", { dependsOn: [one, two] });
        expect(list[0]!.dependsOn).toEqual([one, two]);
        const later = pulumi.output([one, two]);
        const parts = await partsOf("PrivateDns", { dependsOn: later });
        expect(parts[0]!.dependsOn).toEqual([later]);
        expect(recorder.names("alicloud:pvtz/zone:Zone")).toEqual(["made"]);
    });

    test("may hold the component that it is part of, which no part waits for", async () => {
        class Site extends pulumi.ComponentResource {
            constructor() {
                super("test:index:Site", "site");
                made["PrivateDns"]!({ parent: this, dependsOn: this });
                this.registerOutputs({});
            }
        }
        new Site();
        await recorder.settled();
        expect(recorder.names("alicloud:pvtz/zoneAttachment:ZoneAttachment")).toEqual(["made"]);
    });
});
