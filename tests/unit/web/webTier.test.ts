import * as pulumi from "@pulumi/pulumi";

import { Recorder, valueOf } from "../components/recorder";

const recorder = new Recorder();

import { Host } from "../../../components/host";
import { WebTier, type WebTierArgs } from "../../../components/web";
import { parseWebTierArgs } from "../../../components/web/settings";

function hosts(count: number): Host[] {
    return Array.from(
        { length: count },
        (_, index) =>
            new Host(`web-${index + 1}`, {
                address: `10.0.0.${index + 1}`,
                privateKey: "LOGIN KEY",
                hostKey: `ssh-ed25519 AAAA${index + 1}`,
            }),
    );
}

async function create(args: Partial<WebTierArgs> = {}): Promise<WebTier> {
    recorder.resources.length = 0;
    const web = new WebTier("site", { hosts: hosts(2), ...args });
    await new Promise((resolve) => web.hosts.apply(resolve));
    return web;
}

function command(name: string): string {
    const found = recorder.resources.find((resource) => resource.name === name);
    if (found === undefined) throw new Error(`no ${name} in ${recorder.resources.map((r) => r.name).join(", ")}`);
    return String(found.inputs["create"]);
}

function problemsOf(args: Partial<WebTierArgs>, name = "site"): string {
    try {
        parseWebTierArgs(name, { hosts: hosts(1), ...args });
    } catch (error) {
        if (pulumi.RunError.isInstance(error)) return error.message;
        throw error;
    }
    return "";
}

test("is called on its hosts as it is told to", async () => {
    await create({ siteName: "old" });
    expect(command("site-web-1")).toContain("PARAM_NAME='old'");
    await create();
    expect(command("site-web-1")).toContain("PARAM_NAME='site'");
    expect(problemsOf({ siteName: "Old" })).toContain('siteName: "Old" names files and zones of nginx');
});

test("configures every host with the same settings", async () => {
    const web = await create();
    for (const name of ["site-web-1", "site-web-2"]) {
        expect(command(name)).toMatch(/^STEP=web\/node@[0-9a-f]{8} /);
        for (const param of [
            "PARAM_PORT='80'",
            "PARAM_HEALTH_PATH='/healthz'",
            "PARAM_DIRECTORY='/srv/www'",
            "PARAM_REQUESTS_PER_SECOND='50'",
            "PARAM_BURST='100'",
            "PARAM_TRUSTED_PROXIES='100.64.0.0/10'",
            "X-Frame-Options: SAMEORIGIN",
        ]) {
            expect(command(name)).toContain(param);
        }
        expect(command(name)).not.toContain("Strict-Transport-Security");
        expect(command(name)).not.toContain("PARAM_TLS_PORT");
    }
    expect(web.release).toBeUndefined();
    expect(await new Promise((resolve) => web.hosts.apply(resolve))).toEqual([
        { name: "web-1", address: "10.0.0.1", port: 80 },
        { name: "web-2", address: "10.0.0.2", port: 80 },
    ]);
});

test("switches a release once, on the first host, after all hosts serve", async () => {
    await create({ release: { name: "r7" }, meshUser: "multihost", content: { directory: "/srv/site" } });
    expect(command("site-release")).toContain("PARAM_MEMBERS='web-1=10.0.0.1 web-2=10.0.0.2'");
    expect(command("site-release")).toContain("PARAM_RELEASE='r7'");
    expect(command("site-release")).toContain("PARAM_USER='multihost'");
    expect(command("site-release")).not.toContain("PARAM_URL");
    const releases = recorder.resources.filter(({ name }) => name.endsWith("-release"));
    expect(releases).toHaveLength(1);
    // Whichever host was the first one before.
    expect(releases[0]!.inputs["stdin"]).toContain("\nSTEP_SERVICE_WIDE=true\n");
});

test("logs in at the ports of hosts whose SSH server is elsewhere than usual, where it logs in at all", async () => {
    const other = new Host("web-3", {
        ...{ address: "10.0.0.3", port: 2222 },
        ...{ privateKey: "LOGIN KEY", hostKey: "ssh-ed25519 AAAA3" },
    });
    const content = { directory: "/srv/site" };
    await create({ hosts: [...hosts(2), other], release: { name: "r7" }, meshUser: "multihost", content });
    expect(command("site-release")).toContain("PARAM_SSH_PORTS='10.0.0.3=2222'");
    expect(command("site-web-3")).not.toContain("SSH_PORTS");
    await create({ release: { name: "r7" }, meshUser: "multihost", content });
    expect(command("site-release")).not.toContain("SSH_PORTS");
    const shared = { ...content, shared: true };
    await create({ hosts: [...hosts(2), other], release: { name: "r7" }, content: shared });
    expect(command("site-release")).not.toContain("SSH_PORTS");
});

test("shows where a release comes from, and not what opens the way there", async () => {
    const sha256 = "0".repeat(64);
    const url = "https://me:word@example.com/site.tar.gz?Expires=1&Signature=pssst";
    await create({ hosts: hosts(1), release: { name: "r7", url, sha256 } });
    expect(command("site-release")).toContain("PARAM_URL='https://example.com/site.tar.gz'");
    const { stdin, ...rest } = recorder.resources.find(({ name }) => name === "site-release")!.inputs;
    expect(JSON.stringify(rest)).not.toMatch(/pssst|word/);
    expect(String(stdin)).toContain(`SECRET_URL='${url}'`);
    expect(problemsOf({ release: { name: "r7", url: "oss://bucket/site?Signature=pssst", sha256 } })).toContain(
        'release.url: "oss://bucket/site" is not an HTTP address.',
    );
});

