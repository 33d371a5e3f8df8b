import { problemsOf, Recorder, valueOf } from "../components/recorder";

const recorder = new Recorder();

import type * as pulumi from "@pulumi/pulumi";

import {
    type GlusterStorageArgs,
    Host,
    type KeyGenerations,
    SharedStorage,
    type SharedStorageArgs,
} from "../../../components";

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

function create(args: Partial<GlusterStorageArgs> = {}): SharedStorage {
    return new SharedStorage("files", {
        engine: "glusterfs",
        hosts: hosts("db", 3, 0),
        clients: hosts("web", 2, 1),
        ...args,
    });
}

async function created(args: Partial<GlusterStorageArgs> = {}): Promise<SharedStorage> {
    return settled(() => create(args));
}

async function settled(make: () => SharedStorage): Promise<SharedStorage> {
    recorder.clear();
    const storage = make();
    await valueOf(storage.clients);
    await recorder.settled();
    return storage;
}

function steps(): string[] {
    return recorder.names(commandType).filter((name) => !name.endsWith("-ready"));
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
        expect(steps()).toEqual([
            "files-db-1",
            "files-db-2",
            "files-db-3",
            "files-volume",
            "files-volume-standby",
            "files-web-1-mount",
            "files-web-2-mount",
        ]);
        expect(command("files-db-2")).toMatch(
            /^STEP=storage\/gluster-server@[0-9a-f]{8} PARAM_ADDRESS='10\.0\.0\.2' PARAM_BRICK='\/data\/bricks\/gv0\/brick' PARAM_BRICK_MOUNT='\/data\/bricks\/gv0' PARAM_PEERS='10\.0\.0\.1 10\.0\.0\.3' PARAM_TLS='true' bash --norc -s$/,
        );
        expect(command("files-volume")).toMatch(
            /^STEP=storage\/gluster-volume@[0-9a-f]{8} PARAM_ADDRESS='10\.0\.0\.1' PARAM_ARBITER='false' PARAM_BRICKS='10\.0\.0\.1:\/data\/bricks\/gv0\/brick 10\.0\.0\.2:\/data\/bricks\/gv0\/brick 10\.0\.0\.3:\/data\/bricks\/gv0\/brick' PARAM_CLIENTS='10\.0\.1\.1 10\.0\.1\.2' PARAM_MACHINES='10\.0\.0\.1=ssh-ed25519_AAAAdb1 10\.0\.0\.2=ssh-ed25519_AAAAdb2 10\.0\.0\.3=ssh-ed25519_AAAAdb3' PARAM_ON_SYSTEM_DISK='true' PARAM_PING_TIMEOUT='10' PARAM_TLS='true' PARAM_VOLUME='gv0' bash --norc -s$/,
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

    test("trusts both generations of the authority everywhere while keys rotate, with certificates of the one it works with", async () => {
        const secret = (step: string, name: string): string =>
            new RegExp(`SECRET_${name}=\\$?'([^']*)'`).exec(stdin(step))![1]!;
        const told = async (keys?: KeyGenerations): Promise<string[][]> => {
            await created(keys && { keys });
            return ["files-db-1", "files-db-3", "files-web-2-mount"].map((step) => [
                secret(step, "CA_CERTIFICATE"),
                secret(step, "CERTIFICATE"),
            ]);
        };
        const of = (authority: string, generation: string): string[][] =>
            ["db-1", "db-3", "web-2"].map((host) => [authority, `CERTIFICATE files-${host}${generation}`]);
        const both = String.raw`CERTIFICATE files-ca\nCERTIFICATE files-ca-g2\n`;
        expect(await told()).toEqual(of("CERTIFICATE files-ca", ""));
        expect(await told({ beside: 2 })).toEqual(of(both, ""));
        expect(await told({ generation: 2, beside: 1 })).toEqual(of(both, "-g2"));
        const issued = recorder.find("tls:index/locallySignedCert:LocallySignedCert", "files-web-2-g2");
        expect(issued.inputs["caCertPem"]).toBe("CERTIFICATE files-ca-g2");
        expect(await told({ generation: 2 })).toEqual(of("CERTIFICATE files-ca-g2", "-g2"));
        expect(recorder.names("tls:index/privateKey:PrivateKey")).not.toContain("files-ca");
    });

    test("undoes what it did on a host that leaves, and leaves the volume to those that stay", async () => {
        await created();
        for (const name of ["files-db-3", "files-web-2-mount"]) {
            expect(recorder.find(commandType, name).inputs["delete"]).toMatch(/ delete$/);
        }
        expect(recorder.find(commandType, "files-volume").inputs["delete"]).toBeUndefined();
    });

    test("looks after the volume at every change, whichever server was asked before", async () => {
        await created();
        expect(stdin("files-volume")).toContain("\nSTEP_SERVICE_WIDE=true\n");
        expect(stdin("files-db-1")).not.toContain("\nSTEP_SERVICE_WIDE=");
    });

    test("lists every problem before anything runs", () => {
        expect(
            problemsOf(() =>
                create({
                    hosts: [...hosts("db", 1, 0), ...hosts("volume", 1, 0)],
                    clients: [...hosts("web", 1, 1), ...hosts("web", 1, 1)],
                    mountPoint: "/data/bricks/gv0/x",
                    volume: "0 day",
                    pingTimeout: 1,
                    disks: { "db-1": "d-1", "db-9": "d-9" },
                    keys: { generation: 0 },
                    tls: false,
                    owner: { uid: -1, gid: 0, mode: "rwx" },
                }),
            ),
        ).toEqual([
            'SharedStorage "files" has 11 problems:',
            "  - hosts: 2 hosts: a volume takes 3, one of which may be an arbiter.",
            '  - clients[1]: "web-1" is listed twice.',
            "  - mountPoint: \"/data/bricks/gv0/x\" and the servers' own /data/bricks can't be within each other.",
            "  - owner.uid: -1 is not a number from 0 to 65534.",
            '  - owner.mode: "rwx" is not a mode in octal digits such as 2775.',
            '  - volume: "0 day" is not 1 to 32 letters, digits, _ and -, a letter first.',
            "  - pingTimeout: 1 is not a number of seconds from 3 to 300.",
            "  - disks.db-9: is none of the hosts db-1, volume-1.",
            "  - disks.volume-1: is missing: all servers have a data disk, or none has.",
            "  - keys.generation: 0 is not a generation's number, 1 or more.",
            "  - keys: are those of certificates, of which there are none without tls: leave it out.",
        ]);
        expect(problemsOf(() => create({ mountPoint: "/shared" }))[1]).toContain('mountPoint: "/shared" is not an');
    });

    test("says which engines there are, and which argument is another one's", () => {
        expect(problemsOf(() => create({ engine: "ceph" as never }))).toEqual([
            'SharedStorage "files" has 1 problem:',
            '  - engine: "ceph" is none of glusterfs, nfs, nas.',
        ]);
        const args = { engine: "nas", clients: [], vpcId: "vpc-1", vswitchId: "vsw-1", tls: true, hosts: [] };
        expect(problemsOf(() => new SharedStorage("files", args as SharedStorageArgs)).slice(1)).toEqual([
            "  - tls: goes with the engine glusterfs, not with nas: leave it out.",
            "  - hosts: goes with the engine glusterfs or nfs, not with nas: leave it out.",
        ]);
    });
});

