/** What both engines have to do, on a stack that runs one of them. */
import { addressesOf, configure, eventually, hostsOf, lab, onHost, outputOn, rotate, up } from "./lab";
import { access, type Access, attempts, installClient, RowWriter, statement } from "./mysql";

/** Where the engines differ. */
export interface Dialect {
    readonly stack: string;
    /** The command that logs root in through the socket. */
    readonly shell: string;
    readonly unit: string;
    /** Something that an application's account must not read. */
    readonly forbidden: string;
    /** Name of a host that knows the services' names. */
    readonly resolver: string;
    /** What `SELECT` gives for the settings that replication rests on, on the source and on a replica. */
    readonly settings: {
        readonly both: Readonly<Record<string, string>>;
        readonly source: Readonly<Record<string, string>>;
        readonly replica: Readonly<Record<string, string>>;
    };
    /** Makes a replica leave out the source's last transaction, which `write` makes. */
    skip(run: { source: Run; replica: Run; write: () => Promise<unknown> }): Promise<void>;
}

/** Runs statements on a server as root. */
export type Run = (sql: string) => Promise<string>;

const client = "node-4";
/** Of 1 MiB each. */
const bulkRows = 1024;

/** Declares the tests. They leave the stack as they found it. */
export function provesReplication(dialect: Dialect): void {
    const { stack } = dialect;
    let known: Access;
    let hosts: ReadonlyMap<string, string>;

    const at = (name: string): string => hosts.get(name) ?? name;
    const asRoot = async (name: string, sql: string): Promise<string> => {
        const { code, stdout, stderr } = await onHost(at(name), dialect.shell, { input: sql });
        if (code !== 0) throw new Error(`${name}: ${sql}: ${stdout}${stderr}`);
        return stdout.trim();
    };
    const set = (path: string, value: string | undefined): Promise<void> => configure(`mysql.${path}`, value, stack);

    /** Waits until a server has so many rows in a table. */
    const holds = async (host: string, table: string, rows: number): Promise<void> => {
        await eventually(`${rows} rows in ${table} on ${host}`, 120, async () =>
            (await asRoot(host, `SELECT COUNT(*) FROM app.${table}`)) === String(rows) ? true : undefined,
        );
    };

    const failedUp = async (): Promise<string> => {
        const command = ["pulumi", "up", "--yes", "--skip-preview", "--stack", stack];
        const { code, stdout, stderr } = await lab(command, { seconds: 300 });
        expect(code).not.toBe(0);
        return stdout + stderr;
    };

    beforeAll(async () => {
        hosts = await hostsOf(stack);
        await installClient(at(client));
        known = await access(stack);
    });

    afterAll(async () => {
        let left = false;
        for (const key of ["replicas", "source", "password", "previousPassword", "verify", "rebuild"]) {
            const { stdout } = await lab(["pulumi", "config", "get", "--path", `mysql.${key}`, "--stack", stack]);
            if (stdout.trim() === "") continue;
            left = true;
            await set(key, undefined);
        }
        if (left) await up({ stack });
        const { source } = (known = await access(stack));
        for (const sql of ["DROP EVENT IF EXISTS tick", "DROP TABLE IF EXISTS rows_, switched, ticks, rotated"])
            await statement(at(client), known, source, sql);
    });

    describe("a source and its replica", () => {
        it("both have what is written to the source", async () => {
            expect([known.source.name, ...known.replicas.map(({ name }) => name)]).toEqual(["node-1", "node-2"]);
            const write = (sql: string): Promise<unknown> => statement(at(client), known, known.source, sql);
            expect(await write("CREATE TABLE rows_ (id INT PRIMARY KEY AUTO_INCREMENT, text_ TEXT)")).toEqual([]);
            expect(
                await write(
                    "INSERT INTO rows_ (text_) WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 1000) SELECT CONCAT('row ', n) FROM s",
                ),
            ).toEqual([]);
            await holds("node-2", "rows_", 1000);
            const sum = "SELECT COUNT(*), BIT_XOR(CRC32(CONCAT(id, text_))) FROM rows_";
            const read = await statement(at(client), known, known.replicas[0]!, sum);
            expect(read).toEqual(await statement(at(client), known, known.source, sum));
        });

        it("let nobody write to the replica", async () => {
            const write = "INSERT INTO rows_ (text_) VALUES ('astray')";
            expect(await statement(at(client), known, known.replicas[0]!, write)).toMatch(/^1290 .*read-only/);
        });

        it("let nobody in unencrypted, without a name, as root, with another password or to other data", async () => {
            for (const server of [known.source, ...known.replicas]) {
                const sql = "SELECT 1";
                const answers = await attempts(at(client), known, [
                    { server, sql, encrypted: false },
                    { server, sql, user: "", password: "" },
                    { server, sql, user: "root", password: "" },
                    { server, sql, password: "not-the-password" },
                    { server, sql: dialect.forbidden },
                    { server, sql },
                ]);
                const told = answers.map((answer) => (typeof answer === "string" ? answer.slice(0, 4) : answer));
                expect(["1045", "3159"]).toContain(told.shift());
                expect(told).toEqual(["1045", "1045", "1045", "1142", [[1]]]);
            }
        });

        it("run as they are meant to: no commit without a replica's word, and none that a crash takes back", async () => {
            const { both, source, replica } = dialect.settings;
            for (const [host, settings] of [
                ["node-1", { ...both, ...source }],
                ["node-2", { ...both, ...replica }],
            ] as const) {
                const values = (await asRoot(host, `SELECT ${Object.keys(settings).join(", ")}`)).split("\t");
                expect(Object.fromEntries(Object.keys(settings).map((name, index) => [name, values[index]]))).toEqual(
                    settings,
                );
            }
            const clients = await asRoot("node-1", "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_%_clients'");
            expect(clients.split("\t").at(-1)).toBe("1");
            const ids = await Promise.all(["node-1", "node-2"].map((host) => asRoot(host, "SELECT @@server_id")));
            expect(new Set(ids).size).toBe(2);
            // The account that replicates comes from the VPC, and encrypted.
            const account = await asRoot(
                "node-1",
                "SELECT DISTINCT host, ssl_type FROM mysql.user WHERE user = 'multihost_replication'",
            );
            expect(account).toMatch(/^10\.\d+\.\d+\.\d+\/\S+\t(ANY|X509|SPECIFIED)$/m);
            expect(account).not.toContain("%");
        });

        it("are out of reach from the bastion", async () => {
            const { code } = await onHost(
                at("bastion-1"),
                `timeout 3 bash -c '</dev/tcp/${known.source.address}/3306'`,
            );
            expect(code).not.toBe(0);
        });
    });

    describe("a replica that is added", () => {
        beforeAll(async () => {
            await asRoot("node-1", "CREATE TABLE app.bulk (id INT PRIMARY KEY AUTO_INCREMENT, data LONGBLOB)");
            // In statements of 64 MiB, since a transaction is kept in memory until it is written.
            const rows = "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 64)";
            for (let written = 0; written < bulkRows; written += 64)
                await asRoot(
                    "node-1",
                    `INSERT INTO app.bulk (data) ${rows} SELECT REPEAT(RANDOM_BYTES(1024), 1024) FROM s`,
                );
            await holds("node-2", "bulk", bulkRows);
        });

        afterAll(async () => {
            await asRoot("node-1", "DROP TABLE IF EXISTS app.bulk");
        });

        it("to 1 GiB starts with a copy, since the history from which it could follow is gone, and catches up", async () => {
            const last = (await asRoot("node-1", "FLUSH BINARY LOGS; SHOW BINARY LOGS"))
                .split("\n")
                .pop()!
                .split("\t")[0]!;
            await asRoot("node-1", `PURGE BINARY LOGS TO '${last}'`);
            await set("replicas", "2");
            await up({ stack, seconds: 480 });
            known = await access(stack);
            expect(known.replicas.map(({ name }) => name)).toEqual(["node-2", "node-3"]);
            expect(await asRoot("node-3", "SELECT COUNT(*) FROM app.rows_")).toBe("1000");
            const sum = "SELECT COUNT(*), SUM(LENGTH(data)), BIT_XOR(CRC32(data)) FROM app.bulk";
            const copied = await asRoot("node-3", sum);
            expect(copied).toMatch(new RegExp(`^${bulkRows}\t${bulkRows * 2 ** 20}\t`));
            expect(copied).toBe(await asRoot("node-1", sum));
            await statement(at(client), known, known.source, "INSERT INTO rows_ (text_) VALUES ('later')");
            await holds("node-3", "rows_", 1001);
        });
    });

    describe("under an application that writes", () => {
        it("another server becomes the source, and no committed row is lost", async () => {
            for (const sql of [
                "CREATE TABLE switched (id INT PRIMARY KEY)",
                "CREATE TABLE ticks (id INT AUTO_INCREMENT PRIMARY KEY, host VARCHAR(64))",
                "CREATE TRIGGER spelled BEFORE INSERT ON ticks FOR EACH ROW SET NEW.host = UPPER(NEW.host)",
                "CREATE EVENT tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO ticks (host) VALUES (@@hostname)",
            ])
                expect(await statement(at(client), known, known.source, sql)).toEqual([]);
            const writer = await RowWriter.start(at(client), known, [known.source, ...known.replicas], "switched");
            await set("source", "node-2");
            await up({ stack });
            known = await access(stack);
            expect([known.source.name, ...known.replicas.map(({ name }) => name)]).toEqual([
                "node-2",
                "node-1",
                "node-3",
            ]);
            expect(await addressesOf("mysql.internal", at(dialect.resolver))).toEqual([known.source.address]);
            expect(await addressesOf("mysql-replica.internal", at(dialect.resolver))).toEqual(
                known.replicas.map(({ address }) => address).sort(),
            );
            await new Promise((wake) => setTimeout(wake, 2000));
            const { rows, errors, longest } = await writer.stop();
            console.info(
                `Switchover: ${rows} rows acknowledged, ${longest.toFixed(1)} s without one at most; retried: ${JSON.stringify(errors)}.`,
            );
            expect(rows).toBeGreaterThan(100);
            for (const host of ["node-1", "node-2", "node-3"]) await holds(host, "switched", rows);
            // The application's events run where its writes go, and there alone.
            for (const host of ["node-1", "node-2", "node-3"]) {
                const event = await asRoot(host, "SELECT status, definer LIKE 'app@%' FROM information_schema.events");
                expect([host, event]).toEqual([
                    host,
                    expect.stringMatching(host === "node-2" ? /^ENABLED\t1$/ : /SIDE_DISABLED\t1$/),
                ]);
            }
            expect(await statement(at(client), known, known.source, "DROP EVENT tick")).toEqual([]);
            expect(await statement(at(client), known, known.replicas[0]!, "INSERT INTO switched VALUES (0)")).toMatch(
                /^1290 /,
            );
        });

        it("the password changes, and no login fails", async () => {
            const before = known.password;
            await statement(at(client), known, known.source, "CREATE TABLE rotated (id INT PRIMARY KEY)");
            const writer = await RowWriter.start(at(client), known, [known.source], "rotated");
            await rotate("mysql.password", "--stack", stack);
            known = await access(stack);
            expect(known.password).not.toBe(before);
            writer.use({ password: known.password });
            await new Promise((wake) => setTimeout(wake, 2000));
            await rotate("mysql.password", "--stack", stack, "--finish");
            await new Promise((wake) => setTimeout(wake, 2000));
            const { rows, errors } = await writer.stop();
            expect(errors).toEqual({});
            expect(rows).toBeGreaterThan(100);
            expect(await statement(at(client), known, known.source, "SELECT 1", { password: before })).toMatch(
                /^1045 /,
            );
        });
    });

    describe("a replica that has lost a row", () => {
        it("is found when all rows are compared, and named", async () => {
            await dialect.skip({
                source: (sql) => asRoot("node-2", sql),
                replica: (sql) => asRoot("node-3", sql),
                write: () => statement(at(client), known, known.source, "INSERT INTO rows_ (text_) VALUES ('skipped')"),
            });
            await statement(at(client), known, known.source, "INSERT INTO rows_ (text_) VALUES ('not skipped')");
            await set("verify", "first");
            expect(await failedUp()).toMatch(/node-3: its rows are not the source's in app\.rows_/);
        });

        it("is found, too, when its data directory is gone", async () => {
            await outputOn(at("node-1"), `systemctl stop ${dialect.unit} && rm -rf /var/lib/mysql/*`, 120);
            await set("verify", "second");
            expect(await failedUp()).toMatch(/node-1: the server doesn't answer/);
        });

        it("is rebuilt when asked, and so is another one at the same time", async () => {
            await set("rebuild[0]", "node-3");
            await set("rebuild[1]", "node-1");
            await up({ stack });
            for (const host of ["node-1", "node-3"]) await holds(host, "rows_", 1003);
            await up({ stack, expectNoChanges: true });
        });
    });

    it("goes back to where it was, and then nothing is left to do", async () => {
        for (const key of ["replicas", "source", "password", "verify", "rebuild"]) await set(key, undefined);
        await up({ stack });
        known = await access(stack);
        expect([known.source.name, ...known.replicas.map(({ name }) => name)]).toEqual(["node-1", "node-2"]);
        await statement(at(client), known, known.source, "INSERT INTO rows_ (text_) VALUES ('back')");
        await holds("node-2", "rows_", 1004);
        expect((await onHost(at("node-3"), `systemctl is-active ${dialect.unit}`)).stdout.trim()).toBe("inactive");
        expect(await hostsOf(stack)).toEqual(hosts);
        await up({ stack, expectNoChanges: true });
    });
}
