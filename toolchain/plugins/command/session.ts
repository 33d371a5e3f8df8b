import type { Client, ClientChannel } from "ssh2";
import { abortReason, messageOf } from "./retry";

/** The server would not open one more session on this connection. */
export class SessionRefused extends Error {}

/** The connection turned out dead before the command was sent: it is safe to run it on another. */
export class ConnectionGone extends Error {}

/** The server refused an environment variable. */
export class EnvironmentRefused extends Error {
    constructor(readonly variable: string) {
        super(`could not set environment variable "${variable}": ssh: setenv failed`);
    }
}

export interface Exit {
    readonly code: number | undefined;
    readonly signal: string | undefined;
}

// ssh2's public `exec` sends environment variables without asking for an answer, so that a refusal goes unnoticed.
// These are the parts of its client (version pinned in package.json) with which an answer can be asked for.
type Channel = ClientChannel & {
    _callbacks: ((failed?: boolean | Error) => void)[];
    incoming: { state: string };
    outgoing: { id: number; state: string };
    subtype: string;
    allowHalfOpen: boolean;
};
interface Internals {
    _chanMgr: { add(opened: OnOpen): number };
    _protocol: {
        session(channel: number, window: number, packet: number): void;
        env(channel: number, name: string, value: string, wantReply: boolean): void;
        exec(channel: number, command: string, wantReply: boolean): void;
        signal(channel: number, name: string): void;
    };
}
type OnOpen = ((error: (Error & { reason?: number }) | undefined, channel: Channel) => void) & { type?: string };

const windowSize = 2 * 1024 * 1024;
const packetSize = 32 * 1024;
// Longer than a busy host takes; an idle connection that was cut silently shows only here.
const openTimeout = 20_000;
const signalGrace = 300;
const terminatorTime = 3_000;
const closeGrace = 500;
const refused = "refused";

function openChannel(client: Client, signal: AbortSignal): Promise<Channel> {
    const internals = client as unknown as Internals;
    return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new ConnectionGone("ssh: no answer to opening a session")), openTimeout);
        const onAbort = () => {
            clearTimeout(timer);
            reject(abortReason(signal));
        };
        signal.addEventListener("abort", onAbort, { once: true });
        const opened: OnOpen = (error, channel) => {
            clearTimeout(timer);
            signal.removeEventListener("abort", onAbort);
            if (error === undefined) {
                if (signal.aborted) {
                    channel.close();
                }
                resolve(channel);
            } else if (error.reason !== undefined) {
                reject(new SessionRefused(`ssh: rejected: ${error.message}`));
            } else {
                reject(new ConnectionGone(`ssh: ${error.message}`));
            }
        };
        opened.type = "session";
        try {
            const id = internals._chanMgr.add(opened);
            if (id === -1) {
                throw new Error("no free channel");
            }
            internals._protocol.session(id, windowSize, packetSize);
        } catch (error) {
            clearTimeout(timer);
            reject(new ConnectionGone(`ssh: ${messageOf(error)}`));
        }
    });
}

function request(channel: Channel, send: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
        if (channel.outgoing.state !== "open") {
            reject(new Error("connection lost"));
            return;
        }
        channel._callbacks.push((failed) => {
            if (!failed) {
                resolve();
            } else if (channel.incoming.state === "open") {
                reject(new Error(refused));
            } else {
                // ssh2 fails what is outstanding when a channel or its connection closes.
                reject(new Error("connection lost"));
            }
        });
        send();
    });
}

export interface Variable {
    readonly name: string;
    readonly value: string;
    /** Called instead of failing when the server refuses the variable. */
    readonly onRefused?: () => void;
}

export interface Execution {
    readonly command: string;
    readonly variables: readonly Variable[];
    readonly stdin: string | undefined;
    readonly onStdout: (chunk: Buffer) => void;
    readonly onStderr: (chunk: Buffer) => void;
    readonly signal: AbortSignal;
}

