/** Web servers that end TLS themselves, limit their clients and stand before an application, in a program that has nothing else. */
import { type Change, eventually, onHost, outputOn, startOnHost } from "../lab";
import { components, OwnProgram } from "../ownProgram";

jest.setTimeout(900_000);

const stack = new OwnProgram("web-tier");

const program = `
import { Bastion, Network, NodePool, WebTier } from ${components};
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

const { hosts, pair, upstream, limits, headers } = new pulumi.Config().requireObject<any>("settings");
const network = new Network("web-tier", {
    cidr: "10.87.0.0/16",
    zones: ["cn-hangzhou-h"],
    roles: { bastion: {}, web: { ingress: [{ ports: [22], roles: ["bastion", "web"] }, { ports: [80, 8443, 8000], roles: ["web"] }] } },
});
const bastion = new Bastion("web-entry", { network, adminCidrs: ["203.0.113.0/24"] });
const pool = new NodePool("server", { network, role: "web", count: 3, bastion });
const [one, two, client] = pool.hosts;
const key = new tls.PrivateKey("site-key-" + pair, { algorithm: "ECDSA", ecdsaCurve: "P256" });
const certificate = new tls.SelfSignedCert("site-certificate-" + pair, {
    privateKeyPem: key.privateKeyPem,
    subject: { commonName: "pair " + pair },
    dnsNames: ["shop.example"],
    validityPeriodHours: 1000,
    allowedUses: ["server_auth"],
});
const web = new WebTier("shop", {
    hosts: [one!, two!].slice(0, hosts),
    meshUser: pool.meshUser,
    after: pool.mesh,
    tls: { certificate: certificate.certPem, privateKey: key.privateKeyPem, port: 8443 },
    limits,
    headers,
    ...(upstream && { upstream: { servers: [pulumi.interpolate\`\${client!.privateAddress}:8000\`], timeoutSeconds: 2 } }),
});
export const addresses = pulumi.all([one!.privateAddress, two!.privateAddress]);
export const certificatePem = certificate.certPem;
export const served = web.hosts;
`;

const settings = {
    hosts: 2,
    pair: 1,
    upstream: false,
    limits: { requestsPerSecond: 10, burst: 10, connections: 4, bodySize: "64k" },
    headers: { "X-Frame-Options": "DENY", "Referrer-Policy": "" },
};

/** What is asked of the servers comes from the third host, which is none. */
const client = "server-3";
let ids: ReadonlyMap<string, string>;
let addresses: readonly string[];
const run = (host: string, command: string): Promise<string> => outputOn(ids.get(host)!, command);

/** Sets, and updates the stack. @returns what that changed */
async function set(change: Partial<typeof settings>): Promise<Change[]> {
    Object.assign(settings, change);
    await stack.pulumi(["config", "set", "settings", JSON.stringify(settings)]);
    return stack.changes();
}

const steps = (changes: readonly Change[]): string[] =>
    changes
        .filter(({ type }) => type === "command:remote:Command")
        .map(({ operation, name }) => `${operation} ${name}`)
        .sort();

/** The words of a curl that trusts the certificate of now, under the site's name. */
const curl = (address: string): string =>
    `curl -sS --max-time 20 --cacert /tmp/site.pem --resolve shop.example:8443:${address} --resolve shop.example:80:${address}`;

async function trust(): Promise<void> {
    const { certificatePem } = (await stack.outputs()) as { certificatePem: string };
    await run(client, `cat >/tmp/next.pem <<'PEM'\n${certificatePem}\nPEM\nmv /tmp/next.pem /tmp/site.pem`);
}

/** How often each status was answered. */
function counted(statuses: string): Record<string, number> {
    const found: Record<string, number> = {};
    for (const status of statuses.split(/\s+/)) found[status] = (found[status] ?? 0) + 1;
    return found;
}

beforeAll(async () => {
    await stack.init(program, { settings });
    await stack.up();
    ids = new Map([...(await stack.instances())].map(([name, { id }]) => [name, id]));
    ({ addresses } = (await stack.outputs()) as { addresses: string[] });
    await trust();
});

afterAll(() => stack.remove());

