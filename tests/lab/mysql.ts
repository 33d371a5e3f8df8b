/** Clients of the stack's database servers, on a host that runs none of them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { onHost, outputs, startOnHost, type Running } from "./lab";

/** One of the stack's database servers. */
export interface Server {
    readonly name: string;
    readonly address: string;
    readonly port: number;
}

/** What a stack's outputs say. */
export interface Access {
    readonly source: Server;
    readonly replicas: readonly Server[];
    readonly user: string;
    readonly password: string;
    readonly database: string;
    readonly ca: string;
}

export async function access(stack = "lab"): Promise<Access> {
    const { mysqlSource, mysqlReplicas, mysqlUrl, mysqlCaCertificate } = await outputs(stack);
    const url = new URL(mysqlUrl as string);
    return {
        source: mysqlSource as Server,
        replicas: mysqlReplicas as Server[],
        user: url.username,
        password: decodeURIComponent(url.password),
        database: url.pathname.slice(1),
        ca: mysqlCaCertificate as string,
    };
}

/** Installs a standard client on a host. */
export async function installClient(host: string): Promise<void> {
    const install = "(apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install python3-pymysql) >&2";
    const { code, stderr } = await onHost(host, install, { seconds: 180 });
    if (code !== 0) throw new Error(`python3-pymysql could not be installed on ${host}: ${stderr}`);
}

/** A statement by a client of its own. */
export interface Attempt {
    readonly server: Server;
    readonly sql: string;
    /** @default the application's, as the outputs say */
    readonly user?: string;
    readonly password?: string;
    /** @default true: the server's certificate is verified, and names its address */
    readonly encrypted?: boolean;
}

/** Runs statements from a host, each on a connection of its own. @returns rows, or an error's number and text in place of them */
export async function attempts(
    host: string,
    { user, password, database, ca }: Access,
    statements: readonly Attempt[],
): Promise<(unknown[][] | string)[]> {
    // As data on standard input, since a command line can be read by anyone.
    const settings = JSON.stringify({
        ca,
        statements: statements.map((attempt) => ({ user, password, database, encrypted: true, ...attempt })),
    });
    const source = `
import json, ssl, pymysql
settings = json.loads(${JSON.stringify(settings)})
verified = ssl.create_default_context(cadata=settings["ca"])
def run(server, sql, encrypted, **login):
    try:
        connection = pymysql.connect(host=server["address"], port=server["port"], autocommit=True, connect_timeout=5,
            ssl=verified if encrypted else None, ssl_disabled=not encrypted, **login)
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()
    except pymysql.MySQLError as error:
        return " ".join(str(part) for part in error.args)
print(json.dumps([run(**statement) for statement in settings["statements"]], default=str))
`;
    const { code, stdout, stderr } = await onHost(host, "python3 -", { input: source });
    if (code !== 0) throw new Error(`${stdout}\n${stderr}`);
    return JSON.parse(stdout) as (unknown[][] | string)[];
}

/** Runs one statement; see {@link attempts}. */
export async function statement(
    host: string,
    known: Access,
    server: Server,
    sql: string,
    login: { readonly password?: string } = {},
): Promise<unknown[][] | string> {
    return (await attempts(host, known, [{ server, sql, ...login }]))[0]!;
}

export interface WriteReport {
    /** Rows that were acknowledged; their ids are 1 to this number. */
    readonly rows: number;
    /** Errors that the client saw and answered with another try. */
    readonly errors: Readonly<Record<string, number>>;
    /** Seconds between two acknowledged rows, at most. */
    readonly longest: number;
}

/** An application that goes on writing while the test does something to the servers. See clients/mysql_writer.py. */
export class RowWriter {
    private constructor(private readonly process: Running) {}

    /** @returns when it writes. */
    static async start(host: string, known: Access, servers: readonly Server[], table: string): Promise<RowWriter> {
        const program = readFileSync(join(__dirname, "clients", "mysql_writer.py"), "utf8");
        const process = await startOnHost(host, ["python3", "-c", program]);
        const addresses = servers.map(({ address, port }) => [address, port]);
        process.say(JSON.stringify({ ...known, servers: addresses, table }));
        await process.told("writing", 60);
        return new RowWriter(process);
    }

    /** What is another from now on. */
    use(changes: Partial<Pick<Access, "password" | "ca">>): void {
        this.process.say(JSON.stringify(changes));
    }

    /** Ends it. @returns what it wrote */
    async stop(): Promise<WriteReport> {
        const { code, stdout, stderr } = await this.process.end();
        if (code !== 0) throw new Error(`The writer ended with ${code}: ${stderr}`);
        return JSON.parse(stdout.trimEnd().split("\n").pop()!) as WriteReport;
    }
}
