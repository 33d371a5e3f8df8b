/** Reads from the npm package which resources and functions it knows, and the names and shapes of their properties. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

export interface SdkProperty {
    readonly name: string;
    readonly shape: "array" | "map" | "object" | "scalar";
    /** Of the scalar, or of the scalars in the array or map. */
    readonly scalar?: "string" | "number" | "boolean";
    /** Properties of the object, or of the objects in the array or map. */
    readonly fields?: readonly SdkProperty[];
    readonly isOptional: boolean;
}

export interface SdkElement {
    readonly token: string;
    /** What a program may set. */
    readonly inputs: readonly SdkProperty[];
    /** All there is, inputs included. */
    readonly properties: readonly SdkProperty[];
    /** Properties that the package itself marks as secret. */
    readonly secrets: readonly string[];
    /** Older tokens that this one is an alias of. */
    readonly aliases: readonly string[];
}

export interface Sdk {
    readonly version: string;
    readonly config: readonly SdkProperty[];
    readonly resources: readonly SdkElement[];
    readonly functions: readonly SdkElement[];
}

type Interfaces = Map<string, ts.InterfaceDeclaration>;

function parse(file: string): ts.SourceFile {
    return ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, false);
}

/** All interfaces of a file by their name, with the namespaces they stand in: `vpc.NetworkIpv6CidrBlock`. */
function interfacesOf(file: string): Interfaces {
    const found: Interfaces = new Map();
    const visit = (node: ts.Node, prefix: string): void => {
        if (ts.isInterfaceDeclaration(node)) found.set(prefix + node.name.text, node);
        else if (ts.isModuleDeclaration(node) && node.body !== undefined && ts.isModuleBlock(node.body))
            for (const statement of node.body.statements) visit(statement, `${prefix}${node.name.text}.`);
    };
    for (const statement of parse(file).statements) visit(statement, "");
    return found;
}

function nameOf(name: ts.EntityName): string {
    return ts.isIdentifier(name) ? name.text : `${nameOf(name.left)}.${name.right.text}`;
}

class Reader {
    private readonly nested: { readonly inputs: Interfaces; readonly outputs: Interfaces };

    constructor(private readonly folder: string) {
        this.nested = {
            inputs: interfacesOf(join(folder, "types", "input.d.ts")),
            outputs: interfacesOf(join(folder, "types", "output.d.ts")),
        };
    }

    properties(declaration: ts.InterfaceDeclaration): SdkProperty[] {
        return declaration.members.filter(ts.isPropertySignature).map((member) => {
            const name = (member.name as ts.Identifier | ts.StringLiteral).text;
            return { name, isOptional: member.questionToken !== undefined, ...this.shape(member.type) };
        });
    }

    private shape(type: ts.TypeNode | undefined): Omit<SdkProperty, "name" | "isOptional"> {
        if (type === undefined) return { shape: "scalar" };
        if (type.kind === ts.SyntaxKind.StringKeyword) return { shape: "scalar", scalar: "string" };
        if (type.kind === ts.SyntaxKind.NumberKeyword) return { shape: "scalar", scalar: "number" };
        if (type.kind === ts.SyntaxKind.BooleanKeyword) return { shape: "scalar", scalar: "boolean" };
        if (ts.isParenthesizedTypeNode(type)) return this.shape(type.type);
        if (ts.isUnionTypeNode(type)) {
            const kept = type.types.filter((each) => each.kind !== ts.SyntaxKind.UndefinedKeyword);
            return this.shape(kept[0]);
        }
        if (ts.isArrayTypeNode(type)) {
            return { ...this.shape(type.elementType), shape: "array" };
        }
        if (ts.isTypeLiteralNode(type)) {
            const signature = type.members.find(ts.isIndexSignatureDeclaration);
            return { ...this.shape(signature?.type), shape: "map" };
        }
        if (ts.isTypeReferenceNode(type)) {
            const name = nameOf(type.typeName);
            if (name === "pulumi.Input" || name === "pulumi.Output") return this.shape(type.typeArguments?.[0]);
            const [space, ...rest] = name.split(".");
            const known =
                space === "inputs" ? this.nested.inputs : space === "outputs" ? this.nested.outputs : undefined;
            const declaration = known?.get(rest.join("."));
            if (declaration !== undefined) return { shape: "object", fields: this.properties(declaration) };
        }
        return { shape: "scalar" };
    }

    element(script: string, text: string): SdkElement | { readonly function: SdkElement } | undefined {
        const interfaces = interfacesOf(script.replace(/\.js$/, ".d.ts"));
        const read = (name: string): SdkProperty[] => {
            const declaration = interfaces.get(name);
            return declaration === undefined ? [] : this.properties(declaration);
        };
        const list = (pattern: RegExp, item: RegExp): string[] =>
            [...(pattern.exec(text)?.[1] ?? "").matchAll(item)].map((match) => match[1]!);

        const resource = /static __pulumiType = '([^']+)'/.exec(text);
        if (resource !== null) {
            const token = resource[1]!;
            const name = token.split(":").at(-1)!;
            return {
                token,
                inputs: read(`${name}Args`),
                properties: read(`${name}State`),
                secrets: list(/additionalSecretOutputs: \[([^\]]*)\]/, /"([^"]+)"/g),
                aliases: list(/const aliasOpts = \{ aliases: \[([^\]]*)\]/, /type: "([^"]+)"/g),
            };
        }
        const invoke = /pulumi\.runtime\.invoke\("([^"]+)"/.exec(text);
        if (invoke === null) return undefined;
        const token = invoke[1]!;
        const name = token.split(":").at(-1)!;
        const title = name.charAt(0).toUpperCase() + name.slice(1);
        const inputs = read(`${title}Args`);
        return { function: { token, inputs, properties: read(`${title}Result`), secrets: [], aliases: [] } };
    }

    config(): SdkProperty[] {
        const declaration = interfacesOf(join(this.folder, "provider.d.ts")).get("ProviderArgs");
        if (declaration === undefined) throw new Error("the package has no ProviderArgs");
        return this.properties(declaration);
    }
}

function scriptsBelow(folder: string): string[] {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory())
            return ["types", "config", "node_modules"].includes(entry.name) ? [] : scriptsBelow(path);
        return entry.name.endsWith(".js") && entry.name !== "provider.js" && existsSync(path.replace(/\.js$/, ".d.ts"))
            ? [path]
            : [];
    });
}

/** Reads the npm package `@pulumi/alicloud` in `folder`. */
export function readSdk(folder: string): Sdk {
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
    const reader = new Reader(folder);
    const resources: SdkElement[] = [];
    const functions: SdkElement[] = [];
    for (const script of scriptsBelow(folder).sort()) {
        const text = readFileSync(script, "utf8");
        if (!text.includes("__pulumiType") && !text.includes("runtime.invoke")) continue;
        const element = reader.element(script, text);
        if (element === undefined) continue;
        if ("function" in element) functions.push(element.function);
        else resources.push(element);
    }
    return { version, config: reader.config(), resources, functions };
}
