/** What is asked about names and balancers, and from which hosts, by the stack's state. */
import { execFileSync } from "node:child_process";
import { examine, type Remote } from "../../../doctor/examine";
import { type Finding, readObservation } from "../../../doctor/findings";
import { type Inventory, readInventory } from "../../../doctor/inventory";

const SECRET = "4dabf18193072939515e22adb298388d";
const entry = "urn:pulumi:dev::p::multihost:loadBalancer:LoadBalancer::entry";

function resource(type: string, id: string, outputs: object, more: object = {}): object {
    return { urn: `urn:pulumi:dev::p::alicloud:${type}::${id}`, type: `alicloud:${type}`, id, outputs, ...more };
}

/** A host with its machine, in a VSwitch `sw-…`; without one it is another program's. */
function host(name: string, address: string, vswitchId?: string, user = "root"): object[] {
    return [
        {
            urn: `urn:pulumi:dev::p::command:remote:Command::${name}-ready`,
            type: "command:remote:Command",
            inputs: {
                create: "STEP=host/ready@12345678 bash --norc -s",
                stdin: { [SECRET]: "x", plaintext: JSON.stringify("STEP_SOURCES=''") },
                connection: { host: address, user },
                triggers: [`i-${name}`],
            },
        },
        ...(vswitchId === undefined
            ? []
            : [resource("ecs/instance:Instance", `i-${name}`, { privateIp: address, vswitchId })]),
    ];
}

const switches = [
    resource("vpc/switch:Switch", "sw-a", { vpcId: "vpc-1" }),
    resource("vpc/switch:Switch", "sw-other", { vpcId: "vpc-2" }),
];
const record = (rr: string, value: string, zoneId = "z-1", more: object = {}): object =>
    resource("pvtz/zoneRecord:ZoneRecord", `${rr}-${value}`, { zoneId, rr, value, type: "A", ...more });
const zone = (id: string, zoneName: string, ...vpcIds: string[]): object[] => [
    resource("pvtz/zone:Zone", id, { zoneName }),
    resource("pvtz/zoneAttachment:ZoneAttachment", `at-${id}`, { zoneId: id, vpcIds }),
];

const inventoryOf = (...resources: readonly unknown[]): Inventory =>
    readInventory({ deployment: { resources: [...switches, ...resources.flat(2)] } });
const param = (command: string, name: string): string | undefined =>
    new RegExp(`PARAM_${name}='([^']*)'`).exec(command)?.[1];
/** Every host that would be asked, with a parameter. */
const asked = ({ probes }: Inventory, name: string): [string, string | undefined][] =>
    probes.flatMap(({ from }) =>
        from.map((one): [string, string | undefined] => [one.host?.name ?? "(here)", param(one.command, name)]),
    );
const details = (findings: readonly Finding[], service: string): string[] =>
    findings.filter((one) => one.service === service).map(({ status, detail }) => `${status}: ${detail}`);

describe("names", () => {
    const names = [
        zone("z-1", "internal", "vpc-1"),
        record("db", "10.0.0.9"),
        record("db", "10.0.0.10"),
        record("@", "10.0.0.1"),
        record("*.eu", "10.0.0.2"),
        record("off", "10.0.0.3", "z-1", { status: "DISABLE" }),
        record("alias", "x.example.com", "z-1", { type: "CNAME" }),
    ];

    test("are asked from every host of the VPCs that know them, all at once", () => {
        const inventory = inventoryOf(
            host("b", "10.0.0.2", "sw-a", "ops"),
            host("a", "10.0.0.1", "sw-a"),
            host("elsewhere", "10.1.0.1", "sw-other"),
            host("existing", "10.0.0.8"),
            names,
        );
        const all = "db.internal=10.0.0.9,10.0.0.10 internal=10.0.0.1 *.eu.internal=10.0.0.2";
        expect(asked(inventory, "NAMES")).toEqual([
            ["a", all],
            ["b", all],
        ]);
        expect(asked(inventory, "ZONES")).toEqual([
            ["a", "internal"],
            ["b", "internal"],
        ]);
        expect(details(inventory.findings, "dns")).toEqual([]);
    });

    test("are skipped with a word where no host is known to stand in a VPC that knows them", () => {
        const inventory = inventoryOf(host("existing", "10.0.0.8"), host("other", "10.1.0.1", "sw-other"), names);
        expect(inventory.probes).toEqual([]);
        expect(details(inventory.findings, "dns")).toEqual([
            "skipped: internal: no host of the stack is known to stand in a VPC that it is bound to",
        ]);
    });

    const two = inventoryOf(host("a", "10.0.0.1", "sw-a"), host("b", "10.0.0.2", "sw-a"), names);
    const says =
        (texts: Readonly<Record<string, string | undefined>>): Remote =>
        async (connection, { text }, { line }) => {
            const said = texts[connection.host];
            if (said === undefined) throw new Error("timed out");
            if (text.includes("STEP=doctor/dns/names@"))
                line(JSON.stringify({ check: "names", status: said === "" ? "ok" : "failed", detail: said }));
            return 0;
        };
    const found = async (texts: Readonly<Record<string, string | undefined>>): Promise<string[]> =>
        (await examine(two, says(texts)))
            .filter(({ service }) => service === "dns")
            .map(({ host: on, step, status, detail }) => `${on ?? "-"} ${String(step)} ${status} ${detail}`)
            .sort();

    test("that every host finds wrong are one finding, and what a single one finds is that host's", async () => {
        expect(await found({ "10.0.0.1": "db", "10.0.0.2": "db" })).toEqual(["- null failed db"]);
        expect(await found({ "10.0.0.1": "db", "10.0.0.2": "" })).toEqual(["a null failed db", "b null ok "]);
    });

    test("a host that takes no login is skipped, and its neighbour speaks for itself", async () => {
        expect(await found({ "10.0.0.2": "db" })).toEqual([
            "a null skipped not examined: no login to the host",
            "b null failed db",
        ]);
    });
});

