import type { DesiredBalancer, DesiredListener, DesiredPool } from "../../../lab/model/desired";
import { balancerFiles, serverHealth, serverState, word } from "../../../lab/net/haproxy";

const place = { folder: "/run/b", addresses: ["198.19.0.9"] };

const pool = (changes: Partial<DesiredPool> = {}): DesiredPool => ({
    servers: [
        { id: "i-a", address: "10.0.1.5", port: 80, weight: 30 },
        { id: "i-b", address: "10.0.1.6", port: 80, weight: 0 },
    ],
    scheduler: "weighted",
    ...changes,
});
const listener = (changes: Partial<DesiredListener> = {}): DesiredListener => ({
    id: "lb/http/80",
    protocol: "http",
    port: 80,
    idleSeconds: 15,
    requestSeconds: 60,
    forwardedFor: true,
    headers: [],
    gzip: false,
    proxyProtocol: false,
    rules: [],
    pool: pool(),
    ...changes,
});
const balancer = (...listeners: DesiredListener[]): DesiredBalancer => ({
    id: "lb",
    addresses: ["127.77.0.9"],
    vpcId: "vpc",
    listeners,
});

/** Lines of a section. */
function lines(configuration: string, title: string): string[] {
    const all = configuration.split("\n");
    const begin = all.indexOf(title);
    if (begin < 0) throw new Error(`there is no ${title} in\n${configuration}`);
    const end = all.indexOf("", begin);
    return all.slice(begin + 1, end).map((line) => line.trim());
}
const section = (title: string, ...listeners: DesiredListener[]): string[] =>
    lines(balancerFiles(balancer(...listeners), place).configuration, title);

const check = { intervalSeconds: 2, timeoutSeconds: 5, healthyAfter: 3, unhealthyAfter: 4 };

test("servers have their weights, and nothing is checked that nobody asked to check", () => {
    expect(section("backend http-80", listener())).toEqual(
        expect.arrayContaining([
            "mode http",
            "balance roundrobin",
            "server 10.0.1.5:80 10.0.1.5:80 weight 30",
            "server 10.0.1.6:80 10.0.1.6:80 weight 0",
        ]),
    );
    expect(section("frontend http-80", listener())).toEqual(
        expect.arrayContaining(["bind 198.19.0.9:80", "default_backend http-80"]),
    );
});

test("without weights a server is asked or not", () => {
    expect(section("backend http-80", listener({ pool: pool({ scheduler: "equal" }) }))).toEqual(
        expect.arrayContaining(["server 10.0.1.5:80 10.0.1.5:80 weight 1", "server 10.0.1.6:80 10.0.1.6:80 weight 0"]),
    );
});

test.each(["HEAD", "GET"] as const)("a check by %s has its path, codes, port, interval and thresholds", (method) => {
    const http = { method, path: "/health?a=$b", version: "1.0" as const, host: "shop.example.com", classes: [3, 2] };
    const found = section("backend http-80", listener({ pool: pool({ check: { ...check, http, port: 8080 } }) }));
    expect(found).toEqual(
        expect.arrayContaining([
            "timeout check 5s",
            "option httpchk",
            `http-check send meth ${method} uri "/health?a=\\$b" ver HTTP/1.0 hdr Host "shop.example.com"`,
            "http-check expect rstatus ^[23]",
            "server 10.0.1.5:80 10.0.1.5:80 weight 30 check inter 2s rise 3 fall 4 port 8080",
        ]),
    );
});

test("a check by HTTP/1.1 asks each server by its address unless a host is named", () => {
    const http = { method: "HEAD", path: "/", version: "1.1", classes: [2] } as const;
    expect(section("backend http-80", listener({ pool: pool({ check: { ...check, http } }) }))).toContain(
        'http-check send meth HEAD uri "/" ver HTTP/1.1 hdr Host %[srv_name,field(1,:)]',
    );
});

test.each([
    [{ kind: "insert", seconds: 60 } as const, "cookie SERVERID insert indirect nocache maxlife 60s", true],
    [{ kind: "rewrite", cookie: "JSESSIONID" } as const, 'cookie "JSESSIONID" rewrite', true],
    [{ kind: "source", seconds: 30 } as const, "stick-table type ip size 100k expire 30s peers own", false],
])("stickiness %j", (stickiness, expected, cookies) => {
    const servers = pool().servers.map((server) => ({ ...server, weight: 30 }));
    const found = section("backend http-80", listener({ pool: pool({ stickiness, servers }) }));
    expect(found).toContain(expected);
    const names = found.filter((line) => line.startsWith("server")).map((line) => / cookie (\w{32})$/.exec(line)?.[1]);
    expect(new Set(names).size).toBe(cookies ? 2 : 1);
});

