import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { Client, SFTPWrapper, Stats } from "ssh2";
import { changes } from "../common/diff";
import type { Created, DiffRequest, Operation, Resource } from "../common/plugin";
import { check, type Checked, type Fields } from "../common/schema";
import { equal, isArchive, isAsset, plain, type ValueMap } from "../common/values";
import { guarded, triggersField, uniqueId } from "./lifecycle";
import type { ConnectionPool } from "./pool";
import { abortReason, messageOf } from "./retry";
import { ConnectionGone, SessionRefused } from "./session";
import { connectionField, connectionOf, credentialsOf } from "./settings";

const noSuchFile = 2;

function openSftp(client: Client): Promise<SFTPWrapper> {
    return new Promise((resolve, reject) => {
        try {
            client.sftp((error: (Error & { reason?: unknown }) | undefined, sftp) => {
                if (error === undefined) {
                    resolve(sftp);
                } else if (error.reason !== undefined) {
                    reject(new SessionRefused(`ssh: rejected: ${error.message}`));
                } else if (/subsystem/i.test(error.message)) {
                    reject(new Error("ssh: subsystem request failed: the server offers no sftp"));
                } else {
                    reject(new ConnectionGone(`ssh: ${error.message}`));
                }
            });
        } catch (error) {
            reject(new ConnectionGone(`ssh: ${messageOf(error)}`));
        }
    });
}

/** The few operations on remote files that copying takes, with errors that say which file. */
class RemoteFiles {
    constructor(private readonly sftp: SFTPWrapper) {}

    async stat(file: string): Promise<Stats | undefined> {
        return new Promise((resolve, reject) => {
            this.sftp.stat(file, (error, stats) => {
                if (error === undefined) {
                    resolve(stats);
                } else if ((error as { code?: number }).code === noSuchFile) {
                    resolve(undefined);
                } else {
                    reject(new Error(`failed to stat remote path ${file}: ${error.message}`));
                }
            });
        });
    }

    async makeDirectory(directory: string): Promise<void> {
        await new Promise<void>((resolve, reject) => {
            this.sftp.mkdir(directory, (error) => (error ? reject(error) : resolve()));
        }).catch(async (error: unknown) => {
            // Another copy may have made it in between.
            if (!(await this.stat(directory))?.isDirectory()) {
                throw new Error(`failed to create remote directory ${directory}: ${messageOf(error)}`);
            }
        });
    }

    async makeDirectories(directory: string): Promise<void> {
        const stats = await this.stat(directory);
        if (stats?.isDirectory()) {
            return;
        }
        if (stats !== undefined) {
            throw new Error(`remote path ${directory} exists but is not a directory`);
        }
        const parent = path.posix.dirname(directory);
        if (parent !== directory) {
            await this.makeDirectories(parent);
        }
        await this.makeDirectory(directory);
    }

    async write(file: string, content: string): Promise<void> {
        await new Promise<void>((resolve, reject) => {
            this.sftp.writeFile(file, content, (error) => (error ? reject(error) : resolve()));
        }).catch((error: unknown) => {
            throw new Error(`failed to write text content to remote path ${file}: ${messageOf(error)}`);
        });
    }

    async upload(source: string, destination: string): Promise<void> {
        await new Promise<void>((resolve, reject) => {
            this.sftp.fastPut(source, destination, (error) => (error ? reject(error) : resolve()));
        }).catch((error: unknown) => {
            throw new Error(`failed to copy file ${source} to remote path ${destination}: ${messageOf(error)}`);
        });
    }
}

async function copyText(remote: RemoteFiles, content: string, destination: string): Promise<void> {
    if ((await remote.stat(destination))?.isDirectory()) {
        throw new Error(
            `remote path ${destination} is a directory; when using a text asset, remotePath must be a file path`,
        );
    }
    await remote.makeDirectories(path.posix.dirname(destination));
    await remote.write(destination, content);
}

async function copyDirectory(remote: RemoteFiles, source: string, destination: string): Promise<void> {
    const stats = await remote.stat(destination);
    if (stats === undefined) {
        await remote.makeDirectory(destination);
    } else if (!stats.isDirectory()) {
        throw new Error(`remote path ${destination} exists but is not a directory`);
    }
    const entries = await fs.readdir(source, { withFileTypes: true });
    for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
        const [from, to] = [path.join(source, entry.name), path.posix.join(destination, entry.name)];
        await (entry.isDirectory() ? copyDirectory(remote, from, to) : remote.upload(from, to));
    }
}

