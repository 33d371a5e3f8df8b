/** Takes out of a recording what is another one each time, or on each machine. */
import type { EngineEvent, StepEventStateMetadata } from "@pulumi/pulumi/automation";
import { isStack, SECRET_KEY, unknowns } from "../../../delivery/plan";
import type { Dependencies } from "../../../delivery/states";

/** What stands in the place of each such text, by its number. Texts that are the same stay the same. */
const replacements: readonly (readonly [RegExp, (number: number, ...groups: string[]) => string])[] = [
    [
        /-----BEGIN ([A-Z ]+)-----\n[^-]+-----END \1-----/g,
        (number, kind) => `-----BEGIN ${kind}-----\n${number}\n-----END ${kind}-----`,
    ],
    [/\bAAAA[\w+/]{40,}={0,2}/g, (number) => `AAAA${number}`],
    [/\bSHA256:[\w+/]{43}/g, (number) => `SHA256:${number}`],
    [/\b(?:[0-9a-f]{2}:){5,}[0-9a-f]{2}\b/g, (number) => `(fingerprint ${number})`],
    [/\b([a-z]+)-lab[a-z0-9]{17}\b/g, (number, kind) => `${kind}-lab${String(number).padStart(17, "0")}`],
    [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, (number) => `(uuid ${number})`],
    [/\b[0-9a-f]{40}\b/g, (number) => `(hash ${number})`],
    [/\b\d{25,}\b/g, (number) => `(serial ${number})`],
    [/\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:\.\d+)?Z/g, () => "2026-01-01T00:00:00Z"],
];

/** The parts of a machine's own that its recordings may hold, and what stands in their place. */
export type Places = ReadonlyMap<string, string>;

/** Scrubs recordings of one account: what it calls a thing in one of them it calls it in all. */
export class Scrubber {
    private readonly numbers = new Map<string, number>();

    constructor(private readonly places: Places) {}

    text(text: string): string {
        let scrubbed = text;
        for (const [place, name] of this.places) scrubbed = scrubbed.replaceAll(place, name);
        for (const [pattern, replacement] of replacements)
            scrubbed = scrubbed.replace(pattern, (found: string, ...groups: unknown[]) =>
                unknowns.has(found) ? found : replacement(this.numberOf(found), String(groups[0])),
            );
        return scrubbed;
    }

    value(value: unknown): unknown {
        if (typeof value === "string") return this.text(value);
        if (Array.isArray(value)) return value.map((inner) => this.value(inner));
        if (typeof value !== "object" || value === null) return value;
        return Object.fromEntries(
            Object.entries(value).map(([key, inner]) => [
                this.text(key),
                key === SECRET_KEY ? inner : this.value(inner),
            ]),
        );
    }

    /** Events as a log has them, without those that the comment isn't made of: the engine's debugging, and what a preview says a second time. */
    events(events: readonly EngineEvent[]): string {
        return events
            .filter((event) => !isDebugging(event) && !isRepeated(event))
            .map((event, index) => this.value(timeless({ ...event, sequence: index, timestamp: 0 })))
            .map((event) => `${JSON.stringify(event)}\n`)
            .join("");
    }

    /** A saved plan with nothing but the dependencies. */
    plan(dependencies: Dependencies): string {
        const resourcePlans = Object.fromEntries(
            [...dependencies].map(([urn, propertyDependencies]) => [urn, { goal: { propertyDependencies } }]),
        );
        return `${JSON.stringify(this.value({ resourcePlans }))}\n`;
    }

    private numberOf(found: string): number {
        const number = this.numbers.get(found) ?? this.numbers.size + 1;
        this.numbers.set(found, number);
        return number;
    }
}

/** A severity that the event's type lacks. */
const isDebugging = ({ diagnosticEvent }: EngineEvent): boolean =>
    (diagnosticEvent?.severity as string | undefined) === "debug";

/** All that a resource's outputs are told with, but the stack's own, which nothing else tells of. */
const isRepeated = ({ resOutputsEvent }: EngineEvent): boolean =>
    resOutputsEvent !== undefined && !isStack(resOutputsEvent.metadata.urn);

/** Without how long it took, and without ids of commands, which have no form of their own to be told by. */
function timeless(event: EngineEvent): EngineEvent {
    const { summaryEvent, resourcePreEvent } = event;
    if (summaryEvent !== undefined) return { ...event, summaryEvent: { ...summaryEvent, durationSeconds: 1 } };
    if (resourcePreEvent?.metadata.type.startsWith("command:") !== true) return event;
    const { metadata } = resourcePreEvent;
    const named = (state: StepEventStateMetadata | undefined): typeof state =>
        state && { ...state, id: state.id === "" ? "" : metadata.urn.split("::").at(-1)! };
    const sides = { old: named(metadata.old), new: named(metadata.new) };
    return { ...event, resourcePreEvent: { ...resourcePreEvent, metadata: { ...metadata, ...sides } } };
}

/** Too short to be a secret, or to be told from other text. */
const SHORT = 12;
/** Parts of a secret connection that aren't secret. */
const open = new Set(["host", "hostKey", "user", "port"]);

/** Every secret text of a stack, out of what `pulumi stack export --show-secrets` prints. */
export function secretsOf(value: unknown, within = false): string[] {
    if (typeof value === "string") return within && value.length >= SHORT ? [value] : [];
    if (typeof value !== "object" || value === null) return [];
    if (SECRET_KEY in value) {
        const { plaintext } = value as { readonly plaintext?: string };
        return plaintext === undefined ? [] : secretsOf(JSON.parse(plaintext), true);
    }
    return Object.entries(value).flatMap(([key, inner]) => (within && open.has(key) ? [] : secretsOf(inner, within)));
}
