/** Which stack a Pulumi command line is about. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { root } from "./folders";

/** The stack that `npm run lab` brings up. */
export const LAB_STACK = "lab";

/** The project's name, from Pulumi.yaml. */
export function projectName(): string {
    return (parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as { name: string }).name;
}

/** Whether a stack lives in the lab's backend, on the lab's cloud: `lab`, and every name that starts with `lab-`. */
export function livesInLab(stack: string | undefined): boolean {
    const name = stack?.split("/").at(-1);
    return name === LAB_STACK || name?.startsWith(`${LAB_STACK}-`) === true;
}

const positional = new Set(["select", "init", "rm"]);

/** The stack that a command line or `PULUMI_STACK` names, without organization and project; undefined when neither does. */
export function chosenStack(args: readonly string[], env: NodeJS.ProcessEnv = process.env): string | undefined {
    const end = args.indexOf("--");
    const words = end < 0 ? args : args.slice(0, end);
    let name: string | undefined;
    for (const [index, word] of words.entries()) {
        if (word === "-s" || word === "--stack") name = words[index + 1];
        else if (word.startsWith("--stack=")) name = word.slice("--stack=".length);
        else if (/^-s[^-]/.test(word)) name = word.slice(2).replace(/^=/, "");
    }
    if (name === undefined && words[0] === "stack" && positional.has(words[1] ?? ""))
        name = words.slice(2).find((word) => !word.startsWith("-"));
    name ??= env["PULUMI_STACK"];
    return name === undefined || name === "" ? undefined : name.split("/").at(-1);
}

/**
 * The stack that a command of the project's own is about: the one that `--stack` names, else `PULUMI_STACK`, else the lab's. Never an
 * empty name, which Pulumi takes for whatever stack is selected.
 * @param given the value of `--stack`
 * @throws Error for one that is empty
 */
export function stackOf(given: string | undefined, env: NodeJS.ProcessEnv): string {
    if (given === "") throw new Error("--stack is empty: name a stack, or leave it out.");
    const named = given ?? env["PULUMI_STACK"];
    return named === undefined || named === "" ? LAB_STACK : named;
}