const hosts = [
    host("node", "10.0.0.4", "sw-a"),
    host("web", "10.0.0.5", "sw-a"),
    host("elsewhere", "10.1.0.1", "sw-other"),
];

function classic(addressType: string, listeners: readonly object[], more: object = {}): object[] {
    return [
        resource(
            "slb/applicationLoadBalancer:ApplicationLoadBalancer",
            "lb-1",
            { address: "192.0.2.9", addressType, ...more },
            { parent: entry },
        ),
        resource("slb/backendServer:BackendServer", "lb-1", {
            loadBalancerId: "lb-1",
            backendServers: [{ serverId: "i-web" }],
        }),
        ...listeners.map((fields, index) =>
            resource(
                "slb/listener:Listener",
                `listener-${index}`,
                { loadBalancerId: "lb-1", ...fields },
                { parent: entry },
            ),
        ),
    ];
}

describe("a Classic Load Balancer", () => {
    const https = {
        protocol: "https",
        frontendPort: 443,
        backendPort: 8080,
        healthCheckUri: "/healthz",
        healthCheckDomain: "www.example.com",
    };
    const tcp = { protocol: "tcp", frontendPort: 3306, backendPort: 3306 };
    const udp = { protocol: "udp", frontendPort: 53, backendPort: 53 };

    test("within the VPC of its servers is asked from there, best by one that is none of them", () => {
        const inventory = inventoryOf(hosts, classic("intranet", [https, tcp, udp]));
        expect(asked(inventory, "LISTENERS")).toEqual([
            ["node", "https:443:/healthz:www.example.com:given tcp:3306:/::"],
            ["web", "https:443:/healthz:www.example.com:given"],
        ]);
        expect(asked(inventory, "ADDRESSES")[0]).toEqual(["node", "192.0.2.9"]);
        expect(details(inventory.findings, "balancer")).toEqual([
            "skipped: lb-1, udp on port 53: a udp listener is not asked",
        ]);
        expect(inventory.probes[0]?.from[1]?.aside).toMatchObject([
            { status: "skipped", detail: "lb-1, tcp on port 3306: only servers behind it could ask" },
        ]);
    });

    test("has a certificate that updates renew where the stack has made it", () => {
        const made = {
            urn: "urn:pulumi:dev::p::tls:index/locallySignedCert:LocallySignedCert::listener-0-g2",
            type: "tls:index/locallySignedCert:LocallySignedCert",
            parent: entry,
        };
        const inventory = inventoryOf(hosts, classic("intranet", [https], { vswitchId: "sw-a" }), made);
        expect(asked(inventory, "LISTENERS")[0]?.[1]).toMatch(/:generated$/);
    });

    test("of the internet is asked from this machine, once, and whether hosts take logins or not", async () => {
        const inventory = inventoryOf(hosts, classic("internet", [https, tcp]));
        expect(asked(inventory, "LISTENERS")).toEqual([
            ["(here)", "https:443:/healthz:www.example.com:given tcp:3306:/::"],
        ]);
        const commands: string[] = [];
        const found = await examine(
            inventory,
            () => Promise.reject(new Error("timed out")),
            ({ text }, { line }) => {
                commands.push(text);
                line(JSON.stringify({ check: "listener", status: "ok", detail: "answers" }));
                return Promise.resolve(0);
            },
        );
        expect(details(found, "balancer")).toEqual(["ok: answers"]);
        expect(commands).toEqual([expect.stringMatching(/^STEP=doctor\/balancer\/listeners@/)]);
    });

    const list = (address: string, aclType: string, ...entries: string[]): object[] => [
        ...classic(address, [{ ...https, aclStatus: "on", aclType, aclIds: ["acl-1"] }]),
        resource("slb/acl:Acl", "acl-1", {}),
        ...entries.map((one) =>
            resource("slb/aclEntryAttachment:AclEntryAttachment", one, { aclId: "acl-1", entry: one }),
        ),
    ];

    test("is asked from hosts that its access list admits, and by none where it admits none", () => {
        const reach = (...resources: object[]): string[] =>
            asked(inventoryOf(hosts, resources), "NAME").map(([name]) => name);
        const skips = (...resources: object[]): string[] => details(inventoryOf(hosts, resources).findings, "balancer");
        expect(reach(...list("intranet", "white", "203.0.113.0/24", "10.0.0.4/32"))).toEqual(["node"]);
        expect(reach(...list("intranet", "black", "10.0.0.4/32"))).toEqual(["web"]);
        expect(reach(...list("intranet", "white", "203.0.113.0/24"))).toEqual([]);
        expect(skips(...list("intranet", "white", "203.0.113.0/24"))).toEqual([
            "skipped: lb-1, https on port 443: an access list lets only 203.0.113.0/24 in",
        ]);
        expect(skips(...list("intranet", "black", "10.0.0.0/16"))).toEqual([
            "skipped: lb-1, https on port 443: an access list keeps 10.0.0.0/16 out",
        ]);
        expect(
            skips(
                ...list("intranet", "white", "203.0.113.0/24").filter(
                    (one) => !JSON.stringify(one).includes("slb/acl:Acl"),
                ),
            ),
        ).toEqual(["skipped: lb-1, https on port 443: an access list that is not the stack's decides who gets in"]);
    });

    test("of the internet with an access list isn't asked: where this machine comes from isn't known", () => {
        for (const [kind, words] of [
            ["white", "lets only 203.0.113.0/24 in"],
            ["black", "keeps 203.0.113.0/24 out"],
        ] as const) {
            const { probes, findings } = inventoryOf(hosts, list("internet", kind, "203.0.113.0/24"));
            expect(probes.filter(({ check }) => check === "balancer/listeners")).toEqual([]);
            expect(details(findings, "balancer")).toEqual([
                `skipped: lb-1, https on port 443: an access list ${words}`,
            ]);
        }
    });

    test("is asked from the next host when the best one takes no login, and fails nobody when none does", async () => {
        const inventory = inventoryOf(hosts, classic("intranet", [https, tcp]));
        const from: string[] = [];
        const without =
            (...down: string[]): Remote =>
            async (connection, { text }, { line }) => {
                if (down.includes(connection.host)) throw new Error("timed out");
                if (text === "true") return 0;
                if (text.includes("balancer/listeners@")) from.push(connection.host);
                line(JSON.stringify({ check: "listener", status: "ok", detail: "answers" }));
                return 0;
            };
        const found = async (...down: string[]): Promise<[string | null, string][]> =>
            (await examine(inventory, without(...down)))
                .filter(({ service }) => service === "balancer")
                .map(({ host: on, status, detail }) => [on, `${status}: ${detail}`]);
        expect(await found()).toEqual([[null, "ok: answers"]]);
        expect(await found("10.0.0.4")).toEqual([
            [null, "skipped: lb-1, tcp on port 3306: only servers behind it could ask"],
            [null, "ok: answers"],
        ]);
        expect(from).toEqual(["10.0.0.4", "10.0.0.5"]);
        expect(await found("10.0.0.4", "10.0.0.5")).toEqual([
            [null, "skipped: not examined: no login to any of the hosts that could ask"],
        ]);
    });
});