test.each([{ kind: "insert", seconds: 60 } as const, { kind: "rewrite", cookie: "JSESSIONID" } as const])(
    "no cookie leads to a server of weight 0: %j",
    (stickiness) => {
        const servers = section("backend http-80", listener({ pool: pool({ stickiness }) })).filter((line) =>
            line.startsWith("server"),
        );
        expect(servers.map((line) => line.includes(" cookie "))).toEqual([true, false]);
    },
);

test("a client's address leads to no server of weight 0, and to the same server in the next configuration", () => {
    const stickiness = { kind: "source", seconds: 30 } as const;
    const found = (servers: DesiredPool["servers"]): string[] =>
        section("backend http-80", listener({ pool: pool({ stickiness, servers }) }));
    const [serving, drained] = pool().servers as [DesiredPool["servers"][0], DesiredPool["servers"][0]];
    const lines = found([serving, drained]);
    const number = /^server 10\.0\.1\.6:80 10\.0\.1\.6:80 weight 0 id (\d+)$/m.exec(lines.join("\n"))?.[1];
    expect(lines).toEqual(
        expect.arrayContaining([
            `acl drained src,table_server_id(http-80) -m int ${number}`,
            "stick match src unless drained",
            "stick store-request src",
        ]),
    );
    const later = found([{ ...drained, weight: 30 }]);
    expect(later).toEqual(
        expect.arrayContaining(["stick match src", `server 10.0.1.6:80 10.0.1.6:80 weight 30 id ${number}`]),
    );
});

test("the client's address stands behind those that its request names, in the same line", () => {
    const forwarded = (one: DesiredListener): string[] =>
        section("frontend http-80", one).filter((line) => line.includes("X-Forwarded-For"));
    expect(forwarded(listener())).toEqual([
        'http-request replace-header X-Forwarded-For (.*) "\\1, %[src]" if { req.fhdr_cnt(X-Forwarded-For) eq 1 }',
        "http-request add-header X-Forwarded-For %[src] unless { req.fhdr_cnt(X-Forwarded-For) eq 1 }",
    ]);
    expect(forwarded(listener({ forwardedFor: false }))).toEqual([]);
});

test("a hash of the connection tells the ports of one client apart, one of the source does not", () => {
    const hashed = (scheduler: DesiredPool["scheduler"]): string[] => {
        const tcp = listener({ id: "lb/tcp/80", protocol: "tcp", pool: pool({ scheduler }) });
        return [...section("frontend tcp-80", tcp), ...section("backend tcp-80", tcp)].filter((line) =>
            /set-var|balance/.test(line),
        );
    };
    expect(hashed("connectionHash")).toEqual([
        "tcp-request connection set-var(sess.port) src_port",
        "balance hash src,concat(:,sess.port)",
    ]);
    expect(hashed("sourceHash")).toEqual(["balance source"]);
});

test("a server that takes no connection is answered for as the product does, and none that serves with 503", () => {
    const status = (changes: Partial<DesiredListener>): boolean =>
        section("backend http-80", listener(changes)).some((line) => line.includes("set-status 502"));
    expect(status({ badGateway: true })).toBe(true);
    expect(status({})).toBe(false);
    const drained = pool().servers.filter(({ weight }) => weight === 0);
    expect(status({ badGateway: true, pool: pool({ servers: drained }) })).toBe(false);
});

test("large headers fit in", () => {
    expect(section("global", listener())).toContain("tune.bufsize 131072");
});

test("slow readers are noticed to read, on both sides", () => {
    expect(section("global", listener())).toEqual(
        expect.arrayContaining(["tune.sndbuf.client 131072", "tune.sndbuf.server 131072"]),
    );
});

test("no deadline cuts connections that a former process goes on with", () => {
    expect(section("global", listener()).join("\n")).not.toContain("hard-stop-after");
});

test("no line has more words than HAProxy reads, however many servers are drained", () => {
    const servers = Array.from({ length: 100 }, (_, index) => ({
        ...{ id: `i-${index}`, address: `10.0.1.${index + 1}`, port: 80, weight: 0 },
    }));
    const stickiness = { kind: "source", seconds: 30 } as const;
    const found = section("backend http-80", listener({ pool: pool({ stickiness, servers }) }));
    expect(found.filter((line) => line.startsWith("acl drained "))).toHaveLength(3);
    expect(Math.max(...found.map((line) => line.split(" ").length))).toBeLessThanOrEqual(64);
});

