/** The shared stack's files on GlusterFS: programs that use them, and what their servers say. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, onHost, outputOn, type Running, startOnHost } from "./lab";

/** Of a volume, as any of its servers tells it. */
export const volume = "gv0";

const program = (name: string): string => readFileSync(join(__dirname, "clients", name), "utf8");

/** A program that uses a file until it is told to stop, and ends with an error as soon as something fails. */
export class FileProgram<Report> {
    private constructor(private readonly process: Running) {}

    /**
     * Appends lines to a file, each of them synced. See clients/file_writer.py.
     * @param seconds until it writes
     * @returns when it writes
     */
    static writer(host: string, file: string, seconds = 30): Promise<FileProgram<Written>> {
        return FileProgram.start<Written>(host, ["python3", "-c", program("file_writer.py"), file], "writing", seconds);
    }

    /** Reads what a writer on another host writes. See clients/file_reader.py. @returns when it reads */
    static reader(host: string, file: string): Promise<FileProgram<Read>> {
        return FileProgram.start<Read>(host, ["python3", "-c", program("file_reader.py"), file], "reading", 30);
    }

    private static async start<Report>(
        host: string,
        command: readonly string[],
        word: string,
        seconds: number,
    ): Promise<FileProgram<Report>> {
        const process = await startOnHost(host, command);
        await process.told(word, seconds);
        return new FileProgram<Report>(process);
    }

    /** Ends it. @returns what it did. @throws Error when something failed, or it complained */
    async stop(): Promise<Report> {
        const { code, stdout, stderr } = await this.process.end();
        if (code !== 0 || stderr !== "") throw new Error(`The program ended with ${code}: ${stderr}`);
        return JSON.parse(stdout.trimEnd().split("\n").pop()!) as Report;
    }
}

/** How many lines were synced, and how many seconds the slowest took. */
interface Written {
    readonly lines: number;
    readonly longest: number;
}

interface Read extends Written {
    readonly reads: number;
}

/** Waits until no server has to receive anything from another. */
export async function healed(): Promise<void> {
    await eventually("nothing is left to heal", 120, async () => {
        const summary = await outputOn("node-1", `gluster volume heal ${volume} info summary`);
        const connected = summary.match(/^Status: Connected$/gm)?.length === 3;
        const pending = [...summary.matchAll(/^Total Number of entries: (.*)$/gm)].map(([, count]) => count);
        return (connected && pending.length === 3 && pending.every((count) => count === "0")) || undefined;
    });
}

/** Waits until each of the clients' addresses is connected to all three bricks. */
export async function connected(clients: readonly string[]): Promise<void> {
    await eventually("the clients are connected to every server", 60, async () => {
        const told = await outputOn("node-1", `gluster volume status ${volume} clients`);
        return clients.every((address) => told.split(`\n${address}:`).length > 3) || undefined;
    });
}

/** `address` and port of every brick. */
export async function bricks(): Promise<[string, number][]> {
    const told = await outputOn("node-1", `gluster volume status ${volume} detail`);
    const [addresses, ports] = [/^Brick +: Brick ([^:]+):/gm, /^TCP Port +: (\S+)/gm].map((pattern) =>
        [...told.matchAll(pattern)].map(([, found]) => found!),
    );
    return addresses!.map((address, index) => [address, Number(ports![index])]);
}

/** Where a host has its certificate, key and authorities, and where a copy of them may be. */
export const certificates = { own: "/usr/lib/ssl/glusterfs", copy: "/root/former-glusterfs" } as const;

/**
 * Logs a host in to servers with a certificate.
 * @param files beginnings of the names of the client's files and of those that it verifies the servers with
 * @returns what each server made of it
 */
export async function tlsLogins(
    host: string,
    servers: readonly (readonly [string, number])[],
    files: { readonly client: string; readonly authorities: string },
): Promise<string[]> {
    const input = JSON.stringify({
        servers,
        ca: `${files.authorities}.ca`,
        certificate: `${files.client}.pem`,
        key: `${files.client}.key`,
    });
    const command = `python3 -c "$(base64 -d <<<'${Buffer.from(program("tls_login.py")).toString("base64")}')"`;
    const { code, stdout, stderr } = await onHost(host, command, { input });
    if (code !== 0) throw new Error(`The logins ended with ${code}: ${stderr}`);
    return Object.values(JSON.parse(stdout) as Record<string, string>);
}
