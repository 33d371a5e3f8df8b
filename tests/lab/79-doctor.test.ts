/** What the doctor says of the running stack, of a service that has stopped, of a name that went astray, and of a host that is down. */
import type { Report } from "../../doctor/report";
import { api, eventually, lab, onHost, outputOn, outputs, status } from "./lab";
import { sharedSite } from "./requests";

jest.setTimeout(300_000);

interface Examination {
    readonly code: number;
    readonly report: Report;
    readonly text: string;
}

async function doctor(): Promise<Examination> {
    const { code, stdout, stderr } = await lab(["doctor", "--json"], { seconds: 200 });
    if (!stdout.startsWith("{")) throw new Error(`the doctor printed no report: ${stdout}${stderr}`);
    return { code, report: JSON.parse(stdout) as Report, text: stdout + stderr };
}

/** What has failed, as `host service check`. */
const failed = ({ report }: Examination): string[] =>
    report.findings
        .filter((finding) => finding.status === "failed")
        .map(({ host, service, check }) => `${host ?? "-"} ${service} ${check}`)
        .sort();

async function systemctl(host: string, ...words: string[]): Promise<void> {
    const { code, stderr } = await onHost(host, `sudo systemctl ${words.join(" ")}`);
    if (code !== 0) throw new Error(`systemctl ${words.join(" ")} on ${host}: ${stderr}`);
}

