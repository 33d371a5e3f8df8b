/** What `toolchain/go/alicloud/schema` prints: the provider's resources as the bridge sees them. */

export interface BridgeProperty {
    /** The Pulumi name. */
    readonly name: string;
    /** Terraform's type: String, Bool, Int, Float, List, Set or Map. */
    readonly kind: string;
    readonly required?: boolean;
    readonly optional?: boolean;
    readonly computed?: boolean;
    readonly sensitive?: boolean;
    readonly removed?: boolean;
    /** A list that holds one object and is shown as that object. */
    readonly flattened?: boolean;
    readonly element?: string;
    readonly properties?: Readonly<Record<string, BridgeProperty>>;
}

export interface BridgeElement {
    readonly token?: string;
    readonly properties: Readonly<Record<string, BridgeProperty>>;
}

export interface Bridge {
    readonly config: Readonly<Record<string, BridgeProperty>>;
    readonly resources: Readonly<Record<string, BridgeElement>>;
    readonly dataSources: Readonly<Record<string, BridgeElement>>;
}

/** What differs from the bridge's defaults; the format of mapping.json. */
export interface Override {
    name?: string;
    maxItemsOne?: boolean;
    secret?: boolean;
    envVars?: string[];
    fields?: Record<string, Override>;
}

export interface MappedElement {
    token: string;
    legacy?: string;
    fields?: Record<string, Override>;
}

export interface Mapping {
    config: Record<string, Override>;
    resources: Record<string, MappedElement>;
    dataSources: Record<string, MappedElement>;
}