test("an Application Load Balancer is asked at every address, as its server groups' checks ask", () => {
    const inventory = inventoryOf(
        hosts,
        resource("alb/loadBalancer:LoadBalancer", "alb-1", {
            addressType: "Intranet",
            vpcId: "vpc-1",
            zoneMappings: [{ address: "10.0.0.20" }, { address: "10.0.16.20" }],
        }),
        resource("alb/serverGroup:ServerGroup", "sgp-1", {
            healthCheckConfig: { healthCheckPath: "/ready", healthCheckHost: "$SERVER_IP" },
            servers: [{ serverId: "i-web", port: 80 }],
        }),
        ...["1", "2"].map((n) =>
            resource("alb/listener:Listener", `lsn-${n}`, {
                loadBalancerId: "alb-1",
                listenerProtocol: "HTTP",
                listenerPort: 80 + Number(n),
                defaultActions: [{ forwardGroupConfig: { serverGroupTuples: [{ serverGroupId: "sgp-1" }] } }],
            }),
        ),
        resource("alb/acl:Acl", "acl-1", {}),
        resource("alb/aclEntryAttachment:AclEntryAttachment", "e", { aclId: "acl-1", entry: "10.0.0.5/32" }),
        resource("alb/listenerAclAttachment:ListenerAclAttachment", "a", {
            listenerId: "lsn-2",
            aclId: "acl-1",
            aclType: "White",
        }),
    );
    // One that is behind it can ask more than one that isn't.
    expect(asked(inventory, "LISTENERS")).toEqual([
        ["web", "http:81:/ready:: http:82:/ready::"],
        ["node", "http:81:/ready::"],
    ]);
    expect(asked(inventory, "ADDRESSES")[0]?.[1]).toBe("10.0.0.20 10.0.16.20");
});

