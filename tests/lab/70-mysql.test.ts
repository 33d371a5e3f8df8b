/** The database servers of the shared stack: one source, its replicas, and what an operator does to them. */
import { addressesOf, configure, eventually, lab, onHost, rotate, status, up, upChanges } from "./lab";
import { access, type Access, asRoot, attempts, installClient, RowWriter, statement } from "./mysql";

jest.setTimeout(400_000);

const client = "node-4";
let known: Access;

/** Waits until a server has so many rows in a table. */
async function holds(host: string, table: string, rows: number): Promise<void> {
    await eventually(`${rows} rows in ${table} on ${host}`, 60, async () =>
        (await asRoot(host, `SELECT COUNT(*) FROM app.${table}`)) === String(rows) ? true : undefined,
    );
}

async function failedUp(): Promise<string> {
    const { code, stdout, stderr } = await lab(["pulumi", "up", "--yes", "--skip-preview"], { seconds: 300 });
    expect(code).not.toBe(0);
    return stdout + stderr;
}

beforeAll(async () => {
    await installClient(client);
    known = await access();
});

afterAll(async () => {
    for (const key of ["replicas", "source", "password", "previousPassword", "verify", "rebuild"]) {
        const { stdout } = await lab(["pulumi", "config", "get", "--path", `mysql.${key}`]);
        if (stdout.trim() !== "") await configure(`mysql.${key}`, undefined);
    }
    await up();
    const { source } = (known = await access());
    await statement(client, known, source, "DROP TABLE IF EXISTS rows_, switched, rotated");
});

describe("a source and its replica", () => {
    it("both have what is written to the source", async () => {
        expect([known.source.name, ...known.replicas.map(({ name }) => name)]).toEqual(["node-1", "node-2"]);
        const write = (sql: string): Promise<unknown> => statement(client, known, known.source, sql);
        expect(await write("CREATE TABLE rows_ (id INT PRIMARY KEY AUTO_INCREMENT, text_ TEXT)")).toEqual([]);
        expect(await write("INSERT INTO rows_ (text_) SELECT CONCAT('row ', seq) FROM seq_1_to_1000")).toEqual([]);
        await holds("node-2", "rows_", 1000);
        const sum = "SELECT COUNT(*), BIT_XOR(CRC32(CONCAT(id, text_))) FROM rows_";
        const read = await statement(client, known, known.replicas[0]!, sum);
        expect(read).toEqual(await statement(client, known, known.source, sum));
    });

    it("let nobody write to the replica", async () => {
        const write = "INSERT INTO rows_ (text_) VALUES ('astray')";
        expect(await statement(client, known, known.replicas[0]!, write)).toMatch(/^1290 .*read-only/);
    });

    it("let nobody in unencrypted, without a name, as root, with another password or to other data", async () => {
        for (const server of [known.source, ...known.replicas]) {
            const sql = "SELECT 1";
            const answers = await attempts(client, known, [
                { server, sql, encrypted: false },
                { server, sql, user: "", password: "" },
                { server, sql, user: "root", password: "" },
                { server, sql, password: "not-the-password" },
                { server, sql: "SELECT * FROM mysql.global_priv" },
                { server, sql },
            ]);
            const told = answers.map((answer) => (typeof answer === "string" ? answer.slice(0, 4) : answer));
            expect(["1045", "3159"]).toContain(told.shift());
            expect(told).toEqual(["1045", "1045", "1045", "1142", [[1]]]);
        }
    });

    it("are out of reach from the bastion", async () => {
        const { code } = await onHost("bastion-1", `timeout 3 bash -c '</dev/tcp/${known.source.address}/3306'`);
        expect(code).not.toBe(0);
    });
});

describe("a replica that is added", () => {
    it("starts with a copy, since the history from which it could follow is gone", async () => {
        const last = (await asRoot("node-1", "FLUSH BINARY LOGS; SHOW BINARY LOGS")).split("\n").pop()!.split("\t")[0]!;
        await asRoot("node-1", `PURGE BINARY LOGS TO '${last}'`);
        await configure("mysql.replicas", "2");
        await up();
        known = await access();
        expect(known.replicas.map(({ name }) => name)).toEqual(["node-2", "node-3"]);
        expect(await asRoot("node-3", "SELECT COUNT(*) FROM app.rows_")).toBe("1000");
        await statement(client, known, known.source, "INSERT INTO rows_ (text_) VALUES ('later')");
        await holds("node-3", "rows_", 1001);
    });
});