async function copyPath(remote: RemoteFiles, source: string, destination: string): Promise<void> {
    const isDirectory = (await fs.stat(source)).isDirectory();
    const stats = await remote.stat(destination);
    if (isDirectory) {
        if (stats === undefined) {
            await remote.makeDirectories(destination);
        }
        // As with cp and rsync, a trailing slash means the content of the directory, not the directory.
        const target = source.endsWith("/") ? destination : path.posix.join(destination, path.basename(source));
        await copyDirectory(remote, source, target);
    } else if (stats?.isDirectory()) {
        await remote.upload(source, path.posix.join(destination, path.basename(source)));
    } else {
        if (stats === undefined) {
            await remote.makeDirectories(path.posix.dirname(destination));
        }
        await remote.upload(source, destination);
    }
}

async function withRemoteFiles(
    pool: ConnectionPool,
    values: ValueMap,
    operation: Operation,
    action: (remote: RemoteFiles) => Promise<void>,
): Promise<void> {
    const connection = connectionOf(values["connection"]);
    const { signal, log } = operation;
    await guarded(values, credentialsOf(connection), () =>
        pool.use(connection, { signal, status: (text) => log.status(text) }, async (client) => {
            const sftp = await openSftp(client);
            const lost = new Promise<never>((_, reject) => {
                sftp.once("close", () => reject(new Error("connection lost")));
            });
            lost.catch(() => undefined);
            let onAbort: () => void = () => undefined;
            const aborted = new Promise<never>((_, reject) => {
                onAbort = () => reject(abortReason(signal));
                signal.addEventListener("abort", onAbort);
            });
            try {
                signal.throwIfAborted();
                await Promise.race([action(new RemoteFiles(sftp)), lost, aborted]);
            } finally {
                signal.removeEventListener("abort", onAbort);
                sftp.end();
            }
        }),
    );
}

const copyToRemoteFields: Fields = {
    connection: connectionField,
    triggers: triggersField,
    source: { type: "assetOrArchive", required: true },
    remotePath: { type: "string", required: true },
};

function checkSource({ inputs, failures }: Checked): Checked {
    const source = plain(inputs["source"] ?? null) as ValueMap;
    const property = isAsset(source) ? "asset" : "archive";
    if (isAsset(source) && source["path"] === undefined && source["text"] === undefined) {
        failures.push({ property, reason: "asset must be a path-based file asset or a text asset" });
    }
    if (isArchive(source) && source["path"] === undefined) {
        failures.push({ property, reason: "archive must be a path to a file or directory" });
    }
    return { inputs, failures };
}

export function copyToRemote(pool: ConnectionPool): Resource {
    const copy = (inputs: ValueMap, operation: Operation) => {
        const source = plain(inputs["source"]!) as ValueMap;
        const remotePath = plain(inputs["remotePath"]!) as string;
        return withRemoteFiles(pool, inputs, operation, (remote) =>
            typeof source["path"] === "string"
                ? copyPath(remote, source["path"], remotePath)
                : copyText(remote, source["text"] as string, remotePath),
        );
    };
    return {
        check: (inputs) => checkSource(check(copyToRemoteFields, inputs)),
        diff: diffOf(copyToRemoteFields, (property) => property === "triggers"),
        create: async (inputs, operation): Promise<Created> => {
            if (!operation.preview) {
                await copy(inputs, operation);
            }
            return { id: uniqueId(""), outputs: inputs };
        },
        read: async (id, outputs, inputs) => ({ id, outputs, inputs }),
        update: async (state, inputs, operation) => {
            const same = equal(state["source"], inputs["source"]) && equal(state["remotePath"], inputs["remotePath"]);
            if (!operation.preview && !same) {
                await copy(inputs, operation);
            }
            return inputs;
        },
        delete: async () => undefined,
    };
}

const copyFileFields: Fields = {
    connection: connectionField,
    triggers: triggersField,
    localPath: { type: "string", required: true },
    remotePath: { type: "string", required: true },
};

/** The deprecated forerunner of CopyToRemote: one file, and every change replaces. */
export function copyFile(pool: ConnectionPool): Resource {
    return {
        check: (inputs) => check(copyFileFields, inputs),
        diff: diffOf(copyFileFields, () => true),
        create: async (inputs, operation): Promise<Created> => {
            if (!operation.preview) {
                const [source, destination] = [inputs["localPath"]!, inputs["remotePath"]!].map(plain) as [
                    string,
                    string,
                ];
                await fs.access(source, fs.constants.R_OK);
                await withRemoteFiles(pool, inputs, operation, (remote) => remote.upload(source, destination));
            }
            return { id: uniqueId(""), outputs: inputs };
        },
        read: async (id, outputs, inputs) => ({ id, outputs, inputs }),
        update: async () => {
            throw new Error("Update is not implemented for resource command:remote:CopyFile");
        },
        delete: async () => undefined,
    };
}

function diffOf(fields: Fields, replaces: (property: string) => boolean) {
    return ({ oldInputs, newInputs }: DiffRequest) =>
        changes(Object.fromEntries(Object.entries(oldInputs).filter(([key]) => key in fields)), newInputs, replaces);
}
