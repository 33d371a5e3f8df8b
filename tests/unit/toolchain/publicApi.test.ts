import { join } from "node:path";
import * as ts from "typescript";
import { root } from "../../../toolchain/folders";
import { examplesOf, publicExports, undocumented } from "../../../toolchain/publicApi";

const entry = join(root, "components", "index.ts");

test("all that the package exports says what it is, and every component shows how it is used", () => {
    expect(publicExports(entry).length).toBeGreaterThan(60);
    expect(undocumented(entry)).toEqual([]);
    expect(undocumented(join(root, "testing", "index.ts"))).toEqual([]);
});

test("the examples are code", () => {
    const examples = publicExports(entry).flatMap((one) => examplesOf(one).map((text) => [one.name, text] as const));
    expect(examples.length).toBeGreaterThan(10);
    for (const [name, text] of examples) {
        // `…` stands for what differs from user to user.
        const code = text.replace(/, … \)|, …\)/g, ")");
        const { diagnostics = [] } = ts.transpileModule(code, { reportDiagnostics: true });
        expect([name, ...diagnostics.map(({ messageText }) => messageText)]).toEqual([name]);
    }
});

test("what lacks a comment or an example is found, wherever it is passed on from", () => {
    const files: Record<string, string> = {
        "/index.ts": `
            export { Made, type Options as MadeOptions } from "./made";
            export * from "./others";`,
        "/made.ts": `
            /** Makes it. */
            export class Made extends pulumi.ComponentResource {
                public readonly url: string;
                /** Its port. */
                public readonly port: number;
                private secret = 1;
                #own = 2;
                constructor() {}
            }
            export interface Options {
                /** How many. */
                readonly count: number;
                readonly size: number;
            }
            export class Unused {}`,
        "/others/index.ts": `
            /** A number. @example one + one */
            export const one = 1;
            /** @internal */
            export function two(): void {}
            /**
             * @example
             * new Shown("a");
             */
            export class Shown extends ComponentResource {}`,
    };
    expect(undocumented("/index.ts", (file) => files[file])).toEqual([
        "Made.url: has no comment that says what it is.",
        "Made: a component without @example.",
        "MadeOptions: has no comment that says what it is.",
        "MadeOptions.size: has no comment that says what it is.",
        "two: has no comment that says what it is.",
        "Shown: has no comment that says what it is.",
    ]);
    expect(() => undocumented("/index.ts", (file) => (file === "/others/index.ts" ? undefined : files[file]))).toThrow(
        "/index.ts imports ./others, which isn't there",
    );
});
