/** What the package exports, and whether each of it says what it is: read from the sources alone, which takes no type checker. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as ts from "typescript";

/** Something that the package exports. */
export interface PublicExport {
    readonly name: string;
    readonly file: string;
    readonly node: ts.Declaration;
}

/** Reads a file's text; undefined for one that isn't there. */
export type ReadText = (file: string) => string | undefined;

const fromDisk: ReadText = (file) => (existsSync(file) ? readFileSync(file, "utf8") : undefined);

/** All that a module exports, its own and what it passes on. @throws Error for an export that leads nowhere */
export function publicExports(entry: string, read: ReadText = fromDisk): PublicExport[] {
    const text = read(entry);
    if (text === undefined) throw new Error(`There is no ${entry}.`);
    const source = ts.createSourceFile(entry, text, ts.ScriptTarget.Latest, true);
    return source.statements.flatMap((statement): PublicExport[] => {
        if (!ts.isExportDeclaration(statement)) return exportsOf(statement, entry);
        if (statement.moduleSpecifier === undefined || !ts.isStringLiteral(statement.moduleSpecifier)) return [];
        const passedOn = publicExports(moduleFile(entry, statement.moduleSpecifier.text, read), read);
        const { exportClause } = statement;
        if (exportClause === undefined || !ts.isNamedExports(exportClause)) return passedOn;
        return exportClause.elements.map(({ name, propertyName }) => {
            const found = passedOn.find((one) => one.name === (propertyName ?? name).text);
            if (found === undefined) throw new Error(`${entry} passes on ${name.text}, which isn't exported there.`);
            return { ...found, name: name.text };
        });
    });
}

function moduleFile(from: string, specifier: string, read: ReadText): string {
    const base = join(dirname(from), specifier);
    const found = [`${base}.ts`, join(base, "index.ts")].find((file) => read(file) !== undefined);
    if (found === undefined) throw new Error(`${from} imports ${specifier}, which isn't there.`);
    return found;
}

function exportsOf(statement: ts.Statement, file: string): PublicExport[] {
    const isExported =
        ts.canHaveModifiers(statement) &&
        (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (!isExported) return [];
    if (ts.isVariableStatement(statement))
        return statement.declarationList.declarations.map((node) => ({ name: node.name.getText(), file, node }));
    if (
        ts.isClassDeclaration(statement) ||
        ts.isFunctionDeclaration(statement) ||
        ts.isInterfaceDeclaration(statement) ||
        ts.isTypeAliasDeclaration(statement)
    )
        return [{ name: statement.name?.text ?? "default", file, node: statement }];
    return [];
}

function commentsOf(node: ts.Node): ts.JSDoc[] {
    // The comment of a variable stands before its statement.
    const owner = ts.isVariableDeclaration(node) ? node.parent.parent : node;
    return ts.getJSDocCommentsAndTags(owner).filter(ts.isJSDoc);
}

const hasText = (node: ts.Node): boolean =>
    commentsOf(node).some(
        ({ comment, tags = [] }) =>
            (ts.getTextOfJSDocComment(comment) ?? "").trim() !== "" ||
            // A member that takes its meaning from what it belongs to may say only what it gives or throws.
            tags.some((tag) => ["returns", "throws", "default"].includes(tag.tagName.text)),
    );

/** Whether a class is a component, by what it extends. */
function isComponent(node: ts.Node): node is ts.ClassDeclaration {
    return (
        ts.isClassDeclaration(node) &&
        (node.heritageClauses ?? []).some(({ types }) =>
            types.some(({ expression }) => /(^|\.)ComponentResource$/.test(expression.getText())),
        )
    );
}

/** The examples in a declaration's comment. */
export function examplesOf({ node }: PublicExport): string[] {
    return commentsOf(node).flatMap(({ tags = [] }) =>
        tags
            .filter(({ tagName }) => tagName.text === "example")
            .map(({ comment }) =>
                (ts.getTextOfJSDocComment(comment) ?? "").replace(/^```\w*\n|\n```\s*$/gm, "").trim(),
            ),
    );
}

/** Members that users of an export see. */
function membersOf({ node }: PublicExport): ts.NamedDeclaration[] {
    if (ts.isInterfaceDeclaration(node)) return [...node.members];
    if (!ts.isClassDeclaration(node)) return [];
    return node.members.filter(
        (member) =>
            (ts.isPropertyDeclaration(member) || ts.isMethodDeclaration(member) || ts.isGetAccessor(member)) &&
            !(ts.getModifiers(member) ?? []).some(({ kind }) =>
                [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword].includes(kind),
            ) &&
            !ts.isPrivateIdentifier(member.name),
    );
}

/** What lacks a comment, and components without an example, a line each. */
export function undocumented(entry: string, read: ReadText = fromDisk): string[] {
    return publicExports(entry, read).flatMap((one) => [
        ...(hasText(one.node) ? [] : [`${one.name}: has no comment that says what it is.`]),
        ...membersOf(one)
            .filter((member) => !hasText(member))
            .map((member) => `${one.name}.${member.name?.getText() ?? "?"}: has no comment that says what it is.`),
        ...(isComponent(one.node) && examplesOf(one).length === 0
            ? [`${one.name}: a component without @example.`]
            : []),
    ]);
}
