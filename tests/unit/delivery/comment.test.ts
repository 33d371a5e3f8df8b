import { COMMENT_LIMIT, commentOf, markerOf, saysNothing } from "../../../delivery/comment";
import { planOf, readEvents } from "../../../delivery/plan";
import { announcements, lossesOf } from "../../../delivery/stateful";
import { component, diagnostic, log, outputs, resource, summary, urn } from "./events";

function comment(events: object[], messages: string[] = []): string {
    const plan = planOf(readEvents(log(...events)));
    return commentOf(plan, lossesOf(plan, announcements(messages)), { stack: "dev", commit: "abc1234" });
}

const redis = component("redis", { type: "multihost:redis:RedisCluster" });
const inRedis = urn("multihost:redis:RedisCluster", "redis");

test("a comment says how much changes, what is lost, what changes where, and all of it folded", () => {
    const text = comment([
        redis,
        resource({
            op: "replace",
            name: "node-1",
            keys: ["imageId"],
            detailedDiff: { imageId: { diffKind: "update-replace", inputDiff: true } },
            old: { inputs: { imageId: "debian-12" } },
            new: { inputs: { imageId: "debian-13" } },
        }),
        resource({
            op: "update",
            name: "redis-node-1",
            type: "command:remote:Command",
            parent: inRedis,
            detailedDiff: { create: { diffKind: "update", inputDiff: true } },
            old: { inputs: { create: "STEP=redis/node@1a2b PARAM_PORT='7000' PARAM_MAXMEMORY='64mb' bash -s" } },
            new: { inputs: { create: "STEP=redis/node@1a2b PARAM_PORT='7000' PARAM_MAXMEMORY='96mb' bash -s" } },
        }),
        summary(),
    ]);
    expect(text).toMatchInlineSnapshot(`
        "<!-- multihost:preview:multihost/dev -->

        ### Preview of \`dev\`: 0 to create, 1 to update, 1 to replace, 0 to delete

        > [!CAUTION]
        > **This change loses what can't be made again**
        > - **not announced** – Replaces \`node-1\`, because of \`imageId\`. Lost: the host's system disk and all that is on it.
        >
        > If this is meant, say so in a commit message (\`Replaces: node-1\`) or with the label \`stateful-change\`.

        - Outside of components: 1 to replace
          - replace \`node-1\` (Instance): \`imageId\` \`debian-12\` → \`debian-13\` (forces it)
        - **redis** (RedisCluster): 1 to update
          - update \`redis-node-1\` (Command): \`MAXMEMORY\` \`64mb\` → \`96mb\`

        <details><summary>Full difference</summary>

        \`\`\`diff
        ! replace node-1  (alicloud:ecs/instance:Instance)
          imageId  # forces replacement
        -     debian-12
        +     debian-13

        # update redis-node-1  (command:remote:Command)
          MAXMEMORY
        -     64mb
        +     96mb
        \`\`\`

        </details>

        <sub>0 resources stay as they are · \`abc1234\`</sub>"
    `);
});

test("a step says which parameters differ, whether its script does, and that secrets do", () => {
    const step = (before: string, after: string): string =>
        comment([
            resource({
                op: "update",
                name: "redis-node-1",
                type: "command:remote:Command",
                diffs: before === after ? ["stdin"] : ["create", "update", "stdin"],
                old: { inputs: { create: before, update: before, stdin: "[secret]" } },
                new: { inputs: { create: after, update: after, stdin: "[secret]" } },
            }),
            summary(),
        ]);
    const text = "STEP=redis/node@1a2b PARAM_NAME='it'\\''s' PARAM_ZONE='h' bash -s";
    expect(step(text, text.replace("PARAM_ZONE='h' ", ""))).toContain(
        "`redis-node-1` (Command): `ZONE` `h` → `(none)`",
    );
    expect(step(text, text.replace("ZONE='h'", "ZONE=''"))).toContain("`ZONE` `h` → (empty)\n");
    expect(step(text, text.replace("s' ", "s new' "))).toContain("`NAME` `it's` → `it's new`");
    expect(step(text, text.replace("1a2b", "3c4d"))).toContain("(Command): new script `redis/node`");
    expect(step(text, text)).toContain("(Command): secrets");
    expect(step(text, "04da6b54-80e4-46f7-96ec-b56ff0331ba9")).toContain(
        "(Command): parameters (known after the update)",
    );
});