it("answers by HTTPS with the certificate that it was given, sends those without TLS there, and says so to browsers", async () => {
    for (const address of addresses) {
        expect(await run(client, `${curl(address)} https://shop.example:8443/`)).toContain("No release is served yet");
        const plain = await run(
            client,
            `${curl(address)} -o /dev/null -w '%{http_code} %{redirect_url}' 'http://shop.example/a?b=c'`,
        );
        expect(plain).toBe("308 https://shop.example:8443/a?b=c");
        // The balancer's check asks by HTTP.
        expect(await run(client, `${curl(address)} -o /dev/null -w '%{http_code}' http://shop.example/healthz`)).toBe(
            "200",
        );
    }
    const headers = await run(client, `${curl(addresses[0]!)} -D - -o /dev/null https://shop.example:8443/`);
    expect(headers).toMatch(/strict-transport-security: max-age=31536000/i);
    expect(headers).toMatch(/x-frame-options: DENY/i);
    expect(headers).not.toMatch(/referrer-policy/i);
    const older = `openssl s_client -connect ${addresses[0]!}:8443 -tls1_1 -cipher DEFAULT:@SECLEVEL=0 </dev/null 2>&1 | grep -c 'BEGIN CERTIFICATE' || true`;
    expect(await run(client, older)).toBe("0");
});

it("refuses what one client asks beyond its rate, its connections and the size of a body, and nobody else's", async () => {
    const ask = `${curl(addresses[0]!)} -o /dev/null -w '%{http_code}\\n'`;
    const burst = await run(client, `seq 60 | xargs -P 4 -n 1 sh -c "${ask} https://shop.example:8443/"`);
    const answered = counted(burst);
    expect(Object.keys(answered).sort()).toEqual(["200", "429"]);
    // The burst, and ten more for each second that it took.
    expect(answered["200"]).toBeGreaterThanOrEqual(10);
    expect(answered["429"]).toBeGreaterThan(10);
    expect(await run("server-2", `curl -sk -o /dev/null -w '%{http_code}' https://${addresses[0]!}:8443/`)).toBe("200");
    // Connections that have asked for something big and don't read it stay open.
    await run("server-1", "head -c 50M /dev/zero >/srv/www/current/big");
    const open = `
import socket, ssl, time
trust = ssl.create_default_context(cafile="/tmp/site.pem")
def ask(path):
    raw = socket.create_connection(("${addresses[0]!}", 8443), 10)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    wrapped = trust.wrap_socket(raw, server_hostname="shop.example")
    wrapped.sendall(f"GET {path} HTTP/1.1\\r\\nHost: shop.example\\r\\n\\r\\n".encode())
    return wrapped, wrapped.recv(12).decode().split()[1]
time.sleep(2)
held = [ask("/big") for _ in range(4)]
print(*[status for _, status in held], ask("/")[1])
for connection, _ in held: connection.close()
time.sleep(1)
print(ask("/")[1])
`;
    expect(await run(client, `python3 - <<'PYTHON'${open}PYTHON`)).toBe("200 200 200 200 429\n200");
    await run("server-1", "rm /srv/www/current/big");
    const post = "head -c 100k /dev/zero | ";
    expect(await run(client, `${post}${ask} --data-binary @- https://shop.example:8443/`)).toBe("413");
});

it("takes other limits over on the servers alone, and refuses nobody who is within them", async () => {
    const changes = await set({ limits: { requestsPerSecond: 1000, burst: 1000, connections: 100, bodySize: "1m" } });
    expect(steps(changes)).toEqual(["update shop-server-1", "update shop-server-2"]);
    const ask = `${curl(addresses[0]!)} -o /dev/null -w '%{http_code}\\n' https://shop.example:8443/`;
    expect(counted(await run(client, `seq 60 | xargs -P 4 -n 1 sh -c "${ask}"`))).toEqual({ 200: 60 });
});

