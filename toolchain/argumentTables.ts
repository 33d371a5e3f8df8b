/**
 * `npm run docs`: the tables of arguments in docs/components, out of the components' own types and comments. Between
 * `<!-- arguments: RedisClusterArgs -->` and `<!-- end of arguments -->` a document belongs to this program.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import * as ts from "typescript";
import { runCommandLine } from "./commandLine";
import { root } from "./folders";

/** One argument of a component. */
export interface Argument {
    readonly name: string;
    readonly required: boolean;
    /** As the source has it. */
    readonly type: string;
    /** Undefined where the comment names none. */
    readonly standard: string | undefined;
    readonly meaning: string;
}

type Interfaces = ReadonlyMap<string, readonly Argument[]>;

/** Reads interfaces without a type checker, which would have to read all that they import. */
export function readInterfaces(sources: readonly string[]): Interfaces {
    const declared = new Map<string, { own: Argument[]; picks: { from: string; names: string[] }[] }>();
    for (const source of sources) {
        const file = ts.createSourceFile("source.ts", source, ts.ScriptTarget.Latest, true);
        file.forEachChild((node) => {
            if (!ts.isInterfaceDeclaration(node)) return;
            declared.set(node.name.text, {
                own: node.members.filter(ts.isPropertySignature).map((member) => argumentOf(member, file)),
                picks: (node.heritageClauses ?? []).flatMap(({ types }) => types.map((type) => pickOf(type))),
            });
        });
    }
    const complete = (name: string): Argument[] => {
        const found = declared.get(name);
        if (!found) throw new Error(`There is no interface ${name} in components/.`);
        return [
            ...found.own,
            ...found.picks.flatMap(({ from, names }) =>
                complete(from).filter((argument) => names.length === 0 || names.includes(argument.name)),
            ),
        ];
    };
    return new Map([...declared.keys()].map((name) => [name, complete(name)]));
}

/** What an interface takes over: all of another one, or with `Pick` some of it. */
function pickOf(type: ts.ExpressionWithTypeArguments): { from: string; names: string[] } {
    const name = type.expression.getText();
    if (name !== "Pick") return { from: name, names: [] };
    const [from, names] = type.typeArguments ?? [];
    return { from: from!.getText(), names: [...names!.getText().matchAll(/"(\w+)"/g)].map(([, member]) => member!) };
}

function argumentOf(member: ts.PropertySignature, file: ts.SourceFile): Argument {
    const [comment] = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
    const tag = comment?.tags?.find(({ tagName }) => tagName.text === "default");
    return {
        name: member.name.getText(file),
        required: member.questionToken === undefined,
        type: (member.type?.getText(file) ?? "unknown").replace(/\breadonly /g, "").replace(/\s+/g, " "),
        standard: tag && sentence(ts.getTextOfJSDocComment(tag.comment)),
        meaning: sentence(ts.getTextOfJSDocComment(comment?.comment)),
    };
}

function sentence(text: string | undefined): string {
    return (text ?? "")
        .replace(/\{@link (\w+)\}/g, "`$1`")
        .replace(/\s+/g, " ")
        .trim();
}

/** Arguments as a table; those that are required come first. */
export function tableOf(found: readonly Argument[]): string {
    // Between backticks a reference would be shown as it stands.
    const cell = (text: string): string =>
        text.replaceAll("|", "\\|").replace(/`[^`]*`|</g, (found) => (found === "<" ? "&lt;" : found));
    const code = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``;
    const rows = [...found]
        .sort((one, other) => Number(other.required) - Number(one.required))
        .map(({ name, type, required, standard, meaning }) => {
            const otherwise = required ? "**required**" : standard === undefined ? "" : cell(standard);
            return `| ${code(name)} | ${code(type)} | ${otherwise} | ${cell(meaning)} |`;
        });
    return ["| Argument | Type | Default | Meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

const place = /(<!-- arguments: (\w+) -->\n)[\s\S]*?(<!-- end of arguments -->)/g;

/** A document with its tables made anew. @throws Error for one that names an interface that isn't there */
export function withTables(document: string, interfaces: Interfaces): string {
    return document.replace(place, (_, start: string, name: string, end: string) => {
        const found = interfaces.get(name);
        if (!found) throw new Error(`There is no interface ${name} in components/.`);
        return `${start}\n${tableOf(found)}\n\n${end}`;
    });
}

/** The documents of the components, as they are and, but for the width of columns, as they should be. */
export function documents(): { path: string; is: string; should: string }[] {
    const sources = readdirSync(join(root, "components"), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts"))
        .map((file) => readFileSync(join(root, "components", file), "utf8"));
    const interfaces = readInterfaces(sources);
    const folder = join(root, "docs", "components");
    return readdirSync(folder).map((file) => {
        const path = join(folder, file);
        const is = readFileSync(path, "utf8");
        return { path, is, should: withTables(is, interfaces) };
    });
}

async function main(): Promise<number> {
    for (const { path, is, should } of documents()) {
        const formatted = await format(should, { ...(await resolveConfig(path)), parser: "markdown" });
        if (is !== formatted) writeFileSync(path, formatted);
    }
    return 0;
}

if (require.main === module) runCommandLine(main, 1);
