/** What the documents promise exists: commands, files, and the same in both languages. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { git } from "../../toolchain/release";

const root = join(__dirname, "..", "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
/** The project's own documents; in a copy without git's files all but packages and what is built. */
function findDocuments(): string[] {
    try {
        const listed = git(root, "ls-files", "--cached", "--others", "--exclude-standard", "*.md").split("\n");
        return listed.filter((file) => existsSync(join(root, file)));
    } catch {
        return readdirSync(root, { withFileTypes: true })
            .filter(({ name }) => !["node_modules", "dist", ".git"].includes(name))
            .flatMap((entry) =>
                entry.isDirectory()
                    ? readdirSync(join(root, entry.name), { recursive: true, encoding: "utf8" }).map((file) =>
                          join(entry.name, file),
                      )
                    : [entry.name],
            )
            .filter((file) => file.endsWith(".md"))
            .sort();
    }
}
const documents = findDocuments();

/** Targets of a document's links, without those into the web. */
function linksOf(text: string): string[] {
    return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target]) => target!)
        .filter((target) => !/^\w+:/.test(target));
}

/** GitHub's name for a heading. */
function anchorOf(heading: string): string {
    return heading
        .toLowerCase()
        .replace(/[^\p{Letter}\p{Number}\s_-]/gu, "")
        .replace(/\s/g, "-");
}

/** Without code, where `#` begins a comment. */
const prose = (text: string): string => text.replace(/^```[^]*?^```$/gm, "");
const headingsOf = (text: string): string[][] =>
    [...prose(text).matchAll(/^(#+) (.*)$/gm)].map(([, level, title]) => [level!, title!]);

test.each(documents)("%s names only commands that there are", (file) => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const named = [...read(file).matchAll(/npm run (?:(?:-s|--silent) )?([a-z][\w:-]*)/g)].map(([, name]) => name!);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test.each(documents)("%s links only to what there is", (file) => {
    const missing = linksOf(read(file)).filter((link) => {
        const [path = "", anchor] = link.split("#");
        const target = path === "" ? file : join(dirname(file), path);
        if (!existsSync(join(root, target))) return true;
        return anchor !== undefined && !headingsOf(read(target)).some(([, title]) => anchorOf(title!) === anchor);
    });
    expect(missing).toEqual([]);
});

test("docs/configuration.md lists the outputs of the stack, and none else", () => {
    const outputs = [
        ...read("index.ts")
            .split("export = ")[1]!
            .matchAll(/^ {4}(\w+):/gm),
    ].map(([, name]) => name!);
    const [, table = ""] = read("docs/configuration.md").split("## Outputs of the stack");
    const listed = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name!);
    expect(outputs.length).toBeGreaterThan(10);
    expect(listed.sort()).toEqual(outputs.sort());
});

describe("README.zh-CN.md", () => {
    const [english, chinese] = ["README.md", "README.zh-CN.md"].map(read) as [string, string];
    const levels = (text: string): string[] => headingsOf(text).map(([level]) => level!);
    /** What of the code isn't words: commands without their comments. */
    const commands = (text: string): string[] =>
        [...text.matchAll(/^```sh$([^]*?)^```$/gm)].flatMap(([, block]) =>
            block!
                .split("\n")
                .map((line) => line.replace(/\s+#.*/, "").trim())
                .filter((line) => line !== ""),
        );

    it("has the sections of README.md, in their order", () => {
        expect(levels(chinese)).toEqual(levels(english));
        expect(levels(english).length).toBeGreaterThan(5);
    });

    it("names the same commands and links to the same documents", () => {
        expect(commands(chinese)).toEqual(commands(english));
        const others = (text: string): string[] => linksOf(text).filter((link) => !link.startsWith("README"));
        expect(others(chinese).sort()).toEqual(others(english).sort());
    });

    it("has a row for each row of its tables", () => {
        const rows = (text: string): number => [...text.matchAll(/^\|/gm)].length;
        expect(rows(chinese)).toBe(rows(english));
    });
});
