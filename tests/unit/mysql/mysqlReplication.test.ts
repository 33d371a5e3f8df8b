import * as pulumi from "@pulumi/pulumi";
import type { KeyGenerations } from "../../../components/keys";
import { problemsOf, Recorder, valueOf } from "../components/recorder";

const recorder = new Recorder();

import { Host, MysqlReplication, type MysqlReplicationArgs } from "../../../components";
import { mysqlUrl } from "../../../components/mysql/mysqlReplication";

const commandType = "command:remote:Command";

function hosts(count: number): Host[] {
    return Array.from(
        { length: count },
        (_, index) =>
            new Host(`db-${index + 1}`, {
                address: `10.0.0.${index + 1}`,
                privateKey: "LOGIN KEY",
                hostKey: `ssh-ed25519 AAAA${index + 1}`,
            }),
    );
}

function create(args: Partial<MysqlReplicationArgs> = {}): MysqlReplication {
    const all: MysqlReplicationArgs = {
        hosts: hosts(3),
        engine: "mariadb",
        databases: ["shop", "mail_queue"],
        clientCidrs: ["10.0.0.0/16"],
        ...args,
    };
    return new MysqlReplication("db", all, recorder.watched);
}

async function created(args: Partial<MysqlReplicationArgs> = {}): Promise<MysqlReplication> {
    recorder.clear();
    const replication = create(args);
    await valueOf(replication.url);
    await recorder.settled();
    return replication;
}

function command(name: string): string {
    return recorder.find(commandType, name).inputs["create"] as string;
}

function stdin(name: string): string {
    return recorder.find(commandType, name).inputs["stdin"] as string;
}

