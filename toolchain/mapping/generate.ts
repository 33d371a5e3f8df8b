/**
 * Writes toolchain/go/alicloud/mapping/mapping.json from the npm package and the provider module, and checks that the
 * bridge then gives every property the name and shape that the npm package has.
 *
 *     node toolchain/bootstrap.mjs toolchain/mapping/generate.ts [--check]
 *
 * Needs Go. To be run when the version of `@pulumi/alicloud` or of the provider module changes.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../folders";
import { goEnvironment } from "../goBuild";
import { step, summary } from "../progress.cjs";
import { run } from "../run";
import type { Bridge, BridgeElement, MappedElement, Mapping, Override } from "./bridge";
import { differences, match, overridesFor } from "./match";
import { readSdk, type Sdk, type SdkElement } from "./sdk";

const target = join(root, "toolchain", "go", "alicloud");
const file = join(target, "mapping", "mapping.json");

/** A pair that is less alike than this is chance. */
const leastLikeness = 1;

/** Where the names lead astray: of two generations of a resource the package calls the older one by the other's name. */
const exceptions: Readonly<Record<string, string>> = {
    "alicloud:slb/loadBalancer:LoadBalancer": "alicloud_slb",
    "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer": "alicloud_slb_load_balancer",
    "alicloud:slb/getLoadBalancers:getLoadBalancers": "alicloud_slbs",
    "alicloud:slb/getApplicationLoadBalancers:getApplicationLoadBalancers": "alicloud_slb_load_balancers",
    "alicloud:bastionhost/instance:Instance": "alicloud_bastionhost_instance",
    "alicloud:yundun/bastionHostInstance:BastionHostInstance": "alicloud_yundun_bastionhost_instance",
    "alicloud:bastionhost/getInstances:getInstances": "alicloud_bastionhost_instances",
    "alicloud:yundun/getBastionHostInstances:getBastionHostInstances": "alicloud_yundun_bastionhost_instances",
};

/** Older tokens that the package serves beside the current one without saying so, as it does for functions. */
const renamed: Readonly<Record<string, string>> = {
    "alicloud:ots/getInstanceAttachments:getInstanceAttachments":
        "alicloud:oss/getInstanceAttachments:getInstanceAttachments",
    "alicloud:ots/getInstances:getInstances": "alicloud:oss/getInstances:getInstances",
    "alicloud:ots/getTables:getTables": "alicloud:oss/getTables:getTables",
};

/** Defaults that the package's provider takes from the environment. */
const configEnvironment: Readonly<Record<string, string>> = {
    ecs_role_name: "ALICLOUD_ECS_ROLE_NAME",
    region: "ALICLOUD_REGION",
    profile: "ALICLOUD_PROFILE",
};

function mapElements(
    elements: readonly SdkElement[],
    candidates: Readonly<Record<string, BridgeElement>>,
): Record<string, MappedElement> {
    const legacy = new Set([...elements.flatMap(({ aliases }) => aliases), ...Object.values(renamed)]);
    const current = elements.filter(({ token }) => !legacy.has(token));
    const fixed = current.flatMap((element) => {
        const name = exceptions[element.token];
        return name === undefined ? [] : [{ name, element }];
    });
    const fixedNames = new Set(fixed.map(({ name }) => name));
    const free = Object.fromEntries(Object.entries(candidates).filter(([name]) => !fixedNames.has(name)));
    const rest = current.filter(({ token }) => exceptions[token] === undefined);

    const mapped: Record<string, MappedElement> = {};
    for (const { name, element } of [...fixed, ...match(rest, free, leastLikeness)].sort((a, b) =>
        a.name.localeCompare(b.name, "en"),
    )) {
        const fields = overridesFor(candidates[name]!.properties, merged(element));
        const older = [...element.aliases, renamed[element.token]].find((alias) =>
            elements.some(({ token }) => token === alias),
        );
        mapped[name] = {
            token: element.token,
            ...(older === undefined ? {} : { legacy: older }),
            ...(fields === undefined ? {} : { fields }),
        };
    }
    return mapped;
}

