/** `npm run rotate`: gives a service another password, or other keys, while its clients go on; docs/secrets.md. */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import type { KeyGenerations } from "../components/keys";
import { type KeyOwner, keyOwners } from "../config/keys";
import { preview } from "../delivery/engine";
import { problemOf } from "../delivery/plan";
import { describeStage, stagesOf } from "../delivery/stages";
import { perform, runCommandLine } from "../toolchain/commandLine";
import { pulumiOutput, startPulumi } from "../toolchain/pulumi";
import { foreground } from "../toolchain/run";
import { keptAsText, membersOf, type PrintedConfig, type PrintedSetting } from "../toolchain/settings";
import { LAB_STACK, stackOf } from "../toolchain/stacks";
import { begin, beginKeys, type Change, finish, finishKeys, type Known } from "./rotation";

/** Services with a password, and the output with a URL that has it, too. */
const urls = { redis: "redisUrl", mysql: "mysqlUrl" } as const;

type Service = keyof typeof urls;

/** What a new generation beside the former one means: an output with the authorities, which clients have to be given, or nothing to do. */
const begun: Readonly<Record<KeyOwner, { readonly output: string } | { readonly said: string }>> = {
    redis: { output: "redisCaCertificate" },
    mysql: { output: "mysqlCaCertificate" },
    loadBalancer: { output: "loadBalancerCaCertificate" },
    storage: {
        said: "Servers and clients of the shared files trust both authorities, and go on with the former certificates until you end them.",
    },
    hosts: {
        said: "Hosts let the former and the next hosts.keys in. The stack goes on with the former ones until you end them.",
    },
    hostKeys: {
        said: "Hosts show their former and their next SSH keys. The stack goes on with the former ones until you end them.",
    },
};

/** What can be rotated. */
type Secret =
    { readonly kind: "password"; readonly service: Service } | { readonly kind: "keys"; readonly owner: KeyOwner };

function keysName(owner: KeyOwner): string {
    return owner === "hostKeys" ? "hosts.hostKeys" : `${owner}.keys`;
}

const secrets = new Map<string, Secret>([
    ...(Object.keys(urls) as Service[]).map(
        (service) => [`${service}.password`, { kind: "password", service }] as const,
    ),
    ...keyOwners.map((owner) => [keysName(owner), { kind: "keys", owner }] as const),
]);

const help = `Usage: npm run rotate -- SECRET… [--stack NAME] [--finish] [--yes]

  SECRET         ${[...secrets.keys()].join(", ")}; several are rotated together
  --stack NAME   the stack (default: PULUMI_STACK, else "${LAB_STACK}")
  --finish       ends what was valid before, once every client has the new one
  --yes          updates the stack without asking

First something new beside what there is, then the new alone. Both write the stack's configuration, passwords encrypted, and
update the stack; a run that failed or was cut off goes on when it is run again.
`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

export interface Options {
    /** Such as `redis.password`. */
    readonly names: readonly string[];
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
            stack: { type: "string", short: "s" },
            finish: { type: "boolean", default: false },
            yes: { type: "boolean", short: "y", default: false },
        },
    });
    if (positionals.length === 0 || !positionals.every((name) => secrets.has(name)))
        throw new Error(
            `What is to be rotated is one of ${[...secrets.keys()].join(", ")}, not "${positionals.join(" ")}".`,
        );
    return { ...values, stack: stackOf(values.stack, env), names: [...new Set(positionals)] };
}

/** The password in a URL. @throws Error when there is none */
export function passwordIn(url: string): string {
    const found = /^[a-z]+:\/\/[^:@/]*:([^@/]+)@/.exec(url);
    if (found === null) throw new Error("The stack's output is no URL with a password.");
    return decodeURIComponent(found[1]!);
}

/** A setting in the stack's configuration, secrets in plain text; undefined when it isn't there. */
async function printedSetting(stack: string, name: string): Promise<PrintedSetting | undefined> {
    const printed = await pulumiOutput(["config", "--json", "--show-secrets", "--stack", stack]);
    return Object.entries(JSON.parse(printed) as PrintedConfig).find(([key]) => key.endsWith(`:${name}`))?.[1];
}

/** Its value; undefined when it isn't there. */
async function setting(stack: string, name: string): Promise<unknown> {
    const text = (await printedSetting(stack, name))?.value;
    return text === undefined ? undefined : JSON.parse(text);
}