it("shows another certificate without refusing anybody", async () => {
    const before = await run(client, "cat /tmp/site.pem");
    const asking = await startOnHost(ids.get(client)!, [
        "bash",
        "-c",
        `while read -t 0.05 -r line; [[ $? -gt 128 ]]; do ${curl(addresses[0]!).replace("--cacert /tmp/site.pem", "-k")} -o /dev/null -w '%{http_code}\n' https://shop.example:8443/ || echo failed; done`,
    ]);
    await asking.told("200", 20);
    // The former pair goes from the state, the new one to both servers.
    expect(steps(await set({ pair: 2 }))).toEqual(["update shop-server-1", "update shop-server-2"]);
    const { code, stdout } = await asking.end();
    expect([code, Object.keys(counted(stdout.trim()))]).toEqual([0, ["200"]]);
    await trust();
    expect(await run(client, "cat /tmp/site.pem")).not.toBe(before);
    for (const address of addresses)
        expect(await run(client, `${curl(address)} -o /dev/null -w '%{http_code}' https://shop.example:8443/`)).toBe(
            "200",
        );
});

it("stands before an application: passes on who asks, ends what takes too long, and is as well as it is", async () => {
    const application = [
        "import http.server, json, time",
        "class Application(http.server.BaseHTTPRequestHandler):",
        "    def do_GET(self):",
        "        if self.path == '/slow': time.sleep(4)",
        "        body = json.dumps(dict(self.headers)).encode()",
        "        self.send_response(200)",
        "        self.send_header('X-Frame-Options', 'ALLOWALL')",
        "        self.send_header('Content-Length', str(len(body)))",
        "        self.end_headers()",
        "        self.wfile.write(body)",
        "    def log_message(self, *_): pass",
        "http.server.ThreadingHTTPServer(('', 8000), Application).serve_forever()",
    ].join("\n");
    await run(client, `cat >/tmp/application.py <<'PYTHON'\n${application}\nPYTHON`);
    await run(client, "systemd-run -q --collect --unit application python3 /tmp/application.py");
    expect(steps(await set({ upstream: true }))).toEqual(["update shop-server-1", "update shop-server-2"]);
    const address = addresses[0]!;
    const own = await run(client, "hostname -I | cut -d' ' -f1");
    const seen = JSON.parse(await run(client, `${curl(address)} https://shop.example:8443/x`)) as Record<
        string,
        string
    >;
    expect(seen).toMatchObject({
        "X-Forwarded-For": own,
        "X-Real-IP": own,
        "X-Forwarded-Proto": "https",
        Host: "shop.example:8443",
    });
    const headers = await run(client, `${curl(address)} -D - -o /dev/null https://shop.example:8443/x`);
    expect(headers.match(/x-frame-options: .*/gi)).toEqual([expect.stringMatching(/: DENY/)]);
    const status = (path: string): Promise<string> =>
        run(client, `${curl(address)} -o /dev/null -w '%{http_code}' ${path}`);
    expect(await status("https://shop.example:8443/slow")).toBe("504");
    expect(await status("http://shop.example/healthz")).toBe("200");
    await run(client, "systemctl stop application");
    expect(await status("http://shop.example/healthz")).toBe("502");
    expect(steps(await set({ upstream: false }))).toEqual(["update shop-server-1", "update shop-server-2"]);
    expect(await status("http://shop.example/healthz")).toBe("200");
});

it("is gone from a host that is taken out, which goes on with everything else, and comes back", async () => {
    // Nobody logs in to one that is alone, so its files are root's.
    expect(steps(await set({ hosts: 1 }))).toEqual(["delete shop-server-2", "update shop-server-1"]);
    await eventually("no answer", 20, async () => {
        const { code } = await onHost(ids.get(client)!, `timeout 3 bash -c '</dev/tcp/${addresses[1]!}/8443'`);
        return code !== 0 || undefined;
    });
    expect(await run("server-2", "ls /etc/nginx/conf.d /etc/nginx/multihost 2>/dev/null | grep -c shop || true")).toBe(
        "0",
    );
    expect(steps(await set({ hosts: 2 }))).toEqual(["create shop-server-2", "update shop-server-1"]);
    expect(await run(client, `${curl(addresses[1]!)} https://shop.example:8443/`)).toContain(
        "No release is served yet",
    );
    await stack.up("--expect-no-changes");
});
