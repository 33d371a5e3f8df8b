/** From a balancer as it should be to what HAProxy reads, and from what HAProxy says to how servers are. Pure. */
import { createHash } from "node:crypto";
import type {
    DesiredBalancer,
    DesiredCheck,
    DesiredForwarding,
    DesiredListener,
    DesiredPool,
    DesiredRedirect,
    DesiredServer,
    HeaderValue,
    ServerHealth,
} from "../model/desired";
import { withTwins } from "./addresses";

/** The balancer's name among its own peers: a new process takes the table of clients over from the one before it. */
export const PEER = "balancer";
const PEER_PORT = 10000;

/**
 * What OpenSSL reads for HAProxy. The cloud takes keys of 1024 bits, which OpenSSL refuses unless told, and HAProxy loads
 * certificates before it reads what its own configuration says of ciphers.
 */
export const tlsConfiguration = `openssl_conf = all
[all]
ssl_conf = tls
[tls]
system_default = balancers
[balancers]
CipherString = DEFAULT@SECLEVEL=0
`;

/** Where a balancer's files are, and at which addresses it listens. */
export interface BalancerPlace {
    readonly folder: string;
    readonly addresses: readonly string[];
}

/** What HAProxy reads. */
export interface BalancerFiles {
    readonly configuration: string;
    /** Certificates by file name, which is made of their content: a new one is a new configuration. */
    readonly certificates: ReadonlyMap<string, string>;
}

export function socketOf(folder: string): string {
    return `${folder}/control`;
}

export function stateFileOf(folder: string): string {
    return `${folder}/servers`;
}

/** A pool with the name of its backend. */
interface NamedPool {
    readonly name: string;
    readonly listener: DesiredListener;
    readonly pool: DesiredPool;
}

function nameOf({ protocol, port }: DesiredListener): string {
    return `${protocol}-${port}`;
}

function poolsOf(listener: DesiredListener): NamedPool[] {
    if (listener.redirect) return [];
    const name = nameOf(listener);
    return [
        ...listener.rules.flatMap((rule) =>
            "pool" in rule ? [{ name: `${name}-${rule.id}`, listener, pool: rule.pool }] : [],
        ),
        { name, listener, pool: listener.pool },
    ];
}

/** A server's name is its place, under which it is found again in the next configuration and in the statistics. */
function serverName({ address, port }: DesiredServer): string {
    return `${address}:${port}`;
}

/** Servers with a name of their own: a host that a pool names twice is one server. */
function distinct(servers: readonly DesiredServer[]): DesiredServer[] {
    return [...new Map(servers.map((server) => [serverName(server), server])).values()];
}

/** The configuration of a balancer that has listeners. */
export function balancerFiles(balancer: DesiredBalancer, place: BalancerPlace): BalancerFiles {
    const certificates = new Map<string, string>();
    const store = (pem: string): string => {
        const file = `${createHash("sha256").update(pem).digest("hex").slice(0, 16)}.pem`;
        certificates.set(file, pem);
        return `${place.folder}/${file}`;
    };
    const configuration = [
        section("global", [
            "nbthread 1",
            // Some 400 MiB of buffers if all are busy at once; an idle one has none.
            "maxconn 1600",
            // The cloud takes a URI and headers of 32 KiB each.
            "tune.bufsize 131072",
            // Of a full socket the kernel tells when a third is free. Of the megabytes that it would grow to, a slow
            // reader frees so much too rarely not to be taken for gone.
            "tune.sndbuf.client 131072",
            "tune.sndbuf.server 131072",
            // A listener in use is handed to the next process, so that no client finds the door closed.
            `stats socket ${socketOf(place.folder)} mode 600 level admin expose-fd listeners`,
            `server-state-file ${stateFileOf(place.folder)}`,
            "tune.ssl.default-dh-param 2048",
        ]),
        section("defaults", [
            // A client of the lab shall see each failure that one of the cloud's would.
            "retries 0",
            "timeout connect 5s",
            "load-server-state-from-file global",
        ]),
        section("peers own", [`peer ${PEER} 127.0.0.1:${PEER_PORT}`]),
        ...balancer.listeners.flatMap((listener) => [
            frontend(listener, place, store),
            ...poolsOf(listener).flatMap(backends),
        ]),
    ].join("\n");
    return { configuration, certificates };
}

function section(title: string, lines: readonly string[]): string {
    return [title, ...lines.map((line) => `    ${line}`), ""].join("\n");
}

/** A word of the configuration, whatever it holds. */
export function word(text: string): string {
    return `"${text.replace(/["\\$]/g, "\\$&")}"`;
}

function isWeb({ protocol }: DesiredListener): boolean {
    return protocol === "http" || protocol === "https";
}