describe("under an application that writes", () => {
    it("another server becomes the source, and no committed row is lost", async () => {
        await statement(client, known, known.source, "CREATE TABLE switched (id INT PRIMARY KEY)");
        const writer = await RowWriter.start(client, known, [known.source, ...known.replicas], "switched");
        await configure("mysql.source", "node-2");
        await up();
        known = await access();
        expect([known.source.name, ...known.replicas.map(({ name }) => name)]).toEqual(["node-2", "node-1", "node-3"]);
        expect(await addressesOf("mysql.internal", "web-1")).toEqual([known.source.address]);
        expect(await addressesOf("mysql-replica.internal", "web-1")).toEqual(
            known.replicas.map(({ address }) => address).sort(),
        );
        await new Promise((wake) => setTimeout(wake, 2000));
        const { rows, errors, longest } = await writer.stop();
        console.info(
            `Switchover: ${rows} rows acknowledged, ${longest.toFixed(1)} s without one at most; retried: ${JSON.stringify(errors)}.`,
        );
        expect(rows).toBeGreaterThan(100);
        for (const host of ["node-1", "node-2", "node-3"]) await holds(host, "switched", rows);
        expect(await statement(client, known, known.replicas[0]!, "INSERT INTO switched VALUES (0)")).toMatch(/^1290 /);
    });

    it("the password changes, and no login fails", async () => {
        const before = known.password;
        await statement(client, known, known.source, "CREATE TABLE rotated (id INT PRIMARY KEY)");
        const writer = await RowWriter.start(client, known, [known.source], "rotated");
        await rotate("mysql.password");
        known = await access();
        expect(known.password).not.toBe(before);
        writer.use(known.password);
        await new Promise((wake) => setTimeout(wake, 2000));
        await rotate("mysql.password", "--finish");
        await new Promise((wake) => setTimeout(wake, 2000));
        const { rows, errors } = await writer.stop();
        expect(errors).toEqual({});
        expect(rows).toBeGreaterThan(100);
        expect(await statement(client, known, known.source, "SELECT 1", { password: before })).toMatch(/^1045 /);
    });
});

describe("a replica that has lost a row", () => {
    it("is found when all rows are compared, and named", async () => {
        await asRoot("node-3", "STOP SLAVE SQL_THREAD");
        await statement(client, known, known.source, "INSERT INTO rows_ (text_) VALUES ('skipped')");
        const position = await asRoot("node-2", "SELECT @@gtid_binlog_pos");
        await asRoot("node-3", `STOP SLAVE; SET GLOBAL gtid_slave_pos = '${position}'; START SLAVE`);
        await statement(client, known, known.source, "INSERT INTO rows_ (text_) VALUES ('not skipped')");
        await configure("mysql.verify", "first");
        expect(await failedUp()).toMatch(/node-3: its rows are not the source's in app\.rows_/);
    });

    it("is rebuilt when asked", async () => {
        await configure("mysql.rebuild[0]", "node-3");
        await up();
        await holds("node-3", "rows_", 1003);
        await up({ expectNoChanges: true });
    });
});

it("goes back to where it was, and then nothing is left to do", async () => {
    for (const key of ["replicas", "source", "password", "verify", "rebuild"])
        await configure(`mysql.${key}`, undefined);
    await up();
    known = await access();
    expect([known.source.name, ...known.replicas.map(({ name }) => name)]).toEqual(["node-1", "node-2"]);
    await statement(client, known, known.source, "INSERT INTO rows_ (text_) VALUES ('back')");
    await holds("node-2", "rows_", 1004);
    expect((await onHost("node-3", "systemctl is-active mariadb")).stdout.trim()).toBe("inactive");
    expect((await status()).hosts.filter(({ name }) => name.startsWith("node-"))).toHaveLength(6);
    expect(await upChanges()).toEqual([]);
});
