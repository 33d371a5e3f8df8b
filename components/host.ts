import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

import { componentOptions, dependsOnAll } from "./dependencies";
import { checkedOnceKnown, Problems } from "./problems";
import { commandText, scriptText, secretLines, shellQuote, upperSnake } from "./scriptText";
import { loadScript, type Script, sha256 } from "./scripts";

/** A parameter's value: lists are passed space-separated, `undefined` is not passed at all. */
export type StepParam = string | number | boolean | readonly (string | number)[] | undefined;

/** What {@link Host.run} brings a host to. */
export interface StepArgs {
    /** The script, or its name below `scripts/` such as `redis/node`. */
    readonly script: Script | string;
    /**
     * Values that anyone may read, as `PARAM_<UPPER_SNAKE>` in the script: `maxMemory` is `PARAM_MAX_MEMORY`.
     * They stand in the command text, so a preview shows what changes. A changed value runs the step again, in place.
     */
    readonly params?: Readonly<Record<string, pulumi.Input<StepParam>>>;
    /**
     * Values that nobody may read, as unexported shell variables `SECRET_<UPPER_SNAKE>`. They travel on standard input,
     * stand in no command line or environment, and are struck out of everything the script prints.
     */
    readonly secrets?: Readonly<Record<string, pulumi.Input<string>>>;
    /** Further values whose change runs the step again, in place; for example another step's result. */
    readonly rerunOn?: readonly pulumi.Input<unknown>[];
    /**
     * Whether the step speaks for a service that outlives the machine it runs on: on another machine it goes on as an update instead of
     * starting afresh, so that its script can tell a service that lost all its machines from one that never was.
     * @default false
     */
    readonly outlivesMachine?: boolean;
    /**
     * Whether the step speaks for a service as a whole, and may run on another of its hosts next time: then it runs at every change, that of
     * an address too, since the last run on this host may not be the last one. `outlivesMachine` implies it.
     * @default false
     */
    readonly serviceWide?: boolean;
    /**
     * Runs the script's function `remove` when the step goes away while its host stays.
     * @default false: deleting the step leaves the host as it is.
     */
    readonly removeOnDelete?: boolean;
    /**
     * Whether the script reaches out of the VPC, for packages for example: then it waits for the host's way out.
     * @default true
     */
    readonly usesInternet?: boolean;
    /**
     * Marks the whole result as secret.
     * @default false: results are readable (secrets passed to the script are struck out of them all the same).
     */
    readonly secretResult?: boolean;
    /**
     * How long one run may take, in minutes.
     * @default 20
     */
    readonly timeoutMinutes?: number;
}

/** What every script prints as its last line. */
export interface StepOutput {
    /** Name of the script. */
    readonly step: string;
    /** What had to be changed; empty when the host was in the desired state already. */
    readonly changed: readonly string[];
}

/** One script, applied to one host. A `command:remote:Command` whose result is typed. */
export class HostStep<T extends object = object> extends command.remote.Command {
    /** The JSON object that the script printed last. */
    public readonly result: pulumi.Output<StepOutput & T>;

    /** @internal Use {@link Host.run}. */
    constructor(
        name: string,
        args: command.remote.CommandArgs,
        secretResult: boolean,
        opts: pulumi.CustomResourceOptions,
    ) {
        super(name, args, opts);
        const stdout = secretResult ? pulumi.secret(this.stdout) : pulumi.unsecret(this.stdout);
        this.result = stdout.apply((text) => parseStepOutput<T>(name, text));
    }
}

