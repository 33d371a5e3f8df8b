/** Changes to the lab's stack of which the engine's events are kept, with the comments that are made of them. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { planOf, readEvents } from "../../../delivery/plan";
import { reportOf } from "../../../delivery/previewPullRequest";
import { costBasis } from "../../../delivery/sections";
import { dependenciesOf, statesOf } from "../../../delivery/states";

export const stack = "lab";

/** A change, and how its preview ends. */
export interface Scenario {
    /** Name of its folder below `recorded/`. */
    readonly name: string;
    /** Settings beside the stack's, or in their place, by their paths. */
    readonly settings: Readonly<Record<string, string>>;
    /** Loaded before the program: what the program's author changes. */
    readonly hook?: string;
    /** Settings of policies. */
    readonly policies?: Readonly<Record<string, unknown>>;
    /** Whether the preview fails. */
    readonly fails?: boolean;
}

/** What the stack has been given in secret. */
export const passwords = {
    "mysql.password": "Recorded-Mysql-Password-1",
    "redis.password": "Recorded-Redis-Password-1",
};
export const newPassword = "Recorded-Redis-Password-2";

/** The only one before which there is nothing. */
export const first: Scenario = { name: "first", settings: {} };

/** Changes of the stack that the first one has made. */
export const changes: readonly Scenario[] = [
    {
        name: "parameters",
        settings: {
            "redis.maxmemory": "72mb",
            "redis.password": newPassword,
            "redis.previousPassword": passwords["redis.password"],
            "mysql.bufferPool": "72mb",
            "loadBalancer.weights.web-1": "50",
            "loadBalancer.allow[0]": "203.0.113.0/24",
        },
    },
    {
        name: "rebuilt",
        settings: { "hosts.imageName": "^debian_13_" },
        hook: join(__dirname, "rebuildOn.cjs"),
        policies: { "kept-hosts": { rebuild: ["*"] } },
    },
    {
        name: "forbidden",
        settings: { "hosts.imageName": "^debian_13_" },
        hook: join(__dirname, "rebuildOn.cjs"),
        fails: true,
    },
    { name: "gone", settings: { "mysql.enabled": "false", "web.count": "1" } },
    { name: "refused", settings: { "web.port": "22", "redis.masters": "2" }, fails: true },
    { name: "failed", settings: { "hosts.imageName": "^no_such_image_" }, fails: true },
    { name: "renamed", settings: {}, hook: join(__dirname, "..", "..", "lab", "renamed.cjs") },
];

/** What the engine wrote. */
export interface Recording {
    /** Its events. */
    readonly log: string;
    /** Its plan; empty when the preview failed. */
    readonly plan: string;
}

const folderOf = ({ name }: Scenario): string => join(__dirname, "recorded", name);
/** The comment that is expected. */
export const commentFile = (scenario: Scenario): string => join(folderOf(scenario), "comment.md");

export function readRecording(scenario: Scenario): Recording {
    const read = (file: string): string => gunzipSync(readFileSync(join(folderOf(scenario), file))).toString();
    return { log: read("events.jsonl.gz"), plan: read("plan.json.gz") };
}

export function writeRecording(scenario: Scenario, { log, plan }: Recording): void {
    mkdirSync(folderOf(scenario), { recursive: true });
    writeFileSync(join(folderOf(scenario), "events.jsonl.gz"), gzipSync(log, { level: 9 }));
    writeFileSync(join(folderOf(scenario), "plan.json.gz"), gzipSync(plan, { level: 9 }));
}

/** The comment that `npm run preview:pr` makes of a recording. */
export async function commentOf({ log, plan: saved }: Recording): Promise<string> {
    const events = readEvents(log);
    const preview = { plan: planOf(events), states: statesOf(events, dependenciesOf(saved)) };
    const change = { commit: "abc1234", messages: [], labels: [] };
    const { comment = "" } = await reportOf(stack, preview, change, costBasis);
    return comment;
}

/** Writes down the comment that a recording makes, as the one that is expected from now on. */
export async function writeComment(scenario: Scenario): Promise<void> {
    writeFileSync(commentFile(scenario), `${await commentOf(readRecording(scenario))}\n`);
}