function frontend(listener: DesiredListener, { addresses }: BalancerPlace, store: (pem: string) => string): string {
    const name = nameOf(listener);
    return section(`frontend ${name}`, [
        isWeb(listener) ? "mode http" : "mode tcp",
        `bind ${addresses.map((address) => `${address}:${listener.port}`).join(",")}${binding(listener, store)}`,
        `timeout client ${listener.idleSeconds}s`,
        ...access(listener),
        ...(listener.pool.scheduler === "connectionHash" ? ["tcp-request connection set-var(sess.port) src_port"] : []),
        ...(isWeb(listener) ? webFrontend(listener) : []),
        ...(listener.redirect ? [] : choices(name, listener.pool, [])),
    ]);
}

function binding(listener: DesiredListener, store: (pem: string) => string): string {
    const { tls } = listener;
    if (!tls) return "";
    return [
        "",
        `ssl crt ${store(tls.certificate)}`,
        `ssl-min-ver ${tls.minimum} ssl-max-ver ${tls.maximum}`,
        // Old versions of TLS sign with SHA-1, which OpenSSL refuses unless told.
        ...(tls.minimum === "TLSv1.2" ? [] : ["ciphers DEFAULT@SECLEVEL=0"]),
        ...(tls.alpn.length > 0 ? [`alpn ${tls.alpn.join(",")}`] : []),
        ...(tls.clientAuthority === undefined ? [] : [`ca-file ${store(tls.clientAuthority)} verify required`]),
    ].join(" ");
}

/** A list without entries restricts nobody, as in the cloud. */
function access({ access: list }: DesiredListener): string[] {
    if (!list || list.cidrs.length === 0) return [];
    return [
        ...withTwins(list.cidrs).map((cidr) => `acl listed src ${cidr}`),
        `tcp-request connection reject ${list.kind === "allow" ? "unless" : "if"} listed`,
    ];
}

/** The client after those whom its request names already, in their line; several lines get one more. */
const forwardedFor: readonly string[] = [
    'http-request replace-header X-Forwarded-For (.*) "\\1, %[src]" if { req.fhdr_cnt(X-Forwarded-For) eq 1 }',
    "http-request add-header X-Forwarded-For %[src] unless { req.fhdr_cnt(X-Forwarded-For) eq 1 }",
];

function webFrontend(listener: DesiredListener): string[] {
    const { redirect, idleSeconds, headers, gzip, rules } = listener;
    const seconds = `${idleSeconds}s`;
    if (redirect) return [`timeout http-request ${seconds}`, redirection(redirect)];
    return [
        `timeout http-request ${seconds}`,
        `timeout http-keep-alive ${seconds}`,
        ...(listener.forwardedFor ? forwardedFor : []),
        // A client that keeps its connection is told of the end of this process with an answer, not instead of one.
        "option idle-close-on-response",
        ...headers.map(({ name, value }) => `http-request set-header ${name} ${headerText(listener, value)}`),
        ...(gzip
            ? [
                  "compression algo gzip",
                  "compression type text/html text/xml text/plain text/css application/javascript application/x-javascript application/rss+xml application/atom+xml application/xml application/json",
              ]
            : []),
        // The last word is the first rule's: HAProxy redirects before it forwards, whatever the order.
        ...[...rules].reverse().flatMap(ruleChoice),
        ...rules.flatMap((rule) => {
            const chosen = `{ var(txn.rule) -m str ${rule.id} }`;
            return "pool" in rule
                ? choices(`${nameOf(listener)}-${rule.id}`, rule.pool, [chosen])
                : [`${redirection(rule.redirect)} if ${chosen}`];
        }),
    ];
}

/**
 * Chooses a pool's backend, or the one that asks no checks when they leave nobody.
 * @param conditions all of which must hold; what is chosen without any is for the rest
 */
function choices(name: string, pool: DesiredPool, conditions: readonly string[]): string[] {
    const choice = (backendName: string, all: readonly string[]): string =>
        all.length === 0 ? `default_backend ${backendName}` : `use_backend ${backendName} if ${all.join(" ")}`;
    return [
        ...(opens(pool) ? [choice(openName(name), [...conditions, `{ nbsrv(${name}) eq 0 }`])] : []),
        choice(name, conditions),
    ];
}

function opens({ open = false, check }: DesiredPool): boolean {
    return open && check !== undefined;
}

function openName(name: string): string {
    return `${name}-open`;
}

/** The name that a client asked for, without its port. HAProxy 2.4 has no word for that of its own. */
const HOST = "req.hdr(host),regsub(:[0-9]*$,)";

function redirection({ protocol, host = `%[${HOST}]`, port, code }: DesiredRedirect): string {
    const usual = port === (protocol === "https" ? 443 : 80);
    return `http-request redirect location ${protocol}://${host}${usual ? "" : `:${port}`}%[pathq] code ${code}`;
}