test("an access list lets in those it names, or all others; an empty one restricts nobody", () => {
    const access = (kind: "allow" | "deny", cidrs: readonly string[]): string[] =>
        section("frontend http-80", listener({ access: { kind, cidrs } })).filter((line) => /acl|reject/.test(line));
    expect(access("allow", ["10.0.0.0/8", "1.2.3.4"])).toEqual([
        "acl listed src 10.0.0.0/8",
        "acl listed src 1.2.3.4",
        "tcp-request connection reject unless listed",
    ]);
    expect(access("deny", ["1.2.3.4"])).toContain("tcp-request connection reject if listed");
    expect(access("allow", [])).toEqual([]);
    // A host's EIP arrives as the address that travels in its place.
    expect(access("allow", ["127.77.0.9"])).toContain("acl listed src 198.19.0.9");
});

test("a redirect answers by itself, on the port of the listener that it leads to", () => {
    const to = (port: number): string[] =>
        section("frontend http-80", listener({ redirect: { protocol: "https", port, code: 301 } }));
    expect(to(443)).toContain(
        "http-request redirect location https://%[req.hdr(host),regsub(:[0-9]*$,)]%[pathq] code 301",
    );
    expect(to(8443)).toContain(
        "http-request redirect location https://%[req.hdr(host),regsub(:[0-9]*$,)]:8443%[pathq] code 301",
    );
    expect(
        balancerFiles(balancer(listener({ redirect: { protocol: "https", port: 443, code: 301 } })), place)
            .configuration,
    ).not.toContain("backend http-80");
});

test("a certificate stands in a file of its own, and another one is another configuration", () => {
    const https = (certificate: string) =>
        balancerFiles(
            balancer(
                listener({
                    protocol: "https",
                    port: 443,
                    tls: { certificate, minimum: "TLSv1.2", maximum: "TLSv1.3", alpn: ["h2", "http/1.1"] },
                }),
            ),
            place,
        );
    const one = https("PEM ONE");
    expect([...one.certificates.values()]).toEqual(["PEM ONE"]);
    expect(one.configuration).not.toContain("PEM ONE");
    expect(lines(one.configuration, "frontend https-443").find((line) => line.startsWith("bind"))).toBe(
        `bind 198.19.0.9:443 ssl crt /run/b/${[...one.certificates.keys()][0]!} ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.3 alpn h2,http/1.1`,
    );
    expect(https("PEM TWO").configuration).not.toBe(one.configuration);
});

test("protocols within TLS are offered in their order, or none is", () => {
    const bind = (alpn: string[]): string | undefined =>
        section(
            "frontend tcp-443",
            listener({
                protocol: "tcp",
                port: 443,
                tls: { certificate: "PEM", minimum: "TLSv1.2", maximum: "TLSv1.2", alpn },
            }),
        ).find((line) => line.startsWith("bind"));
    expect(bind(["http/1.1", "http/1.0", "h2"])).toMatch(/ alpn http\/1\.1,http\/1\.0,h2$/);
    expect(bind([])).not.toContain("alpn");
});

test("rules lead to pools of their own, by domain and path", () => {
    const rule = (id: string, domains: string[], paths: string[]) => ({ id, domains, paths, pool: pool() });
    const rules = [
        rule("r1", ["Shop.example.com"], ["/api*", "/v1/*/item"]),
        rule("r2", ["*-old.example.com"], []),
        rule("r3", [], ["/x#y"]),
    ];
    const found = section("frontend http-80", listener({ rules })).filter((line) => line.includes("txn.rule"));
    expect(found).toEqual([
        'http-request set-var(txn.rule) str(r3) if { path -m str -- "/x#y" }',
        'http-request set-var(txn.rule) str(r2) if { req.hdr(host),regsub(:[0-9]*$,),lower -m end -- "-old.example.com" }',
        'http-request set-var(txn.rule) str(r1) if { req.hdr(host),regsub(:[0-9]*$,),lower -m str -- "shop.example.com" } { path -m beg -- "/api" }',
        'http-request set-var(txn.rule) str(r1) if { req.hdr(host),regsub(:[0-9]*$,),lower -m str -- "shop.example.com" } { path -m reg -- "^/v1/.*/item\\$" }',
        "use_backend http-80-r1 if { var(txn.rule) -m str r1 }",
        "use_backend http-80-r2 if { var(txn.rule) -m str r2 }",
        "use_backend http-80-r3 if { var(txn.rule) -m str r3 }",
    ]);
    expect(section("backend http-80-r2", listener({ rules }))).toContain("mode http");
});