/**
 * Reads the last line that a script printed.
 *
 * @throws Error that names the step, without quoting what was printed.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows what its script prints
export function parseStepOutput<T extends object>(name: string, stdout: string | undefined): StepOutput & T {
    const last = (stdout ?? "").trimEnd().split("\n").pop() ?? "";
    try {
        const value: unknown = JSON.parse(last);
        if (typeof value === "object" && value !== null && !Array.isArray(value)) {
            return value as StepOutput & T;
        }
    } catch {
        // The parser's own message quotes the text.
    }
    throw new Error(
        `Step "${name}": the last line that its script printed is not a JSON object. Run it again with \`pulumi up\`.`,
    );
}

/** How to reach a machine by SSH. */
export interface HostArgs {
    /** The machine's private address. */
    readonly address: pulumi.Input<string>;
    /** Its public address. When given and there is no bastion, this is where SSH connects to, unless `direct` says otherwise. */
    readonly publicAddress?: pulumi.Input<string>;
    /** Connect to `address` although there is a public one, where this program runs within the network. @default false */
    readonly direct?: boolean;
    /** TCP port of the SSH server, where other hosts that log in to this one find it, too. @default 22 */
    readonly port?: pulumi.Input<number>;
    /** Who logs in: root, or a user who may run `sudo` without a password. @default "root" */
    readonly user?: string;
    /** Private key in OpenSSH or PEM format, without a passphrase. */
    readonly privateKey: pulumi.Input<string>;
    /** The machine's public host key as in known_hosts, without the host's name: `ssh-ed25519 AAAA…`. A machine that shows another is refused. */
    readonly hostKey: pulumi.Input<string>;
    /** The host through which this one is reached, which has to be reached directly itself. @default none: it is reached directly */
    readonly bastion?: Host;
    /** What makes this machine another machine, such as its instance id: a new value runs every step afresh. @default the host key */
    readonly identity?: pulumi.Input<string>;
    /** Availability zone, such as `cn-hangzhou-h`. */
    readonly zone?: pulumi.Input<string>;
    /** Size of an ECS instance: services whose memory is a share of the host's are set anew when it changes. */
    readonly instanceType?: pulumi.Input<string>;
    /** Names of former hosts in whose place this one is, the latest first: `PrivateDns` gives it their records. @default [] */
    readonly succeeds?: readonly string[];
    /** The resource that is the machine: when it is deleted, nothing is run on it any more. */
    readonly machine?: pulumi.Resource;
    /** Resources without which SSH can't connect, such as an address's association or a security group's rule. */
    readonly reachableBy?: readonly pulumi.Resource[];
    /** Resources without which the machine has no way out, such as the VPC's SNAT entries. */
    readonly outboundBy?: readonly pulumi.Resource[];
    /** How long the machine may take from its creation until it is ready, in minutes. @default 15 */
    readonly readyTimeoutMinutes?: number;
}

const defaultTimeoutMinutes = 20;

/** The provider takes an empty key for leave to trust any machine, so nothing but a key gets through. */
function requireHostKey(problems: Problems, key: string): void {
    if (/^(ssh-(ed25519|rsa)|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2}( .*)?$/.test(key.trim())) return;
    const shown = key.trim() === "" ? "it is empty" : `"${key.trim().slice(0, 40)}" is none`;
    problems.add(
        "hostKey",
        `${shown}; give the machine's public host key, such as \`ssh-ed25519 AAAA…\` (\`ssh-keyscan -t ed25519 ADDRESS\` prints it after the address).`,
    );
}

/** SSH takes an empty name for this machine itself, and would dial it until the time for the host to become ready is over. */
function requireAddress(path: "address" | "publicAddress"): Check {
    return (problems, address) => {
        if (address.trim() !== "") return;
        problems.add(
            path,
            path === "address"
                ? "is empty: give the machine's private address."
                : "is empty: leave it out, or name a bastion.",
        );
    };
}

/** Notes what is wrong with a value. */
type Check = (problems: Problems, value: string) => void;

/** A value that passes its check: one that is known already at once, beside the other problems, and any other as soon as it is. */
function checked(
    subject: string,
    problems: Problems,
    value: pulumi.Input<string>,
    check: Check,
): pulumi.Output<string> {
    if (typeof value === "string") {
        check(problems, value);
        return pulumi.output(value);
    }
    return checkedOnceKnown(subject, value, check);
}

/**
 * A Linux machine that steps run on: one that this program creates, or one that exists already.
 *
 * Steps run only after the machine answers, its cloud-init has finished and its host key is the pinned one.
 *
 * @example
 * const host = new Host("db-1", {
 *     address: "10.0.3.7",
 *     privateKey: config.requireSecret("sshKey"),
 *     hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI…",
 * });
 * const step = host.run("db-1-redis", { script: "redis/node", params: { port: 7000 }, secrets: { password } });
 */