test("an update says from what to what, except for what is long, secret or no single value", () => {
    const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value: "" };
    const text = comment([
        resource({
            op: "update",
            name: "names",
            diffs: ["ttl", "value", "remark", "password", "tags", "note"],
            old: { inputs: { ttl: 10, value: "10.0.0.1", remark: "a", password: secret, tags: { a: "1" }, note: "n" } },
            new: {
                inputs: {
                    ttl: 20,
                    value: "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
                    remark: "b".repeat(120),
                    password: secret,
                    tags: { a: "2" },
                },
            },
        }),
        summary(),
    ]);
    expect(text).toContain(
        "- update `names` (Instance): `ttl` `10` → `20`, `value` `10.0.0.1` → `(known after the update)`, `remark`, `password`, `tags`, 1 more\n",
    );
});

test("other commands are compared line by line", () => {
    const text = comment([
        resource({
            op: "update",
            name: "notes",
            type: "command:remote:Command",
            diffs: ["create"],
            old: { inputs: { create: "one\ntwo\nthree\nfour" } },
            new: { inputs: { create: "one\ntwo\n3\nfour" } },
        }),
        summary(),
    ]);
    expect(text).toMatch(/^ {6}two\n- {5}three\n\+ {5}3\n {6}four$/m);
});

test("a loss that the change announces is still shown, without the alarm", () => {
    const text = comment([resource({ op: "delete", name: "node-7" }), summary()], ["Deletes: node-7"]);
    expect(text).toContain("[!WARNING]");
    expect(text).not.toContain("not announced");
    expect(text).not.toContain("say so");
});

test("hosts that stop together are named, with the way one by one", () => {
    const resized = (name: string): object =>
        resource({
            op: "update",
            name,
            detailedDiff: { instanceType: { diffKind: "update", inputDiff: true } },
            old: { inputs: { instanceType: "ecs.g7.large" } },
            new: { inputs: { instanceType: "ecs.g7.xlarge" } },
        });
    const both = comment([resized("node-1"), resized("node-2"), summary()]);
    expect(both).toContain(
        [
            "> [!WARNING]",
            "> **2 hosts stop, all at the same time**",
            "> - `node-1` stops and starts, because of `instanceType`",
            "> - `node-2` stops and starts, because of `instanceType`",
            ">",
            "> One after the other, with everything working in between: `npm run rolling-update -- --stack dev` in place of `pulumi up`.",
        ].join("\n"),
    );
    expect(comment([resized("node-1"), summary()])).toContain(
        "> [!NOTE]\n> **A host stops**\n> - `node-1` stops and starts",
    );
});

test("a system disk that an update replaces is a loss with its cause, and how to announce it", () => {
    const text = comment([
        resource({ op: "update", name: "node-7", detailedDiff: { imageId: { diffKind: "update", inputDiff: true } } }),
        summary(),
    ]);
    expect(text).toContain(
        "> - **not announced** – Updates `node-7`, because of `imageId`. Lost: the host's system disk",
    );
    expect(text).toContain("(`Replaces: node-7`)");
});

test("a value that is masked on both sides is only said to have changed", () => {
    const text = comment([
        resource({
            op: "update",
            name: "step",
            detailedDiff: { stdin: { diffKind: "update", inputDiff: true } },
            old: { inputs: { stdin: "[secret]" } },
            new: { inputs: { stdin: "[secret]" } },
        }),
        summary(),
    ]);
    expect(text).toContain("stdin: [secret] (changed)");
});

test("a failed preview says so with the errors, and what it found before", () => {
    const text = comment([
        resource({ op: "create", name: "node-1" }),
        diagnostic("error", "InvalidAccessKeyId.NotFound"),
        summary(),
    ]);
    expect(text).toContain("❌ Preview of `dev` failed");
    expect(text).toContain("InvalidAccessKeyId.NotFound");
    expect(text).toContain("Before it failed: 1 to create");
    expect(comment([resource({ op: "create", name: "node-1" })])).toContain("stopped before its summary");
});

test("text from elsewhere can't leave its place: no mention, no HTML, no end of a fence", () => {
    const evil = "```\n</details> @everyone <img src=x> | `a`";
    const text = comment([
        component(evil, { type: "multihost:x:Evil" }),
        resource({ op: "create", name: evil, parent: urn("multihost:x:Evil", evil), new: { inputs: { a: evil } } }),
        diagnostic("error", evil),
        summary(),
    ]);
    const outside = text.replace(/^(`{3,})[^\n]*\n[\s\S]*?\n\1$/gm, "").replace(/(`+) ?[^\n]*? ?\1/g, "");
    expect(outside).not.toContain("@everyone");
    expect(outside).not.toContain("<img");
    expect(outside.match(/<\/details>/g)).toHaveLength(1);
});