describe("SharedStorage over NFS", () => {
    const clients = hosts("web", 2, 1);
    const nfs = (args: object = {}): SharedStorage =>
        new SharedStorage("files", { engine: "nfs", hosts: hosts("db", 1, 0), clients, ...args });

    test("runs one server and mounts it on the clients", async () => {
        const storage = await settled(() => nfs());
        expect(steps()).toEqual(["files-db-1", "files-web-1-mount", "files-web-2-mount"]);
        expect(command("files-db-1")).toMatch(
            /^STEP=storage\/nfs-server@[0-9a-f]{8} PARAM_CLIENTS='10\.0\.1\.1 10\.0\.1\.2' PARAM_DIRECTORY='\/data\/export' PARAM_GRACE_SECONDS='15' PARAM_ROOT_SQUASH='true' bash --norc -s$/,
        );
        expect(command("files-web-2-mount")).toMatch(
            /^STEP=storage\/nfs-client@[0-9a-f]{8} PARAM_MOUNT_POINT='\/data\/shared' PARAM_OPTIONS='vers=4\.2,hard,timeo=600,retrans=2,noresvport' PARAM_SOURCE='10\.0\.0\.1:\/' bash --norc -s$/,
        );
        expect(storage.volume).toBeUndefined();
        expect(recorder.find(commandType, "files-db-1").inputs["delete"]).toMatch(/ delete$/);
        expect(recorder.names("tls:index/privateKey:PrivateKey")).toEqual([]);
    });

    test("leaves it to the server whose the files are, as the clients' root may be nobody", async () => {
        await settled(() => nfs({ disks: { "db-1": "d-1" }, owner: { uid: 33, gid: 33 }, rootSquash: false }));
        expect(command("files-db-1")).toContain("PARAM_DISK='d-1' PARAM_FILESYSTEM='xfs'");
        expect(command("files-db-1")).toContain("PARAM_MODE='0755' PARAM_OWNER='33:33' PARAM_ROOT_SQUASH='false'");
        expect(command("files-web-1-mount")).not.toContain("OWNER");
    });

    test("takes one server, which is no client of its own", () => {
        expect(
            problemsOf(() =>
                nfs({
                    hosts: [...hosts("db", 2, 0)],
                    clients: hosts("db", 1, 0),
                    graceSeconds: 5,
                    exportDirectory: "/",
                }),
            ),
        ).toEqual([
            'SharedStorage "files" has 4 problems:',
            "  - hosts: 2 hosts: NFS has one server. For files that outlive a server take the engine glusterfs or nas.",
            expect.stringMatching(/^ {2}- exportDirectory: "\/" is not an absolute path/),
            "  - graceSeconds: 5 is not a number of seconds from 10 to 90.",
            '  - clients[0]: "db-1" is the server: a host that mounts its own files can lock up when memory runs short.',
        ]);
    });
});