export class Host extends pulumi.ComponentResource {
    /** The name it was given; also its host name when a {@link NodePool} made it. */
    public readonly name: string;
    /** Who logs in. */
    public readonly user: string;
    /** Its address within the network. */
    public readonly privateAddress: pulumi.Output<string>;
    /** Undefined when it has none. */
    public readonly publicAddress: pulumi.Output<string> | undefined;
    /** Whether SSH connects to the private address although there may be a public one. */
    public readonly direct: boolean;
    /** The host through which this one is reached; undefined when it is reached directly. */
    public readonly bastion: Host | undefined;
    /** Undefined when it isn't known. */
    public readonly zone: pulumi.Output<string> | undefined;
    /** Size of the instance; undefined when it isn't known. */
    public readonly instanceType: pulumi.Output<string> | undefined;
    /** Names of former hosts in whose place this one is, the latest first. */
    public readonly succeeds: readonly string[];
    /** Changes exactly when the machine is another machine. */
    public readonly identity: pulumi.Output<string>;
    /** The pinned public host key. */
    public readonly hostKey: pulumi.Output<string>;
    /** The step that waits until the machine answers and its cloud-init has finished. */
    public readonly ready: HostStep;
    /** How `@pulumi/command` reaches it; holds the private key, as a secret. */
    public readonly connection: command.types.input.remote.ConnectionArgs;

    private readonly makesMachine: boolean;
    /** Goes and comes with the machine. Undefined where another program makes the machine. */
    private readonly machine: pulumi.Resource | undefined;
    private readonly outboundBy: readonly pulumi.Resource[];

    constructor(name: string, args: HostArgs, opts?: pulumi.ComponentResourceOptions) {
        super("multihost:host:Host", name, {}, componentOptions(opts));
        const problems = new Problems();
        if (args.user !== undefined && !/^[a-z_][a-z0-9_-]{0,31}$/.test(args.user)) {
            problems.add("user", `"${args.user}" is not a Linux user name.`);
        }
        requireMinutes(problems, "readyTimeoutMinutes", args.readyTimeoutMinutes);
        const subject = `Host "${name}"`;
        const hostKey = checked(subject, problems, args.hostKey, requireHostKey);
        const privateAddress = checked(subject, problems, args.address, requireAddress("address"));
        if (args.bastion?.bastion !== undefined) {
            problems.add(
                "bastion",
                `"${args.bastion.name}" is itself reached through "${args.bastion.bastion.name}", and SSH goes through one host only: name that one, or one that is reached directly.`,
            );
        }
        const dialled =
            args.bastion === undefined && args.direct !== true && args.publicAddress !== undefined
                ? checked(subject, problems, args.publicAddress, requireAddress("publicAddress"))
                : privateAddress;
        problems.throwIfAny(subject);

        this.name = name;
        this.user = args.user ?? "root";
        this.privateAddress = privateAddress;
        this.publicAddress = args.publicAddress === undefined ? undefined : pulumi.output(args.publicAddress);
        this.direct = args.direct ?? false;
        this.bastion = args.bastion;
        this.zone = args.zone === undefined ? undefined : pulumi.output(args.zone);
        this.instanceType = args.instanceType === undefined ? undefined : pulumi.output(args.instanceType);
        this.succeeds = args.succeeds ?? [];
        this.hostKey = hostKey.apply((key) => key.trim());
        this.identity = args.identity === undefined ? this.hostKey : pulumi.output(args.identity);
        this.makesMachine = args.machine !== undefined;
        this.outboundBy = args.outboundBy ?? [];
        this.connection = {
            host: dialled,
            port: args.port ?? 22,
            user: this.user,
            privateKey: pulumi.secret(args.privateKey),
            hostKey: this.hostKey,
            // A busy sshd drops dials at random (MaxStartups); a dial that fails is repeated within seconds.
            dialErrorLimit: 20,
            perDialTimeout: 15,
            ...(args.bastion === undefined ? {} : { proxy: proxyOf(args.bastion) }),
        };

        this.ready = this.step(
            `${name}-ready`,
            { script: "host/ready", usesInternet: false, timeoutMinutes: args.readyTimeoutMinutes ?? 15 },
            { ...this.connection, dialErrorLimit: -1, perDialTimeout: 10 },
            this.identity,
            [...(args.reachableBy ?? []), ...(args.bastion === undefined ? [] : [args.bastion.ready])],
            // Another machine's comes after this one is gone, and the steps that have their machine from it go first.
            { parent: this, deleteBeforeReplace: true },
        );
        // Not `machine` itself: a refresh that finds the machine missing drops it from the state, and nothing would be deleted with it. Nor
        // `ready`: what is deleted with the first of a chain of replacements is deleted all the same.
        this.machine =
            args.machine &&
            new command.local.Command(
                `${name}-machine`,
                { triggers: [identityFrom(this.ready)] },
                { parent: this, replaceOnChanges: ["triggers"] },
            );
        this.registerOutputs({ privateAddress: this.privateAddress, publicAddress: this.publicAddress });
    }