describe("MysqlReplication", () => {
    test("runs the server on every host, then copies data, then joins them", async () => {
        await created();
        expect(recorder.names(commandType).filter((name) => !name.endsWith("-ready"))).toEqual([
            "db-db-1",
            "db-db-1-seed",
            "db-db-2",
            "db-db-2-seed",
            "db-db-3",
            "db-db-3-seed",
            "db-replication",
        ]);
        expect(command("db-db-2")).toMatch(
            /^STEP=mysql\/node@[0-9a-f]{8} PARAM_ADDRESS='10\.0\.0\.2' PARAM_BACKUP_KEY='ssh-ed25519 AAAAdb\/backup' PARAM_BUFFER_POOL='50%' PARAM_CIDRS='10\.0\.0\.0\/16' PARAM_ENGINE='mariadb' PARAM_PORT='3306' PARAM_SEMI_SYNC='true' bash --norc -s$/,
        );
        expect(command("db-db-2-seed")).toContain("PARAM_MEMBERS='db-1=10.0.0.1 db-2=10.0.0.2 db-3=10.0.0.3'");
        expect(command("db-db-2-seed")).toContain("PARAM_REBUILD='false'");
        expect(command("db-replication")).toContain("PARAM_SOURCE='db-1'");
        expect(command("db-replication")).toContain("PARAM_DATABASES='shop mail_queue'");
        expect(command("db-replication")).not.toContain("PARAM_VERIFY");
        // On another first host it is an update, by which it knows that a source was there.
        expect(recorder.find(commandType, "db-replication").inputs).not.toHaveProperty("triggers");
    });

    test("copies only after the source had its turn, which may follow up one that is gone", async () => {
        await created({ source: "db-2" });
        const seedsBefore = async (name: string): Promise<string[]> => {
            const before = recorder.options(commandType, name).dependsOn as pulumi.Resource[];
            const urns = await Promise.all(before.map(({ urn }) => valueOf(urn)));
            return urns.map((urn) => urn.split("::").pop()!).filter((step) => step.endsWith("-seed"));
        };
        expect(await seedsBefore("db-db-2-seed")).toEqual([]);
        expect(await seedsBefore("db-db-1-seed")).toEqual(["db-db-2-seed"]);
        expect(await seedsBefore("db-db-3-seed")).toEqual(["db-db-2-seed"]);
        expect(command("db-db-1-seed")).toContain("PARAM_SEMI_SYNC='true' PARAM_SOURCE='db-2'");
    });

    test("lets a server alone wait for no replica at its start, and two of them for each other", async () => {
        await created({ hosts: hosts(1) });
        expect(command("db-db-1")).toContain("PARAM_SEMI_SYNC='false'");
        await created({ hosts: hosts(2) });
        expect(command("db-db-1")).toContain("PARAM_SEMI_SYNC='true'");
        await created({ hosts: hosts(2), semiSync: false });
        expect(command("db-db-1")).toContain("PARAM_SEMI_SYNC='false'");
    });

    test("pins the host keys of those that a copy is fetched from", async () => {
        await created();
        expect(command("db-db-3-seed")).toContain(
            "PARAM_HOST_KEYS='10.0.0.1 ssh-ed25519 AAAA1\n10.0.0.2 ssh-ed25519 AAAA2\n10.0.0.3 ssh-ed25519 AAAA3'",
        );
    });

    test("names the ports of SSH servers that are elsewhere than usual, for whoever fetches a copy", async () => {
        const all = [22, 2222].map(
            (port, index) =>
                new Host(`db-${index + 1}`, {
                    ...{ address: `10.0.0.${index + 1}`, port: pulumi.output(port) },
                    ...{ privateKey: "LOGIN KEY", hostKey: `ssh-ed25519 AAAA${index + 1}` },
                }),
        );
        await created({ hosts: all });
        expect(command("db-db-1-seed")).toContain(
            "PARAM_HOST_KEYS='10.0.0.1 ssh-ed25519 AAAA1\n[10.0.0.2]:2222 ssh-ed25519 AAAA2'",
        );
    });

    test("tells clients where to write, where to read and whom to trust", async () => {
        const replication = await created({ source: "db-2", port: 3307, user: "web", password: "p/ssw:rd%correct-1" });
        expect(await valueOf(replication.source)).toEqual({ name: "db-2", address: "10.0.0.2", port: 3307 });
        expect((await valueOf(replication.replicas)).map(({ name }) => name)).toEqual(["db-1", "db-3"]);
        expect(await valueOf(replication.url)).toBe("mysql://web:p%2Fssw%3Ard%25correct-1@10.0.0.2:3307/shop");
        expect(command("db-replication")).toContain("PARAM_SOURCE='db-2'");
        expect(recorder.find("tls:index/certRequest:CertRequest", "db-db-3").inputs).toMatchObject({
            ipAddresses: ["10.0.0.3", "127.0.0.1"],
        });
    });

    test("keeps secrets to standard input", async () => {
        const [password, previousPassword] = ["correct-horse-battery-1", "another-horse-battery-2"];
        const replication = await created({ password, previousPassword });
        for (const { name, inputs, secret } of recorder.resources.filter(({ type }) => type === commandType)) {
            const { stdin: text } = inputs;
            const shown = JSON.stringify({ ...inputs, stdin: undefined, connection: undefined });
            expect([name, shown]).toEqual([name, expect.not.stringMatching(/horse-battery|PRIVATE |PEM /)]);
            expect(text).toBeDefined();
            expect(secret).toContain("stdin");
        }
        expect(stdin("db-replication")).toContain(`SECRET_PREVIOUS_PASSWORD='${previousPassword}'`);
        const { url, password: own, source, replicas } = replication;
        expect(await Promise.all([url, own].map(pulumi.isSecret))).toEqual([true, true]);
        expect(await Promise.all([pulumi.isSecret(source), pulumi.isSecret(replicas)])).toEqual([false, false]);
    });

    test("renews the passwords of the servers' own accounts with their keys, the former beside the next", async () => {
        const secretsOf = (step: string): Record<string, string> =>
            Object.fromEntries(
                [...stdin(step).matchAll(/^SECRET_(\w+_PASSWORD)='([^']*)'$/gm)].map(([, key, value]) => [
                    key!,
                    value!,
                ]),
            );
        const passwords = async (keys: KeyGenerations): Promise<Record<string, string>> => {
            await created({ keys });
            return secretsOf("db-replication");
        };
        const first = await passwords({});
        const begun = await passwords({ beside: 2 });
        const moved = await passwords({ generation: 2, beside: 1 });
        const ended = await passwords({ generation: 2 });
        const [former, next] = [first["REPLICATION_PASSWORD"], ended["REPLICATION_PASSWORD"]];
        expect(next).not.toBe(former);
        expect(begun).toEqual({ ...first, OTHER_REPLICATION_PASSWORD: next });
        expect(moved).toEqual({ ...ended, OTHER_REPLICATION_PASSWORD: former });
        expect(ended["ADMIN_PASSWORD"]).not.toBe(first["ADMIN_PASSWORD"]);
        expect(secretsOf("db-db-2")["ADMIN_PASSWORD"]).toBe(ended["ADMIN_PASSWORD"]);
        expect(Object.keys(ended).sort()).toEqual(Object.keys(first).sort());
    });

    test("gives the application, the administration and the replication passwords of their own", async () => {
        const password = await valueOf((await created()).password);
        expect(password).toMatch(/^[A-Za-z0-9_-]{43}$/);
        const [, admin] = /SECRET_ADMIN_PASSWORD='([^']*)'/.exec(stdin("db-db-1"))!;
        const [, replication] = /SECRET_REPLICATION_PASSWORD='([^']*)'/.exec(stdin("db-replication"))!;
        expect(new Set([password, admin, replication]).size).toBe(3);
        // What CHANGE REPLICATION SOURCE takes.
        expect(replication!.length).toBe(32);
        expect(stdin("db-db-1")).not.toContain(password);
    });

    test("a server's new settings, a copy and another machine run the joining step again", async () => {
        await created();
        const before = stdin("db-replication");
        await created({ bufferPool: "1gb" });
        const resized = stdin("db-replication");
        await created({ rebuild: ["db-3"] });
        expect(new Set([before, resized, stdin("db-replication")]).size).toBe(3);
        expect(command("db-db-3-seed")).toContain("PARAM_REBUILD='true'");
        expect(command("db-db-2-seed")).toContain("PARAM_REBUILD='false'");
    });

    test("a name to verify by concerns the joining step alone", async () => {
        await created();
        const nodes = ["db-db-1", "db-db-2-seed"].map(stdin);
        await created({ verify: "2026-11-23" });
        expect(["db-db-1", "db-db-2-seed"].map(stdin)).toEqual(nodes);
        expect(command("db-replication")).toContain("PARAM_VERIFY='2026-11-23'");
    });

    test("replicates only the databases that are listed, when there is a list", async () => {
        await created({ binlogDoDb: ["shop"] });
        expect(command("db-db-1")).toContain("PARAM_BINLOG_DO_DB='shop'");
        expect(command("db-replication")).toContain("PARAM_BINLOG_DO_DB='shop'");
    });

    test("reports all problems at once", () => {
        const [first, second] = hosts(2);
        expect(
            problemsOf(
                () =>
                    new MysqlReplication("db", {
                        hosts: [first!, second!, first!],
                        engine: "postgres" as never,
                        source: "db-7",
                        databases: ["shop", "shop", "mysql", "a-b"],
                        user: "root",
                        clientCidrs: ["0.0.0.0/0", "10.0.0.1/16"],
                        port: 80,
                        bufferPool: "95%",
                        binlogDoDb: [],
                        password: "hunter2",
                        dataDirectory: "data",
                        rebuild: ["db-9"],
                        verify: "now; please",
                    }),
            ),
        ).toEqual([
            'MysqlReplication "db" has 16 problems:',
            '  - hosts[2]: "db-1" is listed twice.',
            '  - engine: "postgres" is none of mysql, mariadb.',
            '  - source: "db-7" is none of the hosts db-1, db-2, db-1.',
            '  - databases[1]: "shop" is listed twice.',
            '  - databases[2]: "mysql" is the servers\' own.',
            '  - databases[3]: "a-b" is not a database\'s name: 1 to 64 letters, digits and underscores.',
            "  - binlogDoDb: the list is empty: leave it out to replicate every database.",
            '  - user: "root" is the servers\' own.',
            '  - clientCidrs[0]: "0.0.0.0/0" lets the internet try: name ranges of private networks.',
            '  - clientCidrs[1]: "10.0.0.1/16" is not a CIDR block whose address fits its mask.',
            "  - port: 80 is not a TCP port from 1024 to 65535.",
            '  - bufferPool: "95%" leaves the host too little: at most 80%.',
            "  - password: a password needs at least 16 characters.",
            '  - dataDirectory: "data" is not an absolute path of its own below a top-level folder.',
            '  - rebuild[0]: "db-9" is none of the hosts db-1, db-2, db-1.',
            "  - verify: is a text of 1 to 64 letters, digits and . _ : + - such as a date.",
        ]);
    });

    test("refuses to rebuild the source, and to have no host, database or client", () => {
        expect(problemsOf(() => create({ rebuild: ["db-1"] }))).toEqual([
            'MysqlReplication "db" has 1 problem:',
            '  - rebuild[0]: "db-1" is the source: name another source first, and rebuild it later.',
        ]);
        expect(problemsOf(() => create({ hosts: [], databases: [], clientCidrs: [] }))).toEqual([
            'MysqlReplication "db" has 3 problems:',
            "  - hosts: the list is empty: name at least one host, and a second one for a replica.",
            "  - databases: the list is empty: name at least one database.",
            "  - clientCidrs: the list is empty: name the ranges that servers and applications connect from.",
        ]);
    });

    test("keeps data nowhere but in a folder of its own", async () => {
        for (const dataDirectory of [
            "/",
            "/mnt",
            "/mnt/",
            "/mnt/..",
            "/mnt/../etc",
            "/./data",
            "/mnt/data/..",
            "mnt/data",
        ]) {
            expect(problemsOf(() => create({ dataDirectory }))).toEqual([
                'MysqlReplication "db" has 1 problem:',
                `  - dataDirectory: "${dataDirectory}" is not an absolute path of its own below a top-level folder.`,
            ]);
        }
        await created({ dataDirectory: "/mnt/data/.mysql-1..old" });
        expect(command("db-db-1")).toContain("PARAM_DATA_DIR='/mnt/data/.mysql-1..old'");
    });

    test("a URL reader gets back any password", () => {
        const url = new URL(mysqlUrl({ name: "db-1", address: "10.0.0.1", port: 3306 }, "app", "a@b:c/d%e", "shop"));
        expect(decodeURIComponent(url.password)).toBe("a@b:c/d%e");
    });
});