describe("SharedStorage in the cloud's NAS", () => {
    const nas = (args: object = {}): SharedStorage =>
        new SharedStorage(
            "files",
            { engine: "nas", clients: hosts("web", 2, 1), vpcId: "vpc-1", vswitchId: "vsw-1", ...args },
            recorder.watched,
        );
    const protectFiles: pulumi.ResourceTransformation = ({ type, props, opts }) =>
        type === "alicloud:nas/fileSystem:FileSystem" ? { props, opts: { ...opts, protect: true } } : undefined;
    const inputs = (type: string, name = "files"): Record<string, unknown> =>
        recorder.find(`alicloud:nas/${type[0]!.toLowerCase()}${type.slice(1)}:${type}`, name).inputs;

    test("protects the files alone where it is told to as its document says", async () => {
        // Mocks run no `transforms`, and these are given the same.
        const transformations = [...recorder.watched.transformations!, protectFiles];
        await settled(
            () =>
                new SharedStorage(
                    "files",
                    { engine: "nas", clients: hosts("web", 1, 1), vpcId: "vpc-1", vswitchId: "vsw-1" },
                    { transformations },
                ),
        );
        const kept = recorder.observed.filter(({ type, name }) => recorder.isProtected(type, name));
        expect(kept.map(({ type }) => type)).toEqual(["alicloud:nas/fileSystem:FileSystem"]);
    });

    test("makes an encrypted file system with a mount target that lets in each client and nobody else", async () => {
        await settled(() => nas({ owner: { uid: 33, gid: 33 } }));
        expect(inputs("FileSystem")).toMatchObject({
            protocolType: "NFS",
            storageType: "Capacity",
            encryptType: 1,
            tags: { "multihost:resource": "files" },
        });
        expect(inputs("AccessGroup")).toMatchObject({ accessGroupName: "project-stack-files", accessGroupType: "Vpc" });
        // A component that is renamed keeps it, and with it its clients.
        expect(recorder.options("alicloud:nas/accessGroup:AccessGroup", "files").ignoreChanges).toEqual([
            "accessGroupName",
        ]);
        expect(recorder.names("alicloud:nas/accessRule:AccessRule")).toEqual(["files-web-1", "files-web-2"]);
        expect(inputs("AccessRule", "files-web-2")).toMatchObject({
            accessGroupName: "project-stack-files",
            sourceCidrIp: "10.0.1.2",
            rwAccessType: "RDWR",
            userAccessType: "no_squash",
        });
        expect(inputs("MountTarget")).toMatchObject({
            accessGroupName: "project-stack-files",
            networkType: "Vpc",
            vpcId: "vpc-1",
            vswitchId: "vsw-1",
        });
        expect(steps()).toEqual(["files-web-1-mount", "files-web-2-mount"]);
        expect(command("files-web-1-mount")).toMatch(
            /PARAM_OPTIONS='vers=4\.0,hard,timeo=600,retrans=2,noresvport' PARAM_OWNER='33:33' PARAM_SOURCE='[^']+:\/' bash --norc -s$/,
        );
    });

    test("squashes root where asked to, and refuses storage that there isn't", async () => {
        await settled(() => nas({ rootSquash: true, storageType: "Performance", zone: "cn-hangzhou-h" }));
        expect(inputs("AccessRule", "files-web-1")["userAccessType"]).toBe("root_squash");
        expect(inputs("FileSystem")).toMatchObject({ storageType: "Performance", zoneId: "cn-hangzhou-h" });
        expect(problemsOf(() => nas({ storageType: "Premium" }))[1]).toBe(
            '  - storageType: "Premium" is none of Capacity, Performance.',
        );
    });
});
