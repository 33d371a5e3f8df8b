/** `npm run rotate`: gives a service another password while its clients go on; docs/secrets.md. */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { runCommandLine } from "../toolchain/commandLine";
import { exitCodeOf, pulumiOutput, startPulumi } from "../toolchain/pulumi";
import { LAB_STACK } from "../toolchain/stacks";
import { begin, type Change, finish, type Known } from "./rotation";

/** The section of the configuration that has the password, and the output with a URL that has it, too. */
const outputs: Readonly<Record<string, string>> = { redis: "redisUrl", mysql: "mysqlUrl" };

const secrets = Object.keys(outputs).map((service) => `${service}.password`);

const help = `Usage: npm run rotate -- SECRET [--stack NAME] [--finish] [--yes]

  SECRET         ${secrets.join(" or ")}
  --stack NAME   the stack (default: PULUMI_STACK, else "${LAB_STACK}")
  --finish       ends the previous password, once every client has the new one
  --yes          updates the stack without asking

First a new password beside the previous one, then the new one alone. Both write the stack's configuration, encrypted, and
update the stack; a run that failed or was cut off goes on when it is run again.
`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

export interface Options {
    readonly service: string;
    readonly stack: string;
    readonly finish: boolean;
    readonly yes: boolean;
}

/** @throws Error for words that are not known */
export function parseOptions(words: readonly string[], env: NodeJS.ProcessEnv): Options {
    const { values, positionals } = parseArgs({
        args: [...words],
        allowPositionals: true,
        options: {
            stack: { type: "string", short: "s", default: env["PULUMI_STACK"] ?? LAB_STACK },
            finish: { type: "boolean", default: false },
            yes: { type: "boolean", short: "y", default: false },
        },
    });
    const [secret = "", ...more] = positionals;
    if (more.length > 0 || !secrets.includes(secret))
        throw new Error(`What is to be rotated is one of ${secrets.join(", ")}, not "${positionals.join(" ")}".`);
    return { ...values, service: secret.slice(0, secret.indexOf(".")) };
}

/** The password in a URL. @throws Error when there is none */
export function passwordIn(url: string): string {
    const found = /^[a-z]+:\/\/[^:@/]*:([^@/]+)@/.exec(url);
    if (found === null) throw new Error("The stack's output is no URL with a password.");
    return decodeURIComponent(found[1]!);
}

async function known({ service, stack }: Options): Promise<Known> {
    const printed = await pulumiOutput(["stack", "output", "--json", "--show-secrets", "--stack", stack]);
    const url = (JSON.parse(printed) as Record<string, unknown>)[outputs[service]!];
    if (typeof url !== "string")
        throw new Error(`The stack "${stack}" has no ${outputs[service]!}: it doesn't run this service yet.`);
    const settings = JSON.parse(await pulumiOutput(["config", "--json", "--show-secrets", "--stack", stack])) as Record<
        string,
        { readonly value?: string }
    >;
    const section = Object.entries(settings).find(([key]) => key.endsWith(`:${service}`))?.[1].value ?? "{}";
    const { password, previousPassword } = JSON.parse(section) as Partial<Known>;
    return {
        current: passwordIn(url),
        ...(password !== undefined && { password }),
        ...(previousPassword !== undefined && { previousPassword }),
    };
}

async function set({ service, stack }: Options, [key, value]: Change): Promise<void> {
    const path = ["--stack", stack, "--path", `${service}.${key}`];
    if (value === undefined) await pulumiOutput(["config", "rm", ...path]);
    // On standard input: a command line can be read by anyone.
    else await pulumiOutput(["config", "set", "--secret", ...path], value);
}

async function rotate(options: Options): Promise<number> {
    const { service, stack } = options;
    if (!options.yes && !process.stdin.isTTY)
        throw new Error("There is no terminal to ask on whether the stack is to be updated: say --yes.");
    const now = await known(options);
    const changes = options.finish ? finish(now) : begin(now, randomBytes(32).toString("base64url"));
    if (options.finish && changes.length === 0) {
        process.stdout.write(`${service}.password of the stack "${stack}" has no previous one.\n`);
        return 0;
    }
    for (const change of changes) await set(options, change);
    const again = `npm run rotate -- ${service}.password --stack ${stack}`;
    const code = await exitCodeOf(
        await startPulumi(
            ["up", "--stack", stack, ...(options.yes ? ["--yes", "--skip-preview"] : [])],
            ["inherit", "inherit", "inherit"],
        ),
    );
    process.stdout.write(
        code !== 0
            ? `The stack isn't updated; its configuration is. \`${again}${options.finish ? " --finish" : ""}\` goes on.\n`
            : options.finish
              ? `The previous ${service}.password is refused from now on.\n`
              : `The new ${service}.password is valid, and so is the previous one. Give clients the new one\n` +
                `  npm run --silent pulumi -- stack output ${outputs[service]!} --show-secrets --stack ${stack}\n` +
                `and, once all have it, end the previous one:\n  ${again} --finish\n`,
    );
    return code;
}

async function main(words: readonly string[]): Promise<number> {
    if (words.some((word) => ["help", "--help", "-h"].includes(word))) {
        process.stdout.write(help);
        return 0;
    }
    let options: Options;
    try {
        options = parseOptions(words, process.env);
    } catch (error) {
        process.stderr.write(`${(error as Error).message}\n\n${help}`);
        return EXIT_USAGE;
    }
    return rotate(options);
}

if (require.main === module) runCommandLine(main, EXIT_FAILED);