    /**
     * Brings this host to the state that a script describes. The same script serves creation and every later change; only a
     * new machine starts it afresh. A new address of the host or of its bastion doesn't run it again.
     *
     * @param name name of the step's resource, unique in the stack.
     * @throws pulumi.RunError that lists every invalid argument.
     */
    public run<T extends object = object>(
        name: string,
        args: StepArgs,
        opts: pulumi.CustomResourceOptions = {},
    ): HostStep<T> {
        const problems = new Problems();
        for (const [kind, values] of [
            ["params", args.params],
            ["secrets", args.secrets],
        ] as const) {
            for (const key of Object.keys(values ?? {})) {
                if (!/^[a-zA-Z][a-zA-Z0-9]*$/.test(key)) {
                    problems.add(`${kind}.${key}`, "a name is made of letters and digits and starts with a letter.");
                }
            }
        }
        requireMinutes(problems, "timeoutMinutes", args.timeoutMinutes);
        problems.throwIfAny(`Step "${name}"`);
        const waitsFor = args.usesInternet === false ? [this.ready] : [this.ready, ...this.outboundBy];
        return this.step<T>(name, args, this.connection, identityFrom(this.ready), waitsFor, {
            ...(this.machine === undefined ? {} : { deletedWith: this.machine }),
            ...opts,
        });
    }

    private step<T extends object>(
        name: string,
        args: StepArgs,
        connection: command.types.input.remote.ConnectionArgs,
        machine: pulumi.Output<string>,
        waitsFor: readonly pulumi.Resource[],
        opts: pulumi.CustomResourceOptions,
    ): HostStep<T> {
        const script = typeof args.script === "string" ? loadScript(args.script) : args.script;
        const params = pulumi.output(args.params ?? {}) as pulumi.Output<Record<string, StepParam>>;
        const secrets = pulumi.output(args.secrets ?? {}) as pulumi.Output<Record<string, string>>;
        const stdin = pulumi
            .all([params, secrets, pulumi.output(args.rerunOn ?? []), this.identity])
            .apply(([paramValues, secretValues, rerunOn, identity]) =>
                stepText(
                    name,
                    script,
                    paramValues,
                    secretValues,
                    rerunOn,
                    identity,
                    args.serviceWide === true || args.outlivesMachine === true,
                ),
            );
        const create = params.apply((values) => stepCommand(name, script, values, this.user));
        const minutes = `${args.timeoutMinutes ?? defaultTimeoutMinutes}m`;
        const updates = args.outlivesMachine === true || !this.makesMachine;

        return new HostStep<T>(
            name,
            {
                connection,
                // `create` always runs the script, so that a replacement that the user asks for is one.
                create,
                update: pulumi.interpolate`${create} update`,
                ...(args.removeOnDelete === true ? { delete: pulumi.interpolate`${create} delete` } : {}),
                stdin: pulumi.secret(stdin),
                // The machine's identity is part of `stdin`, too, where it only updates.
                ...(args.outlivesMachine === true ? {} : { triggers: [machine] }),
                // It would come through the environment, which sshd drops with a warning.
                addPreviousOutputInEnv: false,
                logging: "stderr",
            },
            args.secretResult ?? false,
            {
                parent: this,
                customTimeouts: { create: minutes, update: minutes, delete: minutes },
                // A replacement that the user asks for would else be undone by the one that it replaces.
                ...(args.removeOnDelete === true ? { deleteBeforeReplace: true } : {}),
                ...opts,
                // With an update command the provider would only update when the machine is another one.
                replaceOnChanges: [...(updates ? [] : ["triggers"]), ...(opts.replaceOnChanges ?? [])],
                // Of a machine that this program doesn't make nobody knows when it goes: what follows one that is gone is an update, which
                // needs no dial to the former, and only what leaves the program is undone.
                ignoreChanges: [...(updates ? ["triggers"] : []), ...(opts.ignoreChanges ?? [])],
                additionalSecretOutputs: [
                    "connection",
                    "stdin",
                    "stdout",
                    "stderr",
                    ...(opts.additionalSecretOutputs ?? []),
                ],
                dependsOn: dependsOnAll([...waitsFor], opts.dependsOn),
            },
        );
    }
}

