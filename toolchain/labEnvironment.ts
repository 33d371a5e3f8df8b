/** Which stack a Pulumi command line is about, and what the stack of a lab needs in its environment. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { labFolder } from "./folders";

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

/** The environment that the running lab wrote down, or undefined when there is none. */
export function labEnvironment(folder = labFolder()): Record<string, string> | undefined {
    let text: string;
    try {
        text = readFileSync(join(folder, "env.json"), "utf8");
    } catch {
        return undefined;
    }
    return JSON.parse(text) as Record<string, string>;
}

/** Commands that read the stack's configuration or write to it. */
const configured = new Set([
    "up",
    "update",
    "preview",
    "pre",
    "destroy",
    "down",
    "dn",
    "refresh",
    "watch",
    "config",
    "cn",
]);

/**
 * The arguments, led to the lab's own project folder where the stack's configuration matters: there stand the lab's
 * port and the salt of its secrets, neither of which belongs into the repository. Others run where they are, so that
 * the files that they name are those that the caller means.
 */
export function inLabProject(args: readonly string[], project: string | undefined): string[] {
    const chosen = args.some((word) => /^(-C|--cwd|--config-file)(=|$)/.test(word));
    const command = args.find((word) => !word.startsWith("-"));
    const makesStack = command === "stack" && args.some((word) => word === "select" || word === "init");
    if (project === undefined || chosen || !(makesStack || configured.has(command ?? ""))) return [...args];
    return ["--cwd", project, ...args];
}
