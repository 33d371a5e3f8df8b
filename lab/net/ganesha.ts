/** From a mount target as it should be to what NFS-Ganesha reads. Pure. */
import type { DesiredAccess, DesiredMountTarget } from "../model/desired";

/** Where a mount target's files and its server's memory of clients are. */
export interface FileServerPlace {
    /** The folder that it exports. */
    readonly files: string;
    /** Where it remembers which clients may claim their locks after a restart. */
    readonly recovery: string;
}

const squashes: Readonly<Record<DesiredAccess["squash"], string>> = {
    none: "No_Root_Squash",
    root: "Root_Squash",
    all: "All_Squash",
};

/** Who nobody is, in the cloud as in Linux. */
const NOBODY = 65534;

/** The configuration of a mount target: version 4.0 on port 2049, one export, its rules in their order. */
export function ganeshaConfiguration(
    { address, rules }: DesiredMountTarget,
    { files, recovery }: FileServerPlace,
): string {
    return [
        block("NFS_CORE_PARAM", [
            "NFS_Protocols = 4;",
            "NFS_Port = 2049;",
            `Bind_addr = ${address};`,
            "Enable_UDP = false;",
            "Enable_NLM = false;",
            "Enable_RQUOTA = false;",
        ]),
        block("NFSv4", [
            "Minor_Versions = 0;",
            'RecoveryBackend = "fs";',
            `RecoveryRoot = "${recovery}";`,
            "Lease_Lifetime = 10;",
            "Grace_Period = 12;",
            "Only_Numeric_Owners = true;",
            // Without it a configuration of idmapd is asked for.
            "UseGetpwnam = true;",
        ]),
        block("NFS_KRB5", ["Active_krb5 = false;"]),
        block("EXPORT", [
            "Export_Id = 1;",
            `Path = "${files}";`,
            "Pseudo = /;",
            "Protocols = 4;",
            "Transports = TCP;",
            "SecType = sys;",
            "Access_Type = None;",
            `Anonymous_Uid = ${NOBODY};`,
            `Anonymous_Gid = ${NOBODY};`,
            "FSAL { Name = VFS; }",
            ...rules.map(clientBlock),
        ]),
        block("LOG", ["Default_Log_Level = EVENT;"]),
    ].join("\n");
}

function clientBlock({ source, write, squash }: DesiredAccess): string {
    // A range of all addresses is none to it: it would leave out the whole export.
    const clients = source.endsWith("/0") ? "*" : source;
    return `CLIENT { Clients = ${clients}; Protocols = 4; Access_Type = ${write ? "RW" : "RO"}; Squash = ${squashes[squash]}; }`;
}

function block(name: string, lines: readonly string[]): string {
    return `${name} {\n${lines.map((line) => `    ${line}\n`).join("")}}\n`;
}
