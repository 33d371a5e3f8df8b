import { problemsOf, Recorder, valueOf } from "../components/recorder";

const recorder = new Recorder();

import { Host, SharedStorage, type SharedStorageArgs } from "../../../components";

const commandType = "command:remote:Command";

function hosts(prefix: string, count: number, subnet: number): Host[] {
    return Array.from(
        { length: count },
        (_, index) =>
            new Host(`${prefix}-${index + 1}`, {
                address: `10.0.${subnet}.${index + 1}`,
                privateKey: "LOGIN KEY",
                hostKey: `ssh-ed25519 AAAA${prefix}${index + 1}`,
            }),
    );
}

function create(args: Partial<SharedStorageArgs> = {}): SharedStorage {
    return new SharedStorage("files", {
        engine: "glusterfs",
        hosts: hosts("db", 3, 0),
        clients: hosts("web", 2, 1),
        ...args,
    });
}

async function created(args: Partial<SharedStorageArgs> = {}): Promise<SharedStorage> {
    recorder.clear();
    const storage = create(args);
    await valueOf(storage.clients);
    await recorder.settled();
    return storage;
}

function command(name: string): string {
    return recorder.find(commandType, name).inputs["create"] as string;
}

function stdin(name: string): string {
    return recorder.find(commandType, name).inputs["stdin"] as string;
}

describe("SharedStorage", () => {
    test("runs three servers, makes a volume of them and mounts it on the clients", async () => {
        const storage = await created();
        expect(recorder.names(commandType).filter((name) => !name.endsWith("-ready"))).toEqual([
            "files-db-1",
            "files-db-2",
            "files-db-3",
            "files-volume",
            "files-web-1-mount",
            "files-web-2-mount",
        ]);
        expect(command("files-db-2")).toMatch(
            /^STEP=storage\/gluster-server@[0-9a-f]{8} PARAM_ADDRESS='10\.0\.0\.2' PARAM_BRICK='\/data\/bricks\/gv0\/brick' PARAM_BRICK_MOUNT='\/data\/bricks\/gv0' PARAM_PEERS='10\.0\.0\.1 10\.0\.0\.3' PARAM_TLS='true' bash --norc -s$/,
        );
        expect(command("files-volume")).toMatch(
            /^STEP=storage\/gluster-volume@[0-9a-f]{8} PARAM_ADDRESS='10\.0\.0\.1' PARAM_ARBITER='false' PARAM_BRICKS='10\.0\.0\.1:\/data\/bricks\/gv0\/brick 10\.0\.0\.2:\/data\/bricks\/gv0\/brick 10\.0\.0\.3:\/data\/bricks\/gv0\/brick' PARAM_CLIENTS='10\.0\.1\.1 10\.0\.1\.2' PARAM_ON_SYSTEM_DISK='true' PARAM_PING_TIMEOUT='10' PARAM_TLS='true' PARAM_VOLUME='gv0' bash --norc -s$/,
        );
        expect(command("files-web-2-mount")).toMatch(
            /^STEP=storage\/gluster-client@[0-9a-f]{8} PARAM_MOUNT_POINT='\/data\/shared' PARAM_SERVERS='10\.0\.0\.1 10\.0\.0\.2 10\.0\.0\.3' PARAM_TLS='true' PARAM_VOLUME='gv0' bash --norc -s$/,
        );
        expect(storage.mountPoint).toBe("/data/shared");
        expect(await valueOf(storage.clients)).toEqual(["web-1", "web-2"]);
    });

    test("puts the copies on data disks and says whose the files are", async () => {
        await created({
            disks: { "db-1": "d-1", "db-2": "d-2", "db-3": "/dev/vdb" },
            arbiter: true,
            owner: { uid: 33, gid: 33, mode: "2775" },
        });
        expect(command("files-db-3")).toContain("PARAM_DISK='/dev/vdb' PARAM_FILESYSTEM='xfs'");
        expect(command("files-volume")).toContain("PARAM_ARBITER='true'");
        expect(command("files-volume")).toContain("PARAM_ON_SYSTEM_DISK='false'");
        expect(command("files-web-1-mount")).toContain("PARAM_MODE='2775'");
        expect(command("files-web-1-mount")).toContain("PARAM_OWNER='33:33'");
    });

    test("gives every host one certificate, also one that serves files and mounts them, and keeps keys to standard input", async () => {
        const servers = hosts("db", 3, 0);
        await created({ hosts: servers, clients: servers });
        expect(recorder.names("tls:index/locallySignedCert:LocallySignedCert")).toEqual([
            "files-db-1",
            "files-db-2",
            "files-db-3",
        ]);
        for (const name of ["files-db-1", "files-db-1-mount"]) {
            expect(stdin(name)).toContain("SECRET_PRIVATE_KEY=");
            expect(command(name)).not.toMatch(/SECRET|PRIVATE/);
        }
        expect(stdin("files-volume")).not.toContain("SECRET_PRIVATE_KEY=");
        await created({ tls: false });
        expect(recorder.names("tls:index/privateKey:PrivateKey")).toEqual([]);
    });

    test("undoes what it did on a host that leaves, and leaves the volume to those that stay", async () => {
        await created();
        for (const name of ["files-db-3", "files-web-2-mount"]) {
            expect(recorder.find(commandType, name).inputs["delete"]).toMatch(/ delete$/);
        }
        expect(recorder.find(commandType, "files-volume").inputs["delete"]).toBeUndefined();
    });

    test("lists every problem before anything runs", () => {
        expect(
            problemsOf(() =>
                create({
                    engine: "nfs" as never,
                    hosts: [...hosts("db", 1, 0), ...hosts("volume", 1, 0)],
                    clients: [...hosts("web", 1, 1), ...hosts("web", 1, 1)],
                    mountPoint: "/data/bricks/gv0/x",
                    volume: "0 day",
                    pingTimeout: 1,
                    disks: { "db-1": "d-1", "db-9": "d-9" },
                    owner: { uid: -1, gid: 0, mode: "rwx" },
                }),
            ),
        ).toEqual([
            'SharedStorage "files" has 10 problems:',
            '  - engine: "nfs" is none of glusterfs.',
            "  - hosts: 2 hosts: a volume takes 3, one of which may be an arbiter.",
            '  - clients[1]: "web-1" is listed twice.',
            "  - mountPoint: \"/data/bricks/gv0/x\" and the servers' own /data/bricks can't be within each other.",
            '  - volume: "0 day" is not 1 to 32 letters, digits, _ and -, a letter first.',
            "  - pingTimeout: 1 is not a number of seconds from 3 to 300.",
            "  - disks.db-9: is none of the hosts db-1, volume-1.",
            "  - disks.volume-1: is missing: all servers have a data disk, or none has.",
            "  - owner.uid: -1 is not a number from 0 to 65534.",
            '  - owner.mode: "rwx" is not a mode in octal digits such as 2775.',
        ]);
        expect(problemsOf(() => create({ mountPoint: "/shared" }))[1]).toContain('mountPoint: "/shared" is not an');
    });
});
