import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";

export interface KeyPair {
    readonly privateKey: string;
    readonly publicKey: string;
    readonly file: string;
}

/**
 * Whether accounts are judged by PAM. Without it sshd refuses an account whose password is locked, even with a key; only root's server
 * can tell.
 */
function usesPam(): boolean {
    if (process.getuid?.() !== 0) return false;
    const isLocked = new RegExp(`^${currentUser}:!`, "m").test(fs.readFileSync("/etc/shadow", "utf8"));
    if (isLocked && !fs.existsSync("/etc/pam.d/sshd")) {
        throw new Error(
            `The password of ${currentUser} is locked, and without PAM sshd lets nobody into such an account: usermod -p '*' ${currentUser}`,
        );
    }
    return isLocked;
}

function sshdProgram(): string {
    const found = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"].find((file) => fs.existsSync(file));
    if (found === undefined) {
        throw new Error("These tests need a real SSH server: install the package openssh-server.");
    }
    return found;
}

export function makeKey(folder: string, name: string, type = "ed25519", passphrase = ""): KeyPair {
    const file = path.join(folder, name);
    execFileSync("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-C", name, "-f", file]);
    return {
        file,
        privateKey: fs.readFileSync(file, "utf8"),
        publicKey: fs.readFileSync(`${file}.pub`, "utf8").trim(),
    };
}

export function freePort(): Promise<number> {
    return new Promise((resolve, reject) => {
        const server = net.createServer();
        server.once("error", reject);
        server.listen(0, "127.0.0.1", () => {
            const { port } = server.address() as net.AddressInfo;
            server.close(() => resolve(port));
        });
    });
}

/** A real SSH server on the loopback interface, with its own configuration, host key and log. */
export class Sshd {
    private process: ChildProcess | undefined;

    private constructor(
        readonly port: number,
        readonly hostKey: KeyPair,
        private readonly config: string,
        private readonly logFile: string,
    ) {}

    static async start(
        folder: string,
        authorized: readonly string[],
        options: readonly string[] = [],
        port?: number,
    ): Promise<Sshd> {
        const own = fs.mkdtempSync(path.join(folder, "sshd-"));
        const hostKey = makeKey(own, "host_key");
        const authorizedKeys = path.join(own, "authorized_keys");
        fs.writeFileSync(authorizedKeys, `${authorized.join("\n")}\n`, { mode: 0o600 });
        const chosen = port ?? (await freePort());
        const config = path.join(own, "sshd_config");
        fs.writeFileSync(
            config,
            [
                ...options,
                `Port ${chosen}`,
                "ListenAddress 127.0.0.1",
                `HostKey ${hostKey.file}`,
                `AuthorizedKeysFile ${authorizedKeys}`,
                `PidFile ${path.join(own, "pid")}`,
                "StrictModes no",
                `UsePAM ${usesPam() ? "yes" : "no"}`,
                "PasswordAuthentication no",
                "KbdInteractiveAuthentication no",
                "LogLevel VERBOSE",
                "MaxStartups 100",
                "Subsystem sftp internal-sftp",
                // Keeps bash from running the start-up files of whoever runs the tests, which can take long.
                "SetEnv SHLVL=2",
                "",
            ].join("\n"),
        );
        const sshd = new Sshd(chosen, hostKey, config, path.join(own, "log"));
        await sshd.launch();
        return sshd;
    }

    async launch(): Promise<void> {
        if (process.getuid?.() === 0) {
            // sshd drops its privileges into this folder; a distribution's service manager makes it at boot.
            fs.mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
        }
        this.process = spawn(sshdProgram(), ["-D", "-f", this.config, "-E", this.logFile], { stdio: "ignore" });
        for (let attempt = 0; attempt < 100; attempt++) {
            if (await this.answers()) {
                return;
            }
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
        throw new Error(`sshd does not start: ${this.log()}`);
    }

    log(): string {
        return fs.existsSync(this.logFile) ? fs.readFileSync(this.logFile, "utf8") : "";
    }

    /** How many logins the server has accepted so far. */
    logins(): number {
        return this.log().match(/^Accepted publickey for /gm)?.length ?? 0;
    }

    async stop(): Promise<void> {
        const child = this.process;
        this.process = undefined;
        if (child?.exitCode === null) {
            const gone = new Promise((resolve) => child.once("exit", resolve));
            child.kill("SIGTERM");
            await gone;
        }
    }

    private answers(): Promise<boolean> {
        return new Promise((resolve) => {
            const socket = net.connect(this.port, "127.0.0.1");
            socket.once("data", () => {
                socket.destroy();
                resolve(true);
            });
            socket.once("error", () => resolve(false));
            socket.once("close", () => resolve(false));
        });
    }
}

export function temporaryFolder(): string {
    return fs.mkdtempSync(path.join(os.tmpdir(), "multihost-plugins-"));
}

export const currentUser = os.userInfo().username;