/** Remembers a rule for the requests that it is about. */
function ruleChoice({ id, domains, paths }: DesiredForwarding): string[] {
    const hosts = domains.map((domain) => ` { ${HOST},lower ${match(domain.toLowerCase())} }`);
    const places = paths.map((path) => ` { path ${match(path)} }`);
    return (hosts.length === 0 ? [""] : hosts).flatMap((host) =>
        (places.length === 0 ? [""] : places).map((place) => {
            const condition = `${host}${place}`;
            return `http-request set-var(txn.rule) str(${id})${condition === "" ? "" : ` if${condition}`}`;
        }),
    );
}

function headerText({ protocol, port }: DesiredListener, value: HeaderValue): string {
    switch (value.kind) {
        case "text":
            return word(value.text);
        case "protocol":
            return protocol;
        case "port":
            return String(port);
        case "clientPort":
            return "%[src_port]";
    }
}

/** How HAProxy finds a text in which `*` stands for anything, and which may begin like one of its options. */
function match(pattern: string): string {
    if (!pattern.includes("*")) return `-m str -- ${word(pattern)}`;
    if (pattern.indexOf("*") === pattern.length - 1) return `-m beg -- ${word(pattern.slice(0, -1))}`;
    if (pattern.lastIndexOf("*") === 0) return `-m end -- ${word(pattern.slice(1))}`;
    const expression = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    return `-m reg -- ${word(`^${expression.join(".*")}$`)}`;
}

function backends(named: NamedPool): string[] {
    const { name, listener, pool } = named;
    const { servers, scheduler, stickiness } = pool;
    const unchecked = { servers, scheduler, ...(stickiness && { stickiness }) };
    return [backend(named), ...(opens(pool) ? [backend({ name: openName(name), listener, pool: unchecked })] : [])];
}

function backend({ name, listener, pool }: NamedPool): string {
    const { check, stickiness, scheduler } = pool;
    const servers = distinct(pool.servers);
    return section(`backend ${name}`, [
        ...(isWeb(listener) ? ["mode http", "option http-server-close", "http-reuse never"] : ["mode tcp"]),
        `timeout server ${listener.requestSeconds}s`,
        ...(listener.badGateway && servers.some((server) => !isDrained(server)) ? badGateway : []),
        ...schedule(scheduler),
        ...stick(name, stickiness, servers),
        ...(check ? checking(check) : []),
        ...servers.map((server) => serverLine(server, listener, pool)),
    ]);
}

/** For HAProxy a server that takes no connection is one that is not there. What a server answered itself stays. */
const badGateway: readonly string[] = [
    "http-response set-var(txn.answered) bool(true)",
    "http-after-response set-status 502 if { status 503 } !{ var(txn.answered) -m found }",
    'http-error status 503 content-type text/html string "<html><body><h1>502 Bad Gateway</h1></body></html>"',
];

function schedule(scheduler: DesiredPool["scheduler"]): string[] {
    switch (scheduler) {
        case "weighted":
        case "equal":
            return ["balance roundrobin"];
        case "leastConnections":
            return ["balance leastconn"];
        case "sourceHash":
            return ["balance source", "hash-type consistent"];
        case "connectionHash":
            return ["balance hash src,concat(:,sess.port)", "hash-type consistent"];
    }
}

/** HAProxy keeps clients with their server also when that has a weight of 0; in the cloud it gets none of their requests any more. */
function stick(
    backendName: string,
    stickiness: DesiredPool["stickiness"],
    servers: readonly DesiredServer[],
): string[] {
    switch (stickiness?.kind) {
        case undefined:
            return [];
        case "insert":
            return [`cookie SERVERID insert indirect nocache maxlife ${stickiness.seconds}s`];
        case "rewrite":
            return [`cookie ${word(stickiness.cookie)} rewrite`];
        case "source": {
            const drained = servers.filter(isDrained).map((server) => serverNumber(serverName(server)));
            return [
                `stick-table type ip size 100k expire ${stickiness.seconds}s peers own`,
                ...inParts(drained, NUMBERS_PER_LINE).map(
                    (numbers) => `acl drained src,table_server_id(${backendName}) -m int ${numbers.join(" ")}`,
                ),
                `stick match src${drained.length === 0 ? "" : " unless drained"}`,
                "stick store-request src",
            ];
        }
    }
}

/** HAProxy reads 64 words of a line. */
const NUMBERS_PER_LINE = 40;

function inParts<T>(all: readonly T[], size: number): T[][] {
    return Array.from({ length: Math.ceil(all.length / size) }, (_, part) => all.slice(part * size, (part + 1) * size));
}

function isDrained({ weight }: DesiredServer): boolean {
    return weight === 0;
}

/** A server's number in a table of clients, which the next process takes over: the same in both, whatever servers came and went. */
function serverNumber(name: string): number {
    return (createHash("sha256").update(name).digest().readUInt32BE() >>> 1) + 1;
}