// A server does not pass signals on to root's commands, nor does an old one to anybody's. A second session on the same
// connection can: its own leader and the command's are children of the same server process. The command's is known by
// its text, which comes by standard input, or by being the only one. Its shell may have become the last program in it, which then is a part
// of the text; programs of several commands may look the same, but not with the variables that the text sets before them.
const terminator = `: multihost-terminator
want=$(tr "\\n" " " | tr -d "\\042\\047\\134")
read -r _ _ _ _ _ own _ < /proc/$$/stat
read -r _ _ _ server _ < /proc/$own/stat
targets= only=
for stat in /proc/[0-9]*/stat; do
    read -r line 2>/dev/null < "$stat" || continue
    pid=\${stat#/proc/}; pid=\${pid%/stat}
    set -- \${line##*) }
    [ "$2" = "$server" ] && [ "$pid" != "$own" ] || continue
    have=$(tr "\\000\\n" "  " 2>/dev/null < "/proc/$pid/cmdline" | tr -d "\\042\\047\\134")
    case "$have" in *multihost-terminator*) continue ;; esac
    only="$only $pid"
    case "$have" in *"$want "*) targets="$targets $pid"; continue ;; esac
    case "$want" in *"\${have% }"*) ;; *) continue ;; esac
    vars=" $(tr "\\000\\n" "  " 2>/dev/null < "/proc/$pid/environ" | tr -d "\\042\\047\\134") "
    set -f
    for word in \${want%%"\${have% }"*}; do
        case "$word" in
            *";") ;;
            [A-Z]*=*) case "$vars" in *" $word "*) ;; *) continue 2 ;; esac ;;
        esac
    done
    targets="$targets $pid"
done
set -- $only
[ -n "$targets" ] || [ $# -ne 1 ] || targets=$1
alive() { for pid in $targets; do kill -0 "-$pid" 2>/dev/null && return 0; done; return 1; }
for pid in $targets; do kill -TERM "-$pid" 2>/dev/null; done
for _ in 1 2 3 4 5 6 7 8 9 10; do alive || exit 0; sleep 0.1; done
for pid in $targets; do kill -KILL "-$pid" 2>/dev/null; done
`;

async function runTerminator(client: Client, command: string): Promise<void> {
    await execute(client, {
        command: `/bin/sh -c '${terminator}'`,
        variables: [],
        stdin: command,
        onStdout: () => undefined,
        onStderr: () => undefined,
        signal: new AbortController().signal,
    });
}

/** Ends a remote command: asks it to terminate, then kills it. The channel closes whether or not that works. */
async function terminate(client: Client, channel: Channel, command: string): Promise<void> {
    const closed = new Promise<void>((resolve) => channel.once("close", () => resolve()));
    const within = (milliseconds: number, work: Promise<unknown> = closed) =>
        new Promise<boolean>((resolve) => {
            const timer = setTimeout(() => resolve(false), milliseconds);
            const settle = () => {
                clearTimeout(timer);
                resolve(true);
            };
            work.then(settle, settle);
        });
    const open = () => ["open", "eof"].includes(channel.outgoing.state);
    channel.resume();
    channel.stderr.resume();
    if (open()) {
        // Not channel.signal(), which says nothing once the command's input has ended.
        (client as unknown as Internals)._protocol.signal(channel.outgoing.id, "TERM");
        if (!(await within(signalGrace))) {
            await within(terminatorTime, runTerminator(client, command));
        }
    }
    if (open() && !(await within(closeGrace))) {
        channel.close();
        await within(closeGrace);
    }
}

/**
 * Runs one command in a session of its own. When `signal` aborts, the remote process is ended first, so that an engine
 * which ends this process next leaves nothing behind.
 */
export async function execute(client: Client, execution: Execution): Promise<Exit> {
    const protocol = (client as unknown as Internals)._protocol;
    const channel = await openChannel(client, execution.signal);
    try {
        for (const { name, value, onRefused } of execution.variables) {
            try {
                await request(channel, () => protocol.env(channel.outgoing.id, name, value, true));
            } catch (error) {
                if (messageOf(error) !== refused) {
                    throw new ConnectionGone(`ssh: ${messageOf(error)}`);
                }
                if (onRefused === undefined) {
                    throw new EnvironmentRefused(name);
                }
                onRefused();
            }
        }
        execution.signal.throwIfAborted();
    } catch (error) {
        channel.on("error", () => undefined);
        channel.close();
        throw error;
    }
    return new Promise((resolve, reject) => {
        const { signal } = execution;
        let exit: Exit = { code: undefined, signal: undefined };
        const onAbort = () => {
            channel.removeAllListeners("data");
            channel.stderr.removeAllListeners("data");
            void terminate(client, channel, execution.command).then(() => reject(abortReason(signal)));
        };
        signal.addEventListener("abort", onAbort, { once: true });
        const settle = () => signal.removeEventListener("abort", onAbort);

        channel.on("error", () => undefined);
        channel.stderr.on("error", () => undefined);
        channel.on("data", execution.onStdout);
        channel.stderr.on("data", execution.onStderr);
        channel.on("exit", (code: number | null, name?: string) => {
            exit = { code: code ?? undefined, signal: name?.replace(/^SIG/, "") };
        });
        channel.on("close", () => {
            settle();
            if (!signal.aborted) {
                resolve(exit);
            }
        });
        request(channel, () => protocol.exec(channel.outgoing.id, execution.command, true)).catch((error: unknown) => {
            settle();
            channel.close();
            reject(new Error(`ssh: command ${JSON.stringify(execution.command)} failed: ${messageOf(error)}`));
        });
        channel.subtype = "exec";
        channel.allowHalfOpen = true;
        channel.end(execution.stdin ?? "");
    });
}
