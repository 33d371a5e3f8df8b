import * as pulumi from "@pulumi/pulumi";

import { computed, lookedUp, plainInputs } from "../../../testing";

/** One resource as the engine would be asked for it. */
export interface Recorded {
    readonly type: string;
    readonly name: string;
    /** Secrets are unwrapped; {@link Recorded.secret} lists them. */
    readonly inputs: Readonly<Record<string, unknown>>;
    /** Names of the inputs that are secret as a whole or in part. */
    readonly secret: readonly string[];
    /** Reference to the provider that it was given; empty for the default one. */
    readonly provider: string;
}

/** The options that a child was created with, as an inherited transformation sees them. */
export interface Observed {
    readonly type: string;
    readonly name: string;
    readonly opts: pulumi.CustomResourceOptions;
    readonly resource: pulumi.Resource;
}

/** Stands in for the engine; has to be made before the components are imported. */
export class Recorder {
    readonly resources: Recorded[] = [];
    readonly observed: Observed[] = [];
    readonly calls: { token: string; inputs: unknown; provider: string }[] = [];

    /** @param options answers of functions by their token, or what gives them for the inputs */
    constructor(options: { preview?: boolean; answers?: Record<string, unknown> } = {}) {
        void pulumi.runtime.setMocks(
            {
                newResource: ({ type, name, inputs, custom, id, provider }) => {
                    const raw = inputs as Record<string, unknown>;
                    const plain = plainInputs(raw);
                    if (custom === true) {
                        const secret = Object.keys(raw).filter(
                            (key) => JSON.stringify(raw[key]) !== JSON.stringify(plain[key]),
                        );
                        this.resources.push({ type, name, inputs: plain, secret, provider: provider ?? "" });
                    }
                    if (options.preview === true) {
                        return { id: undefined, state: plain };
                    }
                    return {
                        id: id !== undefined && id !== "" ? id : `${name}-id`,
                        state: { ...plain, ...computed(type, name, plain) },
                    };
                },
                call: ({ token, inputs, provider }) => {
                    this.calls.push({ token, inputs, provider: provider ?? "" });
                    const answer = (options.answers?.[token] ?? lookedUp(token)) as
                        Record<string, unknown> | ((asked: unknown) => Record<string, unknown>);
                    return typeof answer === "function" ? answer(inputs) : answer;
                },
            },
            "project",
            "stack",
            options.preview ?? false,
        );
    }

    /** Options that report every child, down to the last, and prove that an inherited transformation reaches it. */
    get watched(): pulumi.ComponentResourceOptions {
        return {
            transformations: [
                ({ type, name, opts, resource }) => {
                    this.observed.push({ type, name, opts: opts, resource });
                    return undefined;
                },
            ],
        };
    }

    /**
     * Starts over. Until {@link settled} errors have no stack trace: the SDK notes one per promise, and the test runner makes
     * each of them expensive.
     */
    clear(): void {
        Error.stackTraceLimit = 0;
        this.resources.length = 0;
        this.observed.length = 0;
        this.calls.length = 0;
    }

    /** Waits until everything that was asked for is registered. */
    async settled(): Promise<void> {
        for (let idle = 0, count = -1; idle < 5; idle = count === this.resources.length ? idle + 1 : 0) {
            count = this.resources.length;
            await new Promise((resolve) => setTimeout(resolve, 10));
        }
        Error.stackTraceLimit = 10;
    }

    names(type: string): string[] {
        return this.resources
            .filter((resource) => resource.type === type)
            .map(({ name }) => name)
            .sort();
    }

    find(type: string, name: string): Recorded {
        const found = this.resources.find((resource) => resource.type === type && resource.name === name);
        if (found === undefined) {
            throw new Error(`no ${type} ${name} among ${this.resources.map((r) => `${r.type} ${r.name}`).join("\n")}`);
        }
        return found;
    }

    options(type: string, name: string): pulumi.CustomResourceOptions {
        const found = this.observed.find((seen) => seen.type === type && seen.name === name);
        if (found === undefined) throw new Error(`no ${type} ${name} was seen by the transformation`);
        return found.opts;
    }

    /** Whether it is protected, by its own options or by those of what it belongs to. */
    isProtected(type: string, name: string): boolean {
        const found = this.observed.find((seen) => seen.type === type && seen.name === name);
        if (found === undefined) throw new Error(`no ${type} ${name} was seen by the transformation`);
        return (found.resource as unknown as { __protect?: boolean }).__protect === true;
    }

    /** Everything that stands in the state in plain text. */
    plaintext(): string {
        return JSON.stringify(
            this.resources.map(({ inputs, secret }) =>
                Object.fromEntries(Object.entries(inputs).filter(([key]) => !secret.includes(key))),
            ),
        );
    }
}

/** What an output ends with instead of a value. */
export async function failureOf(output: pulumi.Output<unknown>): Promise<string> {
    // All promises of an Output fail together, and one that nobody looks at would end the process.
    const { isKnown, isSecret, ...rest } = output as unknown as {
        isKnown: Promise<boolean>;
        isSecret: Promise<boolean>;
        promise: () => Promise<unknown>;
        allResources: () => Promise<unknown>;
    };
    const [told] = await Promise.allSettled([rest.promise(), isKnown, isSecret, rest.allResources()]);
    return String((told as PromiseRejectedResult).reason);
}

/** The value of an output, which must be known. */
export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
    return new Promise((resolve) => output.apply(resolve));
}

/** Lines of the message with which `action` fails. */
export function problemsOf(action: () => unknown): string[] {
    try {
        action();
    } catch (error) {
        if (!pulumi.RunError.isInstance(error)) throw error;
        return error.message.split("\n");
    }
    return [];
}