test("takes a digest in capital letters for the same, and tells what the step notes", async () => {
    const release = { name: "r7", url: "https://example.com/site.tar.gz", sha256: "AB".repeat(32) };
    const web = await create({ hosts: hosts(1), release });
    expect(command("site-release")).toContain(`PARAM_SHA256='${"ab".repeat(32)}'`);
    expect(await valueOf(web.release!.result.apply(({ notes = [] }) => notes))).toEqual([]);
});

test("shared content needs no logins between the hosts", async () => {
    await create({ release: { name: "r7" }, content: { directory: "/data/shared/www", shared: true } });
    expect(command("site-release")).toContain("PARAM_SHARED='true'");
    expect(command("site-release")).not.toContain("PARAM_USER");
});

test("keeps the key of TLS to standard input, and promises TLS to browsers", async () => {
    await create({ tls: { certificate: "CERT", privateKey: "THE KEY" } });
    const node = recorder.resources.find(({ name }) => name === "site-web-1")!;
    const { stdin, ...rest } = node.inputs;
    expect(JSON.stringify(rest)).not.toContain("THE KEY");
    expect(String(stdin)).toContain("THE KEY");
    expect(node.secret).toContain("stdin");
    expect(command("site-web-1")).toContain("PARAM_TLS_PORT='443'");
    expect(command("site-web-1")).toContain("Strict-Transport-Security: max-age=31536000");
});

test("has a release asked for by its site's name, on the port that serves it", async () => {
    const release = { name: "r7" };
    await create({ hosts: hosts(1), release });
    expect(command("site-release")).not.toContain("PARAM_TLS_PORT");
    await create({ hosts: hosts(1), release, serverNames: ["www.example.com", "example.com"] });
    expect(command("site-release")).toContain("PARAM_SERVER_NAMES='www.example.com example.com'");
    await create({ hosts: hosts(1), release, tls: { certificate: "CERT", privateKey: "KEY", port: 8443 } });
    expect(command("site-release")).toContain("PARAM_TLS_PORT='8443'");
});

test("replaces and takes away headers, whatever their case", async () => {
    await create({
        headers: { "x-frame-options": "DENY", "Referrer-Policy": "", "Cross-Origin-Opener-Policy": "same-origin" },
    });
    expect(command("site-web-1")).toContain("x-frame-options: DENY");
    expect(command("site-web-1")).toContain("Cross-Origin-Opener-Policy: same-origin");
    expect(command("site-web-1")).not.toContain("SAMEORIGIN");
    expect(command("site-web-1")).not.toContain("Referrer-Policy");
});

test("lists every problem at once", () => {
    const host = hosts(1)[0]!;
    expect(
        problemsOf(
            {
                hosts: [host, host],
                port: 443,
                tls: { certificate: "", privateKey: "" },
                serverNames: ["bad name"],
                content: { directory: "www" },
                healthPath: "/",
                release: { name: "../etc", url: "ftp://x", keep: 1 },
                limits: { requestsPerSecond: 0, bodySize: "big" },
                upstream: { servers: ["10.0.0.7"] },
                headers: { "X-Test": '"' },
                trustedProxies: ["all"],
            },
            "Site",
        ).split("\n"),
    ).toEqual([
        'WebTier "Site" has 16 problems:',
        '  - name: "Site" names files and zones of nginx: use at most 31 lower-case letters, digits and hyphens.',
        '  - hosts[1]: "web-1" is listed twice.',
        "  - meshUser: is needed to switch a release on several hosts at once: give NodePool.meshUser, or put the content on shared storage and set content.shared.",
        "  - port: port, tls.port and statusPort must differ; they are 443, 8081, 443.",
        '  - serverNames[0]: "bad name" is not a host name such as www.example.com.',
        '  - content.directory: "www" is not an absolute path below a top-level folder.',
        "  - healthPath: would take the site's own start page: choose a path of its own such as /healthz.",
        '  - release.name: "../etc" is not the name of a folder: use letters, digits and ._- only.',
        "  - release.keep: 1 is not a number of releases from 2 to 100; the one before must stay for the way back.",
        '  - release.url: "ftp://x" is not an HTTP address.',
        "  - release.sha256: goes with release.url: give both or none.",
        "  - limits.requestsPerSecond: 0 is not a rate from 1 to 100000.",
        '  - limits.bodySize: "big" is not a size such as 512k or 10m.',
        '  - upstream.servers[0]: "10.0.0.7" is not an address with a port such as 10.0.0.7:8080.',
        '  - trustedProxies[0]: "all" is not a CIDR block such as 100.64.0.0/10.',
        '  - headers["X-Test"]: must not hold double quotes, backslashes, dollar signs or line breaks.',
    ]);
});

test("accepts what is right", () => {
    expect(
        problemsOf({
            serverNames: ["www.example.com", "*.example.com"],
            upstream: { servers: ["10.0.0.7:8080", "app.internal:80"] },
            release: { name: "2026-11-23.1", url: "https://example.com/x.tar.gz", sha256: "0".repeat(64) },
        }),
    ).toBe("");
});