test("a comment on 2,000 resources fits into what GitHub takes, and says what it leaves out", () => {
    const many = Array.from({ length: 2000 }, (_, index) =>
        resource({
            op: index < 600 ? "replace" : "create",
            name: `node-${index}`,
            new: { inputs: { userData: "x".repeat(500), tags: { index } } },
        }),
    );
    const text = comment([...many, summary()]);
    expect(text.length).toBeLessThanOrEqual(COMMENT_LIMIT);
    expect(text).toContain("1400 to create, 0 to update, 600 to replace, 0 to delete");
    expect(text).toMatch(/the preview's log has them|cut: the rest/);
    expect((text.match(/^```+/gm) ?? []).length % 2).toBe(0);
});

test("a fold that doesn't fit is left out whole, and what comes after it shows", () => {
    const plan = planOf(readEvents(log(resource({ op: "create", name: "node-1" }), summary())));
    const fold = (title: string, length: number): string =>
        `<details><summary>${title}</summary>\n\n\`\`\`\`mermaid\n${"a\n".repeat(length)}\`\`\`\`\n\n</details>`;
    const text = commentOf(plan, [], { stack: "dev", sections: [fold("long", 40_000), fold("short", 10)] });
    expect(text).not.toContain("long");
    expect(text).toContain("short");
    expect(text).toContain("cut: the rest is in the preview's log");
    expect(text.match(/<details>/g)).toHaveLength(text.match(/<\/details>/g)!.length);
    expect(text).toContain("Full difference");
});

test("what is too long for the difference leaves room for what comes after it, and is counted", () => {
    const text = (name: string, length: number): object => {
        const lines = (sign: string): string =>
            Array.from({ length }, (_, line) => `${sign}${line}`.repeat(20)).join("\n");
        const [old, now] = [lines("a"), lines("b")];
        return resource({
            op: "update",
            name,
            type: "oss:index/object:Object",
            diffs: ["content"],
            old: { inputs: { content: old } },
            new: { inputs: { content: now } },
        });
    };
    const both = comment([text("long", 450), text("short", 2), summary()]);
    expect(both).toContain("# update short");
    expect(both).not.toContain("# update long");
    expect(both).toContain("1 more resources: the preview's log has them.");
    const alone = comment([text("long", 450), summary()]);
    expect(alone).toContain("1 more resources: the preview's log has them.");
    expect(alone).not.toContain("Full difference");
});

test("two long texts without a line in common are not compared to the end", () => {
    const lines = (sign: string): string => Array.from({ length: 20_000 }, (_, line) => `${sign}${line}`).join("\n");
    const started = Date.now();
    const text = comment([
        resource({
            op: "update",
            name: "page",
            diffs: ["content"],
            old: { inputs: { content: lines("a") } },
            new: { inputs: { content: lines("b") } },
        }),
        summary(),
    ]);
    expect(text).toContain("content: (changed)");
    expect(Date.now() - started).toBeLessThan(5000);
});

test("there is nothing to say of a plan without change, and something of one that failed", () => {
    const of = (...events: object[]) => saysNothing(planOf(readEvents(log(...events))));
    expect(of(redis, resource({ op: "same", name: "node-1" }), summary())).toBe(true);
    expect(of(resource({ op: "create", name: "node-1" }), summary())).toBe(false);
    expect(of(redis, outputs({}, { url: "http://a" }), summary())).toBe(false);
    expect(of(redis, outputs({ url: "http://a" }, { url: "http://a" }), summary())).toBe(true);
    expect(of(redis)).toBe(false);
    expect(of(diagnostic("error", "no"), summary())).toBe(false);
});

test("outputs that differ are named, where nothing else does, too", () => {
    const [before, after] = [
        { a: 1, b: 1, c: 1 },
        { b: 2, c: 2, d: 2 },
    ];
    const text = comment([redis, outputs(before, after), summary()]);
    expect(text).toContain("to delete\n\nOutputs: added `d`; removed `a`; changed `b`, `c`.\n\n<sub>");
});

test("the marker is the first line, so that the comment is found again", () => {
    expect(comment([resource({ op: "create", name: "a" }), summary()]).split("\n")[0]).toBe(markerOf("dev"));
});