/** Of a server's name, which is its place. */
const SERVER_ADDRESS = "%[srv_name,field(1,:)]";

function checking({ http, timeoutSeconds }: DesiredCheck): string[] {
    return [
        `timeout check ${timeoutSeconds}s`,
        ...(http
            ? [
                  "option httpchk",
                  `http-check send meth ${http.method} uri ${word(http.path)} ver HTTP/${http.version} hdr Host ${http.host === undefined ? SERVER_ADDRESS : word(http.host)}`,
                  `http-check expect rstatus ^[${[...http.classes].sort().join("")}]`,
              ]
            : []),
    ];
}

function serverLine(server: DesiredServer, listener: DesiredListener, { scheduler, check, stickiness }: DesiredPool) {
    const name = serverName(server);
    const weight = scheduler === "equal" ? Math.min(server.weight, 1) : server.weight;
    // Without one, no client's cookie leads to it.
    const cookie = (stickiness?.kind === "insert" || stickiness?.kind === "rewrite") && !isDrained(server);
    return [
        `server ${name} ${name} weight ${weight}`,
        ...(stickiness?.kind === "source" ? [`id ${serverNumber(name)}`] : []),
        ...(check
            ? [
                  `check inter ${check.intervalSeconds}s rise ${check.healthyAfter} fall ${check.unhealthyAfter}`,
                  ...(check.port === undefined ? [] : [`port ${check.port}`]),
                  // With the header that the traffic carries a check would be one, which servers count on.
                  ...(listener.proxyProtocol ? ["check-send-proxy"] : []),
              ]
            : []),
        ...(listener.proxyProtocol ? ["send-proxy-v2"] : []),
        ...(cookie ? [`cookie ${createHash("sha256").update(name).digest("hex").slice(0, 32)}`] : []),
    ].join(" ");
}

const STATE_VERSION = "1";
const STATE_FIELDS =
    "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port";

/**
 * How the servers of a configuration are when it comes into force. Those that are known stay as they are; one that is
 * new gets no traffic before its checks said that it is healthy, which is the cloud's way and not HAProxy's.
 * @param known answer of `show servers state` of the process before; empty without one.
 */
export function serverState(balancer: DesiredBalancer, known: string): string {
    const lines = new Map(
        known
            .split("\n")
            .map((line) => line.split(" "))
            .filter((fields) => fields.length > 20)
            .map((fields) => [`${fields[1]!} ${fields[3]!}`, fields]),
    );
    const places = balancer.listeners.flatMap(poolsOf).flatMap(({ name, pool }) =>
        // Without a check nothing would ever bring back a server that is entered as down.
        pool.check === undefined ? [] : distinct(pool.servers).map((server) => ({ name, pool, server })),
    );
    // What a check found of a group's server holds wherever the group is checked like that.
    const finding = ({ pool, server }: (typeof places)[number]): string =>
        JSON.stringify([pool.groupId, pool.check, server.address, server.port]);
    const found = new Map(
        places.flatMap((place) => {
            const fields = lines.get(`${place.name} ${serverName(place.server)}`);
            return fields && place.pool.groupId !== undefined ? [[finding(place), fields] as const] : [];
        }),
    );
    const states = places.map((place) => {
        const { name, server } = place;
        const own = lines.get(`${name} ${serverName(server)}`);
        const elsewhere = found.get(finding(place));
        if (own) return own.join(" ");
        if (elsewhere) return ["0", name, "0", ...elsewhere.slice(3)].join(" ");
        return `0 ${name} 0 ${serverName(server)} ${server.address} 0 0 ${server.weight} ${server.weight} 0 8 2 0 6 0 0 0 - ${server.port} - 0 0 - - 0`;
    });
    return `${[STATE_VERSION, `# ${STATE_FIELDS}`, ...states].join("\n")}\n`;
}

/** How servers are. @param statistics answer of `show stat`. */
export function serverHealth(balancer: DesiredBalancer, statistics: string): ServerHealth[] {
    const rows = statistics.split("\n").map((line) => line.split(","));
    const column = rows[0]?.indexOf("status") ?? -1;
    const states = new Map(rows.map((row) => [`${row[0] ?? ""} ${row[1] ?? ""}`, row[column] ?? ""]));
    return balancer.listeners.flatMap(poolsOf).flatMap(({ name, listener, pool }) =>
        distinct(pool.servers).flatMap((server) => {
            const state = states.get(`${name} ${serverName(server)}`);
            if (state === undefined) return [];
            return [
                {
                    listenerId: listener.id,
                    address: server.address,
                    port: server.port,
                    health: state === "no check" ? "unchecked" : /^(UP|DRAIN|NOLB)/.test(state) ? "up" : "down",
                },
            ];
        }),
    );
}