describe("a Network Load Balancer", () => {
    const balancer = (...rules: object[]): object[] => [
        resource("nlb/loadBalancer:LoadBalancer", "nlb-1", {
            addressType: "Intranet",
            vpcId: "vpc-1",
            zoneMappings: [{ privateIpv4Address: "10.0.0.20" }],
        }),
        ...["TCP", "TCPSSL", "UDP"].map((listenerProtocol, index) =>
            resource("nlb/listener:Listener", `nl-${index}`, {
                loadBalancerId: "nlb-1",
                listenerProtocol,
                listenerPort: 80 + index,
            }),
        ),
        resource("nlb/loadBalancerSecurityGroupAttachment:LoadBalancerSecurityGroupAttachment", "a", {
            loadBalancerId: "nlb-1",
            securityGroupId: "sg-1",
        }),
        ...rules.map((rule, index) =>
            resource("ecs/securityGroupRule:SecurityGroupRule", `r-${index}`, {
                securityGroupId: "sg-1",
                type: "ingress",
                ipProtocol: "tcp",
                ...rule,
            }),
        ),
    ];

    test("admits everybody whom no rule of its security group drops", () => {
        const all = "tcp:80:/:: tls:81:/::given";
        expect(asked(inventoryOf(hosts, balancer()), "LISTENERS")[0]).toEqual(["node", all]);
        const limited = balancer(
            { portRange: "80/80", cidrIp: "0.0.0.0/0", policy: "drop", priority: 100 },
            { portRange: "80/80", cidrIp: "10.0.0.5/32", policy: "accept", priority: 1 },
            { portRange: "80/80", cidrIp: "10.0.0.0/24", policy: "drop", priority: 1, ipProtocol: "udp" },
        );
        expect(asked(inventoryOf(hosts, limited), "LISTENERS")).toEqual([
            ["web", all],
            ["node", "tls:81:/::given"],
        ]);
        const [, second] = inventoryOf(hosts, limited).probes[0]!.from;
        expect(second?.aside).toMatchObject([
            { detail: "nlb-1, tcp on port 80: an access list lets only 10.0.0.5/32 in" },
        ]);
    });
});

test("a certificate that somebody shows is judged by its end, and says whose it is and who renews it", () => {
    const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -days 20 -subj /CN=x";
    const pem = execFileSync("openssl", words.split(" "), { stdio: ["ignore", "pipe", "ignore"] }).toString("base64");
    const judged = (more: object): Partial<Finding> =>
        readObservation(JSON.stringify({ check: "certificate", certificate: pem, ...more }), {
            from: 0,
            to: Date.now() / 1000,
        });
    expect(judged({ of: "entry, https on port 443", renewal: "give the listener a newer one" })).toMatchObject({
        status: "warning",
        detail: expect.stringMatching(
            /^entry, https on port 443: ends on \S+, in (19|20) days: give the listener a newer one$/,
        ) as string,
    });
    expect(judged({}).detail).toMatch(/^ends on \S+, in (19|20) days: run `pulumi up`, which renews it$/);
});
