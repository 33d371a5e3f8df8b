/** Comments made of what the engine says of changes to the lab's stack; `npm run events:record` records it anew. */
import { readFileSync } from "node:fs";
import { known, planOf, readEvents, SECRET, UNKNOWN } from "../../../delivery/plan";
import { announcements, lossesOf } from "../../../delivery/stateful";
import { log, outputs, resource } from "./events";
import { Scrubber } from "./scrub";
import { changes, commentFile, commentOf, first, newPassword, passwords, readRecording } from "./recorded";

const scenarios = [first, ...changes];
const planFrom = (name: string) =>
    planOf(readEvents(readRecording(scenarios.find((scenario) => scenario.name === name)!).log));

describe.each(scenarios.map((scenario) => [scenario.name, scenario] as const))("recorded: %s", (_, scenario) => {
    test("the comment is the one that is kept", async () => {
        const comment = await commentOf(readRecording(scenario));
        expect(`${comment}\n`).toBe(readFileSync(commentFile(scenario), "utf8"));
    });

    test("the engine has masked what the program has in secret", () => {
        const { log, plan } = readRecording(scenario);
        for (const password of [...Object.values(passwords), newPassword])
            for (const text of [password, Buffer.from(password).toString("base64").replace(/=+$/, "")])
                expect(`${log}${plan}`).not.toContain(text);
        expect(log).not.toMatch(/PRIVATE KEY|SECRET_[A-Z]|rediss?:\/\/:/);
        const secret = /^(stdin|connection|userData|password|privateKey\w*|caPrivateKeyPem)$/;
        const found = readEvents(log)
            .flatMap(({ resourcePreEvent }) => [resourcePreEvent?.metadata.old, resourcePreEvent?.metadata.new])
            .flatMap((state) => [...Object.entries(state?.inputs ?? {}), ...Object.entries(state?.outputs ?? {})])
            .filter(([key, value]) => secret.test(key) && value !== null && value !== "")
            .map(([, value]) => known(value));
        expect(new Set(found)).toEqual(new Set(found.filter((value) => value === SECRET || value === UNKNOWN)));
        if (scenario.fails !== true) expect(found.length).toBeGreaterThan(100);
    });

    test("nothing in it is of the machine that recorded it", () => {
        const { log, plan } = readRecording(scenario);
        const paths = [...`${log}${plan}`.matchAll(/(?<![\w.:/<])\/(home|root|tmp|Users|work|var|mnt)\/[\w./-]+/g)];
        expect(paths.map(([path]) => path)).toEqual([]);
        expect(log).not.toMatch(/"timestamp":[1-9]/);
        for (const [, port] of log.matchAll(/127\.0\.0\.1:(\d+)/g)) expect(port).toBe("8070");
    });
});

test("what the stack's outputs come to is recorded, of all that a preview says twice", () => {
    const { resourcePreEvent } = resource({ op: "same", name: "node-1" }) as { resourcePreEvent: object };
    const events = readEvents(log({ resOutputsEvent: resourcePreEvent }, outputs({}, { url: "http://a" })));
    const recorded = readEvents(new Scrubber(new Map()).events(events));
    expect(recorded).toHaveLength(1);
    expect(planOf(recorded).outputs).toEqual([{ name: "url", kind: "added" }]);
});

test("the recordings are of what their names say", () => {
    const counted = (name: string): Record<string, number> => {
        const counts: Record<string, number> = {};
        for (const { operation } of planFrom(name).changes) counts[operation] = (counts[operation] ?? 0) + 1;
        return counts;
    };
    expect(Object.keys(counted("first"))).toEqual(["create"]);
    expect(counted("parameters")).toEqual({ create: 4, update: 13 });
    expect(counted("renamed")).toEqual({ update: 66 });
    expect(Object.keys(counted("gone")).sort()).toEqual(["delete", "update"]);
    const lost = (name: string): string[] =>
        lossesOf(planFrom(name), announcements([])).map(({ change }) => `${change.operation} ${change.name}`);
    expect(lost("gone")).toEqual(["delete web-2"]);
    expect(lost("rebuilt").sort()).toEqual([1, 2, 3, 4, 5, 6].map((number) => `replace node-${number}`));
    expect(planFrom("forbidden").violations).toHaveLength(6);
    for (const name of ["refused", "failed"]) expect(planFrom(name).errors).not.toEqual([]);
});