/** A group of settings; empty when it isn't there. */
async function configured(stack: string, section: string): Promise<Record<string, unknown>> {
    return ((await setting(stack, section)) ?? {}) as Record<string, unknown>;
}

/** The stack's outputs, secrets in plain text. */
async function outputsOf(stack: string): Promise<Record<string, unknown>> {
    return JSON.parse(await pulumiOutput(["stack", "output", "--json", "--show-secrets", "--stack", stack])) as Record<
        string,
        unknown
    >;
}

/** A group of settings that a rotation sets members of. @throws Error for one that they would take the place of */
async function changeable(stack: string, section: string): Promise<Readonly<Record<string, unknown>>> {
    const printed = await printedSetting(stack, section);
    if (printed === undefined) return {};
    const members = membersOf(printed);
    if (members === undefined) throw new Error(keptAsText(section, stack));
    return members;
}

async function known(service: Service, stack: string): Promise<Known> {
    const url = (await outputsOf(stack))[urls[service]];
    if (typeof url !== "string")
        throw new Error(`The stack "${stack}" has no ${urls[service]}: it doesn't run this service yet.`);
    const { password, previousPassword } = (await changeable(stack, service)) as Partial<Known>;
    return {
        current: passwordIn(url),
        ...(password !== undefined && { password }),
        ...(previousPassword !== undefined && { previousPassword }),
    };
}

async function set(service: Service, stack: string, [key, value]: Change): Promise<void> {
    const path = ["--stack", stack, "--path", `${service}.${key}`];
    if (value === undefined) await pulumiOutput(["config", "rm", ...path]);
    // On standard input: a command line can be read by anyone.
    else await pulumiOutput(["config", "set", "--secret", ...path], value);
}

/** All numbers at once, so that a run that is cut off leaves no state in between. */
async function setKeys(owner: KeyOwner, stack: string, keys: KeyGenerations): Promise<void> {
    const numbers = Object.entries(keys).flatMap(([key, number]) => ["--plaintext", `keys.${owner}.${key}=${number}`]);
    await pulumiOutput(["config", "set-all", "--stack", stack, "--path", ...numbers]);
    if (keys.beside === undefined)
        await pulumiOutput(["config", "rm", "--stack", stack, "--path", `keys.${owner}.beside`]);
}

/** What is to be done for one secret. */
interface Rotation {
    /** Changes of the configuration, each followed by an update of the stack. */
    readonly stages: readonly (() => Promise<void>)[];
    /** What to say when the last one is done. */
    readonly said: string;
}

/** For the end of what the configuration doesn't have any more: hosts still do after an update that failed, so one follows all the same. */
const nothing = (): Promise<void> => Promise.resolve();

async function passwordRotation(name: string, service: Service, { stack, finish: ends }: Options): Promise<Rotation> {
    const now = await known(service, stack);
    const changes = ends ? finish(now) : begin(now, randomBytes(32).toString("base64url"));
    if (ends && changes.length === 0) return { stages: [nothing], said: `${name} has no previous one.` };
    const change = async (): Promise<void> => {
        for (const one of changes) await set(service, stack, one);
    };
    return {
        stages: [change],
        said: ends
            ? `The previous ${name} is refused from now on.`
            : `The new ${name} is valid, and so is the previous one. Give clients the new one:\n` +
              `  npm run --silent pulumi -- stack output ${urls[service]} --show-secrets --stack ${stack}`,
    };
}

/**
 * What the end of the former keys asks of other stacks: their states have the keys to shared hosts that their last update found, and what
 * they undo there they undo with these.
 */
async function forOtherStacks(owner: KeyOwner, stack: string): Promise<string> {
    const shared = owner === "hosts" || owner === "hostKeys" ? await setting(stack, "sharedHosts") : undefined;
    if (!Array.isArray(shared) || shared.length === 0) return "";
    return (
        `\nOther stacks work on ${shared.join(", ")} and know the former keys only. Update each of them before you change or destroy it:\n` +
        "  npm run pulumi -- up --stack STACK"
    );
}

