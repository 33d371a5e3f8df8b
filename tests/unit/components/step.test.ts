import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";

import * as host from "../../../components/host";
import { shellQuote } from "../../../components/scriptText";
import { assembleScript, loadScript, scriptsFolder, type Script } from "../../../components/scripts";

const library = {
    file: "lib/base.sh",
    text: 'set -Eeuo pipefail\ntrap \'echo "failed at $(step_locate "$LINENO")" >&2\' ERR\n',
};

function script(text: string, name = "test/step"): Script {
    return assembleScript(name, [library, { file: "test/step.sh", text }]);
}

describe("a step's text, run by a real bash", () => {
    let folder: string;
    let records: string;
    beforeEach(() => {
        folder = mkdtempSync(path.join(tmpdir(), "steps-"));
        records = path.join(folder, "records");
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    function environment(on = ""): NodeJS.ProcessEnv {
        return {
            PATH: process.env.PATH,
            STEP_RECORDS: `${records}${on}`,
            STEP_LOCKS: path.join(folder, "locks"),
            STEP_PATIENCE: "1",
        };
    }

    function run(
        text: string,
        options: {
            params?: Record<string, host.StepParam>;
            secrets?: Record<string, string>;
            mode?: "create" | "update" | "delete";
            identity?: string;
            serviceWide?: boolean;
            /** Whose records. */
            on?: string;
            /** Name of the script. */
            name?: string;
            /** Name of the step. */
            step?: string;
        } = {},
    ): { status: number | null; stdout: string; stderr: string; command: string; stdin: string } {
        const {
            params = {},
            secrets = {},
            mode = "create",
            identity = "i-1",
            serviceWide = false,
            on,
            name,
            step = "step",
        } = options;
        const known = script(text, name);
        const command = `${host.stepCommand(step, known, params, "root")}${mode === "create" ? "" : ` ${mode}`}`;
        const stdin = host.stepText(step, known, params, secrets, [], identity, serviceWide);
        const done = spawnSync("sh", ["-c", command], { input: stdin, encoding: "utf8", env: environment(on) });
        return { status: done.status, stdout: done.stdout, stderr: done.stderr, command, stdin };
    }

    const report = 'echo "{\\"step\\":\\"test/step\\",\\"changed\\":[]}"';

    test("passes parameters and secrets of any content", () => {
        const odd = 'it\'s "a" $(touch x) `y` \\ * tab\tend';
        const many = "-----BEGIN-----\nline 'two'\\n\n-----END-----\n";
        const done = run(
            `main() { [[ $PARAM_ODD == "$EXPECT" ]]; [[ $PARAM_MEMBERS == "a b 3" ]]; [[ $SECRET_PEM == *"line 'two'\\\\n"* ]]; echo "$PARAM_MAX_MEMORY" >&2; ${report}; }\nEXPECT=${shellQuote(odd)}\n`,
            { params: { odd, members: ["a", "b", 3], maxMemory: "256mb", absent: undefined }, secrets: { pem: many } },
        );
        expect(done).toMatchObject({ status: 0, stdout: '{"step":"test/step","changed":[]}\n', stderr: "256mb\n" });
        expect(done.command).not.toContain("ABSENT");
    });

    test("keeps secrets out of argv, the environment, the output and the errors", () => {
        const done = run(
            'main() { env >&2; tr "\\0" " " </proc/$$/cmdline >&2; echo "auth hunter2secret failed" >&2; echo "hunter2secret"; false; }',
            {
                secrets: { password: "hunter2secret" },
            },
        );
        expect(done.status).toBe(1);
        expect(done.command + done.stdout + done.stderr).not.toContain("hunter2secret");
        expect(done.stderr).toContain("auth [secret] failed");
    });

    test("a failure names the script's own file and line, once", () => {
        const done = run("# first line\nmain() {\n    true\n    false\n    echo unreachable >&2\n}\n");
        expect(done).toMatchObject({ status: 1, stdout: "", stderr: "failed at test/step.sh:4\n" });
    });

    test("a failing function fails the step even behind a command that succeeds later", () => {
        expect(run(`inner() { false; true; }\nmain() { inner; ${report}; }\n`).status).toBe(1);
    });

    test("a command that reads standard input can't swallow the rest", () => {
        expect(run(`main() { cat >&2; ${report}; }\n`)).toMatchObject({ status: 0, stderr: "" });
    });

    test("an update with the same content costs nothing and answers the same; a changed value or secret runs it", () => {
        const body = `main() { echo ran >&2; ${report}; }\n`;
        const first = run(body, { params: { port: 1 }, secrets: { password: "one-secret" } });
        const same = run(body, { params: { port: 1 }, secrets: { password: "one-secret" }, mode: "update" });
        expect(same.stdout).toBe(first.stdout);
        expect(same.stderr).not.toContain("ran\n");
        expect(run(body, { params: { port: 2 }, secrets: { password: "one-secret" }, mode: "update" }).stderr).toBe(
            "ran\n",
        );
        expect(run(body, { params: { port: 2 }, secrets: { password: "two-secret" }, mode: "update" }).stderr).toBe(
            "ran\n",
        );
        expect(run(body, { params: { port: 2 }, secrets: { password: "two-secret" } }).stderr).toBe("ran\n");
    });

    test("the records of the machine from whose image this one was made count for nothing", () => {
        const body = `main() { echo ran >&2; ${report}; }\n`;
        run(body, { identity: "i-1" });
        expect(run(body, { identity: "i-2", mode: "update" }).stderr).toBe("ran\n");
        expect(run(body, { identity: "i-2", mode: "update" }).stderr).toContain("nothing to do");
    });

    test("a step that speaks for a whole service runs again when it is back on a host, after it was on another", () => {
        const source = path.join(folder, "source");
        const body = `main() { echo "$PARAM_SOURCE" >${source}; ${report}; }\n`;
        const onHost = (name: "a" | "b", mode: "create" | "update"): string => {
            const identity = `i-${name}`;
            run(body, { params: { source: name }, mode, identity, on: `-${name}`, serviceWide: true });
            return readFileSync(source, "utf8").trim();
        };
        expect(onHost("a", "create")).toBe("a");
        expect(onHost("b", "update")).toBe("b");
        expect(onHost("a", "update")).toBe("a");
    });

    test("a step that failed is never taken for done", () => {
        const body = `main() { [[ ! -e ${records}/broken ]]; ${report}; }\n`;
        run(body);
        execFileSync("touch", [path.join(records, "broken")]);
        expect(run(body).status).toBe(1);
        expect(run(body, { mode: "update" }).status).toBe(1);
        expect(readdirSync(records).filter((file) => !file.endsWith(".machine"))).toEqual(["broken"]);
    });

    test("steps of equal names that run scripts of different services know nothing of each other", async () => {
        const body = `main() { echo ran >&2; ${report}; }\nremove() { echo removed >&2; }\n`;
        for (const name of ["redis/node", "mysql/node"]) run(body, { name });
        for (const name of ["redis/node", "mysql/node"]) {
            expect(run(body, { name, mode: "update" }).stderr).toContain("nothing to do");
        }
        const other = script(`main() { touch ${folder}/started; sleep 3; ${report}; }\n`, "redis/node");
        const beside = spawn("sh", ["-c", host.stepCommand("step", other, {}, "root")], {
            env: environment(),
            stdio: ["pipe", "ignore", "ignore"],
        });
        const ended = once(beside, "exit");
        beside.stdin.end(host.stepText("step", other, {}, {}, [], "i-1"));
        while (!existsSync(path.join(folder, "started"))) await new Promise((resolve) => setTimeout(resolve, 20));
        const meanwhile = run(body, { name: "mysql/node" });
        await ended;
        expect(meanwhile.stderr).toBe("ran\n");
        for (const name of ["redis/node", "mysql/node"]) {
            expect(run(body, { name, mode: "delete" }).stderr).toBe("removed\n");
        }
        expect(readdirSync(records)).toEqual([]);
    });

    test("a step that has another script of its service, and then the former again, runs each time", () => {
        const body = `main() { echo ran >&2; ${report}; }\n`;
        for (const name of ["storage/gluster-client", "storage/nfs-client", "storage/gluster-client"]) {
            expect(run(`# ${name}\n${body}`, { name, mode: "update" }).stderr).toBe("ran\n");
        }
    });

    test("a step that is renamed, and renamed back, runs each time, and what other services remember stays", () => {
        const body = `main() { echo "$STEP_KEY" >${folder}/owner; ${report}; }\n`;
        const owner = (): string => readFileSync(path.join(folder, "owner"), "utf8").trim().split(".").at(-1)!;
        run(body, { name: "mysql/node" });
        run(body, { name: "storage/nfs-client" });
        for (const step of ["renamed", "step"]) {
            run(body, { step, name: "storage/nfs-client", mode: "update" });
            expect(owner()).toBe(step);
        }
        const same: [string, string][] = [
            ["storage/nfs-client", "step"],
            ["mysql/node", "step"],
        ];
        for (const [name, step] of same)
            expect(run(body, { step, name, mode: "update" }).stderr).toContain("nothing to do");
    });

    test("the record of an earlier release counts for nothing, and is gone when that one comes back", () => {
        const key = `${pulumi.getProject()}.${pulumi.getStack()}.step`;
        const body = `main() { echo ran >&2; ${report}; }\n`;
        run(body);
        renameSync(path.join(records, `${key}@test`), path.join(records, key));
        expect(run(body, { mode: "update" }).stderr).toBe("ran\n");
        expect(readdirSync(records).sort()).toEqual([`${key}@test`, `${key}@test.machine`]);
    });

    test("deleting runs `remove`", () => {
        run(`main() { ${report}; }\n`);
        const done = run(`main() { false; }\nremove() { echo removed >&2; }\n`, { mode: "delete" });
        expect(done).toMatchObject({ status: 0, stdout: "", stderr: "removed\n" });
        expect(readdirSync(records)).toEqual([]);
    });

    test("deleting undoes nothing on another machine that has the address now", () => {
        const body = `main() { ${report}; }\nremove() { echo removed >&2; }\n`;
        run(body, { identity: "i-1" });
        run(body, { identity: "i-2" });
        const other = run(body, { identity: "i-1", mode: "delete" });
        expect(other).toMatchObject({ status: 0, stderr: expect.stringContaining("nothing to undo") as string });
        expect(run(body, { identity: "i-2", mode: "update" }).stderr).toContain("nothing to do");
        expect(run(body, { identity: "i-2", mode: "delete" }).stderr).toBe("removed\n");
        expect(readdirSync(records)).toEqual([]);
    });

    test("waits for an earlier run whose connection broke, down to the last process that it started", async () => {
        const [started, end, log] = ["started", "end", "log"].map((name) => path.join(folder, name));
        // `timeout` leaves the process group by which a run is ended.
        const inner = `trap "" PIPE; echo a >>${log}; touch ${started}; until [ -e ${end} ]; do sleep 0.05; done; echo b >>${log}`;
        const earlier = spawn("sh", ["-c", host.stepCommand("step", script(""), {}, "root")], {
            env: environment(),
            detached: true,
            stdio: ["pipe", "ignore", "ignore"],
        });
        earlier.stdin.end(
            host.stepText("step", script(`main() { timeout 20 sh -c '${inner}'; ${report}; }\n`), {}, {}, [], "i-1"),
        );
        const ended = once(earlier, "exit");
        while (!existsSync(started!)) await new Promise((resolve) => setTimeout(resolve, 20));
        process.kill(-earlier.pid!, "SIGKILL");
        await ended;

        const body = `main() { echo c >>${log}; ${report}; }\n`;
        const refused = run(body);
        expect(refused).toMatchObject({ status: 1, stdout: "" });
        expect(refused.stderr).toMatch(
            /^an earlier run .*: waiting for its end\nmultihost: .* still at work after another 1 s, as the processes \d+( \d+)*: run .*\n$/,
        );
        setTimeout(() => execFileSync("touch", [end!]), 0);
        await new Promise((resolve) => setTimeout(resolve, 50));
        expect(run(body).status).toBe(0);
        expect(readFileSync(log!, "utf8")).toBe("a\nb\nc\n");
    });

    test("the record of a run can be read by root alone", () => {
        run(`main() { ${report}; }\n`);
        expect(
            execFileSync("stat", ["-c", "%a", records, path.join(records, readdirSync(records).sort()[0]!)], {
                encoding: "utf8",
            }),
        ).toBe("700\n600\n");
    });
});

describe("stepCommand", () => {
    const known = script("main() { :; }\n");

    test("shows the script's hash and the parameters, quoted", () => {
        expect(host.stepCommand("s", known, { port: 7000, name: "it's" }, "root")).toBe(
            `STEP=test/step@${known.hash} PARAM_NAME='it'\\''s' PARAM_PORT='7000' bash --norc -s`,
        );
    });

    test("raises a user who is not root", () => {
        expect(host.stepCommand("s", known, { tls: true }, "admin")).toBe(
            `sudo -n env STEP=test/step@${known.hash} PARAM_TLS='true' bash --norc -s`,
        );
    });

    test("refuses a list whose items would fall apart", () => {
        expect(() => host.stepCommand("s", known, { members: ["a b"] }, "root")).toThrow(
            'Step "s": params.members: an item of a list can\'t be empty or contain white space.',
        );
    });
});

describe("loadScript", () => {
    test("finds scripts/ beside the sources", () => {
        expect(existsSync(path.join(scriptsFolder(), "step.sh"))).toBe(true);
    });

    test("names the file that is missing", () => {
        expect(() => loadScript("redis/nothing")).toThrow(
            'There is no script "redis/nothing": expected a file scripts/redis/nothing.sh.',
        );
        expect(() => loadScript("../etc")).toThrow('There is no script "../etc"');
    });
});

describe("parseStepOutput", () => {
    test("reads the last line", () => {
        expect(host.parseStepOutput("s", 'noise\n{"step":"a/b","changed":["x"],"port":7000}\n')).toEqual({
            step: "a/b",
            changed: ["x"],
            port: 7000,
        });
    });

    test.each(["", "not json hunter2", "[1]", undefined])("refuses %p without quoting it", (stdout) => {
        expect(() => host.parseStepOutput("s", stdout)).toThrow(
            'Step "s": the last line that its script printed is not a JSON object. Run it again with `pulumi up`.',
        );
    });
});
