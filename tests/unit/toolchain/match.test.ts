import type { BridgeElement } from "../../../toolchain/mapping/bridge";
import { differences, match, overridesFor } from "../../../toolchain/mapping/match";
import type { SdkElement, SdkProperty } from "../../../toolchain/mapping/sdk";

const scalar = (name: string): SdkProperty => ({ name, shape: "scalar", scalar: "string", isOptional: true });

function element(token: string, names: readonly string[]): SdkElement {
    return { token, inputs: [], properties: names.map(scalar), secrets: [], aliases: [] };
}

function resource(names: readonly string[]): BridgeElement {
    return { properties: Object.fromEntries(names.map((name) => [name, { name, kind: "String", optional: true }])) };
}

describe("which resource stands behind a token", () => {
    it("is told by the properties when the names say nothing", () => {
        const found = match(
            [element("alicloud:vpc/network:Network", ["cidr_block", "vpc_name"])],
            { alicloud_vpc: resource(["cidr_block", "vpc_name"]), alicloud_nas: resource(["protocol"]) },
            1,
        );
        expect(found.map(({ name }) => name)).toEqual(["alicloud_vpc"]);
    });

    it("is told by the class name between two generations with the same properties", () => {
        const found = match(
            [element("alicloud:ecs/disk:Disk", ["size"]), element("alicloud:ecs/ecsDisk:EcsDisk", ["size"])],
            { alicloud_disk: resource(["size"]), alicloud_ecs_disk: resource(["size"]) },
            1,
        );
        expect(Object.fromEntries(found.map((each) => [each.name, each.element.token]))).toEqual({
            alicloud_disk: "alicloud:ecs/disk:Disk",
            alicloud_ecs_disk: "alicloud:ecs/ecsDisk:EcsDisk",
        });
    });

    it("is left open when nothing is alike", () => {
        expect(
            match([element("alicloud:new/thing:Thing", ["colour"])], { alicloud_vpc: resource(["cidr_block"]) }, 1),
        ).toEqual([]);
    });
});

describe("overrides", () => {
    it("show a list as one object where the package does", () => {
        const bridge = { certificates: { name: "certificates", kind: "List" } };
        const sdk: SdkProperty[] = [{ name: "certificates", shape: "object", fields: [], isOptional: true }];
        expect(overridesFor(bridge, sdk)).toEqual({ certificates: { maxItemsOne: true, name: "certificates" } });
    });

    it("name the plural where the package keeps a list", () => {
        const bridge = { serverless_config: { name: "serverlessConfig", kind: "List", flattened: true } };
        const sdk: SdkProperty[] = [{ name: "serverlessConfigs", shape: "array", fields: [], isOptional: true }];
        expect(overridesFor(bridge, sdk)).toEqual({
            serverless_config: { maxItemsOne: false, name: "serverlessConfigs" },
        });
    });

    it("are none where both agree", () => {
        expect(overridesFor({ vpc_id: { name: "vpcId", kind: "String" } }, [scalar("vpcId")])).toBeUndefined();
    });
});

describe("differences", () => {
    it("name the path and both sides", () => {
        const bridge = {
            port: { name: "port", kind: "Int" },
            zones: { name: "zones", kind: "Set", element: "String" },
        };
        expect(differences(bridge, [scalar("port"), scalar("zones"), scalar("added"), scalar("id")], "a:b:C")).toEqual([
            "a:b:C.port: number in the provider, string in the package",
            "a:b:C.zones: array in the provider, scalar in the package",
            "a:b:C.added: unknown to the provider",
        ]);
    });
});