/** @throws Error when the stack has no such keys */
async function requireOwner(name: string, owner: KeyOwner, stack: string): Promise<void> {
    const beside = begun[owner];
    if ("output" in beside && (await outputsOf(stack))[beside.output] === undefined)
        throw new Error(
            `The stack "${stack}" has no ${beside.output}: it has generated no certificates by ${name}, or no update has made them yet.`,
        );
    if (owner !== "storage") return;
    const { enabled = false, engine = "glusterfs" } = await configured(stack, "storage");
    if (enabled !== true || engine !== "glusterfs")
        throw new Error(`The stack "${stack}" keeps no files in GlusterFS: there are no ${name}.`);
}

async function keyRotation(name: string, owner: KeyOwner, { stack, finish: ends }: Options): Promise<Rotation> {
    await requireOwner(name, owner, stack);
    const now = ((await changeable(stack, "keys"))[owner] ?? {}) as KeyGenerations;
    const states = ends ? finishKeys(now) : beginKeys(now);
    const others = ends ? await forOtherStacks(owner, stack) : "";
    if (states.length === 0) return { stages: [nothing], said: `${name} have no former ones.${others}` };
    const beside = begun[owner];
    return {
        stages: states.map((state) => () => setKeys(owner, stack, state)),
        said: ends
            ? `The former ${name} are worth nothing from now on.${others}`
            : "said" in beside
              ? beside.said
              : "Servers will have certificates of another authority once you go on. Give clients both authorities:\n" +
                `  npm run --silent pulumi -- stack output ${beside.output} --stack ${stack}`,
    };
}

/** @throws Error when the updates of a rotation would stop hosts: they carry out whatever else is still to be done */
async function requireNoStops(stack: string): Promise<void> {
    const { plan } = await preview(stack, [], []);
    const problem = problemOf(plan);
    if (problem !== undefined) throw new Error(`The preview of ${stack} failed:\n${problem}`);
    const stages = stagesOf(plan);
    if (stages.length === 0) return;
    throw new Error(
        `The updates of a rotation would stop hosts, since ${stack} isn't as its program and settings say:\n` +
            `${stages.map((stage) => `  ${describeStage(stage)}`).join("\n")}\n` +
            `Do that before, or take it back:\n  npm run rolling-update -- --stack ${stack}`,
    );
}

/**
 * Rotates, and updates the stack.
 * @returns the exit code
 */
export async function rotate(options: Options): Promise<number> {
    const { names, stack, yes } = options;
    if (!yes && !process.stdin.isTTY)
        throw new Error("There is no terminal to ask on whether the stack is to be updated: say --yes.");
    const { rebuildOn } = (await configured(stack, "hosts")) as { readonly rebuildOn?: readonly string[] };
    if (rebuildOn !== undefined && rebuildOn.length > 0)
        throw new Error(
            "`hosts.rebuildOn` is set: the updates of a rotation could rebuild all hosts at the same time. Take it out first: " +
                `npm run pulumi -- config rm --path hosts.rebuildOn --stack ${stack}`,
        );
    const rotations: Rotation[] = [];
    for (const name of names) {
        const secret = secrets.get(name)!;
        rotations.push(
            await (secret.kind === "password"
                ? passwordRotation(name, secret.service, options)
                : keyRotation(name, secret.owner, options)),
        );
    }
    await requireNoStops(stack);
    const again = `npm run rotate -- ${names.join(" ")} --stack ${stack}`;
    const stages = Math.max(...rotations.map((rotation) => rotation.stages.length));
    for (let stage = 0; stage < stages; stage += 1) {
        for (const rotation of rotations) await rotation.stages[stage]?.();
        const how = yes ? ["--yes", "--skip-preview"] : [];
        const code = await foreground(
            await startPulumi(["up", "--stack", stack, ...how], ["inherit", "inherit", "inherit"]),
        );
        if (code === 0) continue;
        process.stdout.write(
            `The stack isn't updated; its configuration is. \`${again}${options.finish ? " --finish" : ""}\` goes on.\n`,
        );
        return code;
    }
    for (const { said } of rotations) process.stdout.write(`${said}\n`);
    if (!options.finish) process.stdout.write(`Once all have it, end what was before:\n  ${again} --finish\n`);
    return 0;
}

function main(words: readonly string[]): Promise<number> {
    return perform(
        { help, misused: EXIT_USAGE, parse: (given) => parseOptions(given, process.env), run: rotate },
        words,
    );
}

if (require.main === module) runCommandLine(main, EXIT_FAILED);
