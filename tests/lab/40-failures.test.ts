/** Runs that fail, and what they and others let out. */
import { statSync } from "node:fs";
import { labPaths } from "../../lab/paths";
import { labEnvironment } from "../prepare";
import { configure, type Finished, lab, labOutput, onHost, outputOn, outputs, up, upChanges } from "./lab";

jest.setTimeout(400_000);

const foreign = "/etc/nginx/conf.d/zz-foreign.conf";

/** What nobody may see: the password, and of every private key in the state the lines that no public key or certificate shares with it. */
async function secrets(): Promise<string[]> {
    const { redisUrl } = await outputs();
    const password = decodeURIComponent(new URL((redisUrl as string).replace(/,.*$/, "")).password);
    const state = await labOutput(["pulumi", "stack", "export", "--show-secrets"]);
    const shown = [...state.matchAll(/"(?:publicKey[A-Za-z]*|certPem)": ("(?:[^"\\]|\\.)*")/g)]
        .map(([, text]) => (JSON.parse(text!) as string).replaceAll("\n", ""))
        .join(" ");
    const keys = [...state.matchAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----((?:\\+n|[A-Za-z0-9+/=])+)-----END/g)];
    const lines = keys.map(([, text]) => {
        const own = text!.split(/\\+n/).filter((line) => line.length >= 40 && !shown.includes(line));
        // The first ones say little more than what kind of key it is.
        return own.at(-1)!;
    });
    return [password, ...new Set(lines)];
}

function leaks(text: string, hidden: readonly string[]): string[] {
    return hidden.filter((secret) => text.includes(secret)).map((secret) => `${secret.slice(0, 6)}…`);
}

/** Every command line that exists on a host within the time of `action`. */
async function commandLinesDuring(host: string, action: () => Promise<unknown>): Promise<string> {
    await onHost(host, "rm -f /run/seen /run/stop");
    const watching = onHost(
        host,
        `for i in $(seq 3000); do [ ! -e /run/stop ] || break; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >>/run/seen; echo >>/run/seen; sleep 0.05; done`,
        { seconds: 300 },
    );
    try {
        await action();
    } finally {
        await onHost(host, "touch /run/stop");
        await watching;
    }
    const { stdout } = await onHost(host, "sort -u /run/seen; rm -f /run/seen /run/stop");
    return stdout;
}

let failed: Finished;

describe("a script that fails", () => {
    afterAll(async () => {
        await onHost("web-1", `rm -f ${foreign}`);
        await configure("web.port", undefined);
        await up();
    });

    it("is told of with host, script and line, and what the program said", async () => {
        expect((await onHost("web-1", `echo 'nonsense;' >${foreign}`)).code).toBe(0);
        await configure("web.port", "8080");
        failed = await lab(["pulumi", "up", "--yes", "--skip-preview"], { seconds: 300 });
        expect(failed.code).not.toBe(0);
        expect(failed.stdout + failed.stderr).toMatch(
            /multihost: web-1: web\/node\.sh:\d+: nginx refuses the configuration; the one before stays/,
        );
        expect(failed.stdout + failed.stderr).toMatch(/unknown directive "nonsense"/);
    });

    it("leaves what was there working, and does not hold others up", async () => {
        expect((await onHost("web-1", "curl -fsS -o /dev/null http://127.0.0.1:80/healthz")).code).toBe(0);
        expect((await onHost("web-2", "curl -fsS -o /dev/null http://127.0.0.1:8080/healthz")).code).toBe(0);
    });

    it("is where the next update goes on, and only there", async () => {
        await onHost("web-1", `rm -f ${foreign}`);
        // The rule of the old port is deleted at the end of an update, which the one before did not reach.
        const steps = (await upChanges()).filter(({ type }) => type === "command:remote:Command");
        expect(steps).toEqual([{ operation: "update", type: "command:remote:Command", name: "site-web-1" }]);
        expect((await onHost("web-1", "curl -fsS -o /dev/null http://127.0.0.1:8080/healthz")).code).toBe(0);
    });
});

describe("secrets", () => {
    it("show neither in what an update prints nor in command lines while it works", async () => {
        const hidden = await secrets();
        expect(hidden.length).toBeGreaterThan(5);
        let printed = leaks(failed.stdout + failed.stderr, hidden);
        const lines = await commandLinesDuring("node-1", async () => {
            try {
                await configure("redis.maxmemory", "65mb");
                const preview = await labOutput(["pulumi", "preview", "--diff"], { seconds: 120 });
                const update = await labOutput(["pulumi", "up", "--yes", "--diff", "--skip-preview"], { seconds: 300 });
                expect(preview).toContain("65mb");
                printed = printed.concat(leaks(preview, hidden), leaks(update, hidden));
            } finally {
                await configure("redis.maxmemory", "64mb");
                printed = printed.concat(leaks(await up(), hidden));
            }
        });
        expect(printed).toEqual([]);
        // The sampling saw the step itself, so it would have seen a secret beside it.
        expect(lines).toContain("bash --norc -s");
        expect(leaks(lines, hidden)).toEqual([]);
    });

    it("stand in no state, log, history, journal or temporary file in plain text", async () => {
        const hidden = await secrets();
        expect(leaks(await labOutput(["pulumi", "stack", "export"]), hidden)).toEqual([]);
        expect(leaks(await labOutput(["logs"]), hidden)).toEqual([]);
        for (const host of ["bastion-1", "node-1", "web-1"]) {
            // Whoever reads nothing finds no secret either: both marks have to be found.
            const read = await outputOn(
                host,
                "logger read-from-journal; echo read-from-file >/var/tmp/mark; journalctl --sync; cat /root/.*history /home/*/.*history /var/log/* 2>/dev/null; journalctl -q --no-pager; grep -rhs '' /tmp /var/tmp /var/lib/multihost; rm /var/tmp/mark",
            );
            expect(read).toContain("read-from-journal");
            expect(read).toContain("read-from-file");
            expect([host, leaks(read, hidden)]).toEqual([host, []]);
        }
    });

    it("that the lab keeps are its owner's alone", () => {
        const { folder } = labPaths({ ...process.env, ...labEnvironment });
        expect((statSync(folder).mode & 0o777).toString(8)).toBe("700");
    });
});
