/** Finds which Terraform resource stands behind which Pulumi token, and where their properties differ. */
import type { BridgeElement, BridgeProperty, Override } from "./bridge";
import type { SdkElement, SdkProperty } from "./sdk";

/** Singular and plural, and every way to write the words, are one. */
function plain(name: string): string {
    return name.replaceAll("_", "").toLowerCase().replace(/ies$/, "y").replace(/s$/, "");
}

function words(text: string): Set<string> {
    return new Set(
        text
            .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
            .toLowerCase()
            .split(/[^a-z0-9]+/)
            .filter((word) => word !== "" && word !== "get" && word !== "alicloud")
            .map(plain),
    );
}

function overlap<T>(left: ReadonlySet<T>, right: ReadonlySet<T>): number {
    let common = 0;
    for (const each of left) if (right.has(each)) common++;
    return left.size + right.size === 0 ? 1 : common / (left.size + right.size - common);
}

interface Features {
    readonly properties: ReadonlySet<string>;
    readonly words: ReadonlySet<string>;
    /** What the whole may be called when written together, the best name first. */
    readonly names: readonly string[];
}

function sdkFeatures(element: SdkElement): Features {
    const [, module, name] = /^alicloud:([^/:]+)(?:\/[^:]*)?:(.+)$/.exec(element.token) ?? ["", "", element.token];
    const short = name.replace(/^get/, "");
    const title = module === "index" ? short : `${module}_${short}`;
    const properties = [...element.inputs, ...element.properties]
        .map((each) => plain(each.name))
        .filter((each) => each !== "id");
    return { properties: new Set(properties), words: words(title), names: [plain(short), plain(title)] };
}

function bridgeFeatures(name: string, element: BridgeElement): Features {
    const properties = Object.entries(element.properties).filter(
        ([key, { removed }]) => key !== "id" && removed !== true,
    );
    const title = name.replace(/^alicloud_/, "");
    return { properties: new Set(properties.map(([key]) => plain(key))), words: words(title), names: [plain(title)] };
}

/** 0 … 3.5. What it has counts most; what it is called decides between those that have the same. */
function likeness(sdk: Features, bridge: Features): number {
    const position = sdk.names.indexOf(bridge.names[0]!);
    // `EcsDisk` and `Disk` of the module `ecs` stand for `ecs_disk` and `disk`: the class name says more than the module.
    const exact = position < 0 ? 0 : 1 / (position + 1);
    return 2 * overlap(sdk.properties, bridge.properties) + 0.5 * overlap(sdk.words, bridge.words) + exact;
}

export interface Match {
    readonly name: string;
    readonly element: SdkElement;
    readonly score: number;
}

/** Pairs each token with the resource that is most like it, every resource at most once; the surest pairs first. */
export function match(
    elements: readonly SdkElement[],
    candidates: Readonly<Record<string, BridgeElement>>,
    least: number,
): Match[] {
    const bridged = Object.entries(candidates).map(([name, element]) => [name, bridgeFeatures(name, element)] as const);
    const pairs: Match[] = [];
    for (const element of elements) {
        const features = sdkFeatures(element);
        for (const [name, other] of bridged) {
            const score = likeness(features, other);
            if (score >= least) pairs.push({ name, element, score });
        }
    }
    pairs.sort((left, right) => right.score - left.score || left.name.localeCompare(right.name));
    const names = new Set<string>();
    const tokens = new Set<string>();
    const chosen: Match[] = [];
    for (const pair of pairs) {
        if (names.has(pair.name) || tokens.has(pair.element.token)) continue;
        names.add(pair.name);
        tokens.add(pair.element.token);
        chosen.push(pair);
    }
    return chosen;
}

function isList(property: BridgeProperty): boolean {
    return property.kind === "List" || property.kind === "Set";
}

/** The overrides that give the bridge's properties the names and shapes that the npm package has. */
export function overridesFor(
    bridge: Readonly<Record<string, BridgeProperty>>,
    sdk: readonly SdkProperty[],
): Record<string, Override> | undefined {
    const byName = new Map(sdk.map((each) => [each.name, each]));
    const claimed = new Set<string>();
    const pairs: [string, BridgeProperty, SdkProperty][] = [];
    const open: [string, BridgeProperty][] = [];
    for (const [key, property] of Object.entries(bridge)) {
        const same = byName.get(property.name);
        if (same === undefined) open.push([key, property]);
        else {
            claimed.add(same.name);
            pairs.push([key, property, same]);
        }
    }
    for (const [key, property] of open) {
        const similar = sdk.filter((each) => !claimed.has(each.name) && plain(each.name) === plain(key));
        if (similar.length !== 1) continue;
        claimed.add(similar[0]!.name);
        pairs.push([key, property, similar[0]!]);
    }

    const overrides: Record<string, Override> = {};
    for (const [key, property, same] of pairs) {
        const override: Override = {};
        const isOne = property.flattened === true;
        if (isList(property) && isOne !== (same.shape !== "array")) override.maxItemsOne = !isOne;
        // A changed number changes the bridge's idea of the name as well.
        if (property.name !== same.name || override.maxItemsOne !== undefined) override.name = same.name;
        if (property.properties !== undefined && same.fields !== undefined) {
            const fields = overridesFor(property.properties, same.fields);
            if (fields !== undefined) override.fields = fields;
        }
        if (Object.keys(override).length > 0) overrides[key] = override;
    }
    return Object.keys(overrides).length === 0 ? undefined : overrides;
}

const scalars: Readonly<Record<string, SdkProperty["scalar"]>> = {
    String: "string",
    Int: "number",
    Float: "number",
    Bool: "boolean",
};

/** Every difference between what the bridge will do and what the npm package expects, as `path: what`. */
export function differences(
    bridge: Readonly<Record<string, BridgeProperty>>,
    sdk: readonly SdkProperty[],
    path: string,
): string[] {
    const found: string[] = [];
    const byName = new Map(Object.values(bridge).map((each) => [each.name, each]));
    for (const property of sdk) {
        const at = `${path}.${property.name}`;
        const other = byName.get(property.name);
        if (other === undefined) {
            if (property.name !== "id") found.push(`${at}: unknown to the provider`);
            continue;
        }
        const shape = isList(other)
            ? other.flattened === true
                ? undefined
                : "array"
            : other.kind === "Map"
              ? "map"
              : "scalar";
        if (shape !== undefined && shape !== property.shape && !(shape === "map" && property.shape === "object"))
            found.push(`${at}: ${shape} in the provider, ${property.shape} in the package`);
        if (shape === undefined && property.shape === "array")
            found.push(`${at}: one in the provider, array in the package`);
        const scalar = scalars[other.element ?? other.kind];
        if (scalar !== undefined && property.scalar !== undefined && scalar !== property.scalar)
            found.push(`${at}: ${scalar} in the provider, ${property.scalar} in the package`);
        if (property.fields !== undefined && other.properties !== undefined)
            found.push(...differences(other.properties, property.fields, at));
    }
    return found;
}
