/** The web servers of the shared stack: releases switch on all hosts or on none. */
import { configure, eventually, lab, onHost, outputOn as run, up, upChanges } from "./lab";

jest.setTimeout(300_000);

const hosts = ["web-1", "web-2"];
const folder = "/srv/www";

/** Puts a release where the user who owns the folder would. */
function place(host: string, release: string, files: Readonly<Record<string, string>>): Promise<string> {
    const commands = Object.entries(files).map(([name, text]) => `echo '${text}' >"$d/${name}"`);
    return run(
        host,
        `d=${folder}/releases/${release}; mkdir -p "$d"; ${commands.join("; ")}; chown -R multihost: "$d"`,
    );
}

function served(): Promise<string[]> {
    return Promise.all(hosts.map((host) => run(host, "curl -fsS --max-time 5 http://127.0.0.1/")));
}

beforeAll(async () => {
    for (const host of hosts) {
        await place(host, "r1", { "index.html": "first" });
        await place(host, "r2", { "index.html": "second" });
    }
    await place("web-1", "broken", { "index.html": "broken" });
    // The second host's copy lacks what the start page is.
    await place("web-2", "broken", { "other.html": "broken" });
});

afterAll(async () => {
    for (const key of ["release", "shared"]) {
        const { stdout } = await lab(["pulumi", "config", "get", "--path", `web.${key}`]);
        if (stdout.trim() !== "") await configure(`web.${key}`, undefined);
    }
    await up();
});

it("say that there is no release before the first one", async () => {
    for (const page of await served()) expect(page).toContain("No release is served yet");
});

it("answer on their private address without telling their version, and refuse hidden files", async () => {
    const headers = await run("web-1", "curl -sS -D - -o /dev/null http://$(hostname -I | cut -d' ' -f1)/.git/config");
    expect(headers).toContain("404 Not Found");
    expect(headers).toContain("X-Content-Type-Options: nosniff");
    expect(headers).not.toMatch(/nginx\/\d/);
});

it("are out of reach from hosts of another role", async () => {
    const address = await run("web-1", "hostname -I | cut -d' ' -f1");
    expect((await onHost("node-1", `timeout 3 bash -c '</dev/tcp/${address}/80'`)).code).not.toBe(0);
    expect((await onHost("web-2", `timeout 3 bash -c '</dev/tcp/${address}/80'`)).code).toBe(0);
});

it("switch to a release together, without losing a request", async () => {
    await configure("web.release", "r1");
    expect(await upChanges()).toEqual([{ operation: "create", type: "command:remote:Command", name: "site-release" }]);
    expect(await served()).toEqual(["first", "first"]);

    await run("web-2", "rm -f /tmp/stop /tmp/seen");
    const address = await run("web-1", "hostname -I | cut -d' ' -f1");
    const client = run(
        "web-2",
        `for i in $(seq 3000); do [ ! -e /tmp/stop ] || break; curl -sS --max-time 5 -w ' %{http_code}\\n' http://${address}/ 2>&1 | tr '\\n' ' '; echo; sleep 0.03; done >/tmp/seen; sort /tmp/seen | uniq -c`,
        200,
    );
    await eventually("the client sees the first release", 30, async () =>
        (await run("web-2", "grep -c first /tmp/seen || true")) !== "0" ? true : undefined,
    );
    await configure("web.release", "r2");
    await up();
    await eventually("the client sees the second release", 30, async () =>
        (await run("web-2", "grep -c second /tmp/seen || true")) !== "0" ? true : undefined,
    );
    await run("web-2", "touch /tmp/stop");
    const seen = (await client).split("\n").map((line) => line.trim().replace(/^\d+ /, "").replace(/\s+/g, " ").trim());
    expect(seen.sort()).toEqual(["first 200", "second 200"]);
    expect(await served()).toEqual(["second", "second"]);
});

it("go back together when one of them does not answer with the new release, and say which", async () => {
    await configure("web.release", "broken");
    const { code, stdout, stderr } = await lab(["pulumi", "up", "--yes", "--skip-preview"], { seconds: 200 });
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain("release broken does not answer on every host, all hosts serve r2 again");
    expect(stdout + stderr).toMatch(/web-2: \/healthz answers with status 503/);
    expect(await served()).toEqual(["second", "second"]);
});

it("resume with the next update", async () => {
    await place("web-2", "broken", { "index.html": "mended" });
    await up();
    expect(await served()).toEqual(["broken", "mended"]);
    await up({ expectNoChanges: true });
});

describe("on the shared storage", () => {
    const shared = "/data/shared/www/releases";

    it("what one host has been given is served by all", async () => {
        await configure("web.shared", "true");
        await configure("web.release", undefined);
        await up();
        await run("web-1", `mkdir -p ${shared}/s1 && echo shared >${shared}/s1/index.html`);
        await configure("web.release", "s1");
        await up();
        expect(await served()).toEqual(["shared", "shared"]);
        await up({ expectNoChanges: true });
    });

    it("goes on being served while a server of the storage is down", async () => {
        await run("node-3", "sudo systemctl stop glusterd; sudo pkill glusterfsd");
        try {
            await eventually("both hosts serve", 60, async () =>
                (await served()).join() === "shared,shared" ? true : undefined,
            );
            await run("web-2", `mkdir -p ${shared}/s2 && echo written >${shared}/s2/index.html`, 90);
            expect(await run("web-1", `cat ${shared}/s2/index.html`)).toBe("written");
        } finally {
            await run("node-3", "sudo systemctl start glusterd");
        }
        await eventually("the storage is whole", 120, async () =>
            (await run("node-1", "sudo gluster volume heal gv0 info summary | grep -c 'Number of entries: 0'")) === "3"
                ? true
                : undefined,
        );
    });
});