test("a rule may redirect what it is about, and has no servers then", () => {
    const rules = [
        {
            id: "r1",
            domains: [],
            paths: ["/"],
            redirect: { protocol: "http" as const, host: "b", port: 80, code: 302 },
        },
    ];
    expect(section("frontend http-80", listener({ rules }))).toContain(
        "http-request redirect location http://b%[pathq] code 302 if { var(txn.rule) -m str r1 }",
    );
    expect(balancerFiles(balancer(listener({ rules })), place).configuration).not.toContain("backend http-80-r1");
});

test("a server that the process before did not know starts without traffic; others stay as they are", () => {
    const checked = balancer(listener({ pool: pool({ check }) }));
    const known = "1\n# head\n3 http-80 1 10.0.1.5:80 10.0.1.5 2 0 30 30 9 15 3 5 6 0 0 0 - 80 - 0 0 - - 0\n";
    const states = serverState(checked, known)
        .split("\n")
        .slice(2, -1)
        .map((line) => line.split(" "))
        .map((fields) => [fields[1], fields[3], fields[5]]);
    expect(states).toEqual([
        ["http-80", "10.0.1.5:80", "2"],
        ["http-80", "10.0.1.6:80", "0"],
    ]);
    expect(serverState(balancer(listener()), known).split("\n")).toHaveLength(3);
});

test("a server that its group has already found healthy starts so wherever the group is checked alike", () => {
    const known = "1\n# head\n3 http-80 1 10.0.1.5:80 10.0.1.5 2 0 30 30 9 15 3 5 6 0 0 0 - 80 - 0 0 - - 0\n";
    const stateOf = (rule: Partial<DesiredPool>): string | undefined => {
        const rules = [{ id: "r1", domains: [], paths: [], pool: pool({ check, groupId: "g", ...rule }) }];
        const one = balancer(listener({ rules, pool: pool({ check, groupId: "g" }) }));
        return serverState(one, known)
            .split("\n")
            .find((line) => line.includes("http-80-r1 0 10.0.1.5:80"));
    };
    expect(stateOf({})).toBe("0 http-80-r1 0 10.0.1.5:80 10.0.1.5 2 0 30 30 9 15 3 5 6 0 0 0 - 80 - 0 0 - - 0");
    expect(stateOf({ groupId: "h" })).toMatch(/ 10\.0\.1\.5 0 0 30 /);
    expect(stateOf({ check: { ...check, port: 8080 } })).toMatch(/ 10\.0\.1\.5 0 0 30 /);
});

test("a pool that opens gives requests to all of its servers while its checks leave none", () => {
    const open = pool({ check, open: true, stickiness: { kind: "insert", seconds: 60 } });
    const rules = [{ id: "r1", domains: [], paths: ["/a"], pool: open }];
    const found = section("frontend http-80", listener({ rules, pool: open })).filter((line) =>
        line.includes(" http-80"),
    );
    expect(found).toEqual([
        "use_backend http-80-r1-open if { var(txn.rule) -m str r1 } { nbsrv(http-80-r1) eq 0 }",
        "use_backend http-80-r1 if { var(txn.rule) -m str r1 }",
        "use_backend http-80-open if { nbsrv(http-80) eq 0 }",
        "default_backend http-80",
    ]);
    const usual = section("backend http-80", listener({ pool: open }));
    const opened = section("backend http-80-open", listener({ pool: open }));
    expect(usual.join("\n")).toContain(" check inter ");
    expect(opened).toEqual(
        usual
            .filter((line) => !line.startsWith("timeout check"))
            .map((line) => line.replace(" check inter 2s rise 3 fall 4", "")),
    );
    expect(serverState(balancer(listener({ pool: open })), "")).not.toContain("-open");
});

test("others give requests to nobody then, and one without checks always has its servers", () => {
    for (const closed of [pool({ check }), pool({ open: true })])
        expect(balancerFiles(balancer(listener({ pool: closed })), place).configuration).not.toContain("-open");
});

test("health is what the statistics say", () => {
    const header = "# pxname,svname,qcur,status,weight";
    const rows = ["http-80,FRONTEND,,OPEN,", "http-80,10.0.1.5:80,0,UP 1/3,30", "http-80,10.0.1.6:80,0,DOWN,0"];
    const health = serverHealth(balancer(listener()), [header, ...rows].join("\n"));
    expect(health).toEqual([
        { listenerId: "lb/http/80", address: "10.0.1.5", port: 80, health: "up" },
        { listenerId: "lb/http/80", address: "10.0.1.6", port: 80, health: "down" },
    ]);
    expect(serverHealth(balancer(listener()), "")).toEqual([]);
});

test("words keep their meaning whatever they hold", () => {
    expect(word('a "b" $c \\d #e')).toBe('"a \\"b\\" \\$c \\\\d #e"');
});