/** Waits until the doctor finds nothing wrong: a cluster takes a while to agree. @throws Error with what it still finds */
async function healthy(): Promise<void> {
    let last: readonly string[] = [];
    const look = async (): Promise<true | undefined> => {
        const { code, report } = await doctor();
        last = report.findings
            .filter(({ status: said }) => said === "failed")
            .map((finding) => JSON.stringify(finding));
        return code === 0 ? true : undefined;
    };
    await eventually("a healthy stack", 120, look).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${last.join("\n")}`);
    });
}

it("finds nothing wrong with every host and service, and tells no secret", async () => {
    await healthy();
    const { code, report, text } = await doctor();
    expect(code).toBe(0);
    const names = status().hosts.map(({ name }) => name);
    const logins = report.findings.filter(
        ({ service, check, status: said }) => service === "host" && check === "login" && said === "ok",
    );
    expect(logins.map(({ host }) => host).sort()).toEqual([...names].sort());
    const services = new Set(report.findings.map(({ service }) => service));
    expect([...services]).toEqual(
        expect.arrayContaining(["host", "ssh", "connectivity", "redis", "storage", "mysql", "web", "dns", "balancer"]),
    );
    const { redisUrl, mysqlUrl } = await outputs();
    for (const url of [redisUrl, mysqlUrl]) {
        const [, password = ""] = /:([^:@/]+)@/.exec(String(url)) ?? [];
        expect(password.length).toBeGreaterThan(8);
        expect(text).not.toContain(password);
    }
});

it("changes nothing on the hosts", async () => {
    const files =
        "sudo find /etc /usr /var/lib /srv /root -newer /run/doctor-mark -type f -not -path '*/redis*' -not -path '*/mysql/*' -not -path '/var/lib/systemd/*' -not -path '/var/lib/multihost/*'";
    await outputOn("node-2", "sudo touch /run/doctor-mark; sleep 1.1");
    try {
        await doctor();
        await outputOn("node-2", "sudo touch /etc/doctor-mark");
        // A search that failed would have found nothing. One that met a file as it went has failed, too.
        expect(await outputOn("node-2", `${files} || true`)).toBe("/etc/doctor-mark");
    } finally {
        await outputOn("node-2", "sudo rm -f /run/doctor-mark /etc/doctor-mark");
    }
});

it("names the host and the check of services that have stopped, and is content when they run again", async () => {
    await systemctl("node-5", "stop", "redis-cluster");
    await onHost("node-3", "sudo pkill -f 'glusterfsd .*gv0'");
    try {
        const found = await doctor();
        expect(found.code).toBe(1);
        expect(failed(found)).toEqual(expect.arrayContaining(["node-5 redis service", "- storage servers"]));
        expect(failed(found).every((line) => / (redis|storage) /.test(line))).toBe(true);
    } finally {
        await systemctl("node-5", "start", "redis-cluster");
        await onHost("node-3", "sudo gluster --mode=script volume start gv0 force");
    }
    await healthy();
});

interface DnsRecord {
    readonly RecordId: string;
    readonly Rr: string;
    readonly Type: string;
    readonly Value: string;
    readonly Ttl: number;
}

/** The record of the server that takes writes. */
async function sourceRecord(): Promise<DnsRecord> {
    const { Zones } = (await api()("pvtz", "DescribeZones", { Keyword: "internal" })) as {
        Zones: { Zone: { ZoneId: string }[] };
    };
    const { Records } = (await api()("pvtz", "DescribeZoneRecords", { ZoneId: Zones.Zone[0]!.ZoneId })) as {
        Records: { Record: DnsRecord[] };
    };
    return Records.Record.find(({ Rr }) => Rr === "mysql")!;
}

async function pointTo(address: string, { RecordId, Rr, Type, Ttl }: DnsRecord): Promise<void> {
    await api()("pvtz", "UpdateZoneRecord", { RecordId, Rr, Type, Ttl: String(Ttl), Value: address });
}

it("tells a name that stands for another, where one host alone sees it so, and a balancer without a server that works", async () => {
    const record = await sourceRecord();
    const site = await sharedSite();
    const webServers = ["web-1", "web-2"];
    await pointTo("10.0.0.99", record);
    try {
        await outputOn("node-2", "echo 10.0.0.98 redis.internal | sudo tee -a /etc/hosts");
        await Promise.all(webServers.map((name) => systemctl(name, "stop", "nginx")));
        await eventually("no server", 30, async () => ((await site.ask()).status >= 500 ? true : undefined));
        const found = await doctor();
        const others = failed(found).filter((line) => !line.includes(" web "));
        expect(others).toEqual(["- balancer listener", "- dns names", "node-2 dns names"]);
        const detail = (host: string | null, service: string): string | undefined =>
            found.report.findings.find((one) => one.host === host && one.service === service && one.status === "failed")
                ?.detail;
        expect(detail(null, "dns")).toContain(`mysql.internal is 10.0.0.99, in the state it is ${record.Value}`);
        expect(detail("node-2", "dns")).toContain("redis.internal is 10.0.0.98, in the state it is ");
        expect(detail(null, "balancer")).toMatch(/https on 127\.77\.[\d.]+:443: \S+ answers 503/);
    } finally {
        await pointTo(record.Value, record);
        await outputOn("node-2", "sudo sed -i '/ redis.internal$/d' /etc/hosts");
        await Promise.all(webServers.map((name) => systemctl(name, "start", "nginx")));
    }
    await healthy();
});

it("tells a host that is down, and still examines the others", async () => {
    const host = status().hosts.find(({ name }) => name === "web-2");
    const instance = { InstanceId: host?.instanceId ?? "" };
    await api()("Ecs", "StopInstance", { ...instance, ForceStop: "true" });
    try {
        await eventually("web-2 to stop", 60, async () =>
            status().hosts.some(({ name, state }) => name === "web-2" && state === "Stopped") ? true : undefined,
        );
        const found = await doctor();
        expect(found.code).toBe(1);
        expect(failed(found)).toContain("web-2 host login");
        const others = found.report.findings.filter(
            ({ host: name, status: said }) => name === "web-1" && said === "ok",
        );
        expect(others.map(({ service }) => service)).toEqual(expect.arrayContaining(["host", "web"]));
    } finally {
        await api()("Ecs", "StartInstance", instance);
    }
    await healthy();
});