/** Outputs with the inputs that are not among them, as those of a data source may be. */
function merged(element: SdkElement): SdkElement["properties"] {
    const names = new Set(element.properties.map(({ name }) => name));
    return [...element.properties, ...element.inputs.filter(({ name }) => !names.has(name))];
}

function generate(sdk: Sdk, bridge: Bridge): Mapping {
    const config: Record<string, Override> = { ...overridesFor(bridge.config, sdk.config) };
    for (const [name, variable] of Object.entries(configEnvironment))
        config[name] = { ...config[name], envVars: [variable] };
    return {
        config,
        resources: mapElements(sdk.resources, bridge.resources),
        dataSources: mapElements(sdk.functions, bridge.dataSources),
    };
}

interface Verdict {
    /** Properties whose name or shape differs; must be none. */
    readonly wrong: string[];
    /** What the package has and the provider module does not: it is newer. */
    readonly missing: string[];
    /** Secrets of the package that the provider doesn't mark as sensitive. */
    readonly exposed: string[];
}

function verify(sdk: Sdk, bridge: Bridge): Verdict {
    const found = differences(bridge.config, sdk.config, "provider");
    const exposed: string[] = [];
    for (const [elements, bridged] of [
        [sdk.resources, bridge.resources],
        [sdk.functions, bridge.dataSources],
    ] as const) {
        const byToken = new Map(Object.values(bridged).map((each) => [each.token, each]));
        for (const element of elements) {
            const other = byToken.get(element.token);
            if (other === undefined) {
                found.push(`${element.token}: unknown to the provider`);
                continue;
            }
            found.push(...differences(other.properties, merged(element), element.token));
            const sensitive = new Set(
                Object.values(other.properties)
                    .filter((each) => each.sensitive === true)
                    .map((each) => each.name),
            );
            exposed.push(
                ...element.secrets.filter((name) => !sensitive.has(name)).map((name) => `${element.token}.${name}`),
            );
        }
    }
    const isMissing = (line: string): boolean => line.endsWith("unknown to the provider");
    return { wrong: found.filter((line) => !isMissing(line)), missing: found.filter(isMissing), exposed };
}

async function main(): Promise<void> {
    const isCheck = process.argv.includes("--check");
    const sdk = readSdk(join(root, "node_modules", "@pulumi", "alicloud"));
    const scratch = mkdtempSync(join(tmpdir(), "multihost-mapping-"));
    try {
        const schema = join(scratch, "schema");
        await step("Build the schema printer", { about: "15 s, 10 min with an empty cache" }, () =>
            run("go", ["build", "-trimpath", "-buildvcs=false", "-modcacherw", "-o", schema, "./schema"], {
                cwd: target,
                env: goEnvironment(),
            }),
        );
        const read = async (mapping: Mapping): Promise<Bridge> => {
            const path = join(scratch, "mapping.json");
            writeFileSync(path, JSON.stringify(mapping));
            return JSON.parse(await run(schema, [path])) as Bridge;
        };
        const mapping = generate(sdk, await read({ config: {}, resources: {}, dataSources: {} }));
        const text = `${JSON.stringify(mapping, undefined, 1)}\n`;
        const isChanged = text !== readFileSync(file, "utf8");
        if (isChanged && !isCheck) writeFileSync(file, text);

        const { wrong, missing, exposed } = verify(sdk, await read(mapping));
        for (const line of [...wrong, ...exposed.map((path) => `${path}: secret in the package only`)])
            console.log(line);
        if (process.argv.includes("--missing")) for (const line of missing) console.log(line);
        summary(`@pulumi/alicloud ${sdk.version}`, [
            ["resources", `${Object.keys(mapping.resources).length} of ${sdk.resources.length}`],
            ["data sources", `${Object.keys(mapping.dataSources).length} of ${sdk.functions.length}`],
            ["wrong name or shape", String(wrong.length)],
            ["secret in the package only", String(exposed.length)],
            ["newer than the provider", String(missing.length)],
            ["table", isChanged ? (isCheck ? "out of date" : "written") : "up to date"],
        ]);
        if (wrong.length > 0 || (isChanged && isCheck)) process.exitCode = 1;
    } finally {
        rmSync(scratch, { recursive: true });
    }
}

void main();