/** What sshd runs: everything in it may be read by anyone. */
export function stepCommand(
    name: string,
    script: Script,
    params: Readonly<Record<string, StepParam>>,
    user: string,
): string {
    const values = Object.keys(params)
        .sort()
        .flatMap((key) => {
            const text = paramText(name, key, params[key]);
            return text === undefined ? [] : [[`PARAM_${upperSnake(key)}`, text] as const];
        });
    return commandText(script, Object.fromEntries(values), user);
}

/**
 * What bash reads on standard input: secret as a whole.
 *
 * @param identity that of the machine. A step of a machine that is gone must undo nothing on the one that has its address now.
 * @param serviceWide whether an update runs whatever the host remembers.
 */
export function stepText(
    name: string,
    script: Script,
    params: Readonly<Record<string, StepParam>>,
    secrets: Readonly<Record<string, string>>,
    rerunOn: readonly unknown[],
    identity: string,
    serviceWide = false,
): string {
    for (const [key, value] of Object.entries(secrets)) requireText(name, key, value);
    const digest = sha256(JSON.stringify([script.body, sorted(params), sorted(secrets), rerunOn]));
    const assignments = [
        `STEP_KEY=${shellQuote(stepKey(name))}`,
        `STEP_DIGEST=${digest}`,
        `STEP_MACHINE=${sha256(identity)}`,
        ...(serviceWide ? ["STEP_SERVICE_WIDE=true"] : []),
        ...secretLines(secrets),
    ];
    return scriptText(script, assignments, 'step_run "$@"');
}

/** What `ready` has as the machine's identity: whoever takes it from there is replaced with it. */
function identityFrom(ready: HostStep): pulumi.Output<string> {
    return ready.triggers.apply((triggers) => (triggers as string[])[0]!);
}

function proxyOf(bastion: Host): command.types.input.remote.ProxyConnectionArgs {
    const { host, port, user, privateKey, hostKey, dialErrorLimit, perDialTimeout } = bastion.connection;
    return { host, port, user, privateKey, hostKey, dialErrorLimit, perDialTimeout };
}

/** A host as a line of a known_hosts file. */
export function knownHost(host: Host): pulumi.Output<string> {
    return pulumi
        .all([host.privateAddress, host.connection.port, host.hostKey])
        .apply(([address, port, key]) => `${port === 22 ? address : `[${address}]:${port}`} ${key}`);
}

/** Where hosts have their SSH servers, as `<address>=<port>`, of those that don't have them at port 22; undefined when all do. */
export function sshPorts(hosts: readonly Host[]): pulumi.Output<string[] | undefined> {
    return pulumi.all(hosts.map((host) => pulumi.all([host.privateAddress, host.connection.port]))).apply((all) => {
        const others = all.flatMap(([address, port]) => (port === 22 ? [] : [`${address}=${port}`]));
        return others.length > 0 ? others : undefined;
    });
}

function stepKey(name: string): string {
    return `${pulumi.getProject()}.${pulumi.getStack()}.${name}`.replace(/[^A-Za-z0-9._-]/g, "_");
}

function paramText(step: string, key: string, value: StepParam): string | undefined {
    if (value === undefined) {
        return undefined;
    }
    if (typeof value === "object") {
        const items = value.map(String);
        if (items.some((item) => item === "" || /\s/.test(item))) {
            throw new pulumi.RunError(
                `Step "${step}": params.${key}: an item of a list can't be empty or contain white space.`,
            );
        }
        return requireText(step, key, items.join(" "));
    }
    return requireText(step, key, String(value));
}

function requireText(step: string, key: string, value: string | undefined): string {
    if (value === undefined || value.includes("\0")) {
        throw new pulumi.RunError(`Step "${step}": ${key}: a shell variable needs a text without NUL characters.`);
    }
    return value;
}

function sorted(values: Readonly<Record<string, unknown>>): [string, unknown][] {
    return Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
}

function requireMinutes(problems: Problems, path: string, value: number | undefined): void {
    if (value !== undefined && !(Number.isFinite(value) && value > 0)) {
        problems.add(path, `${value} is not a positive number of minutes.`);
    }
}
