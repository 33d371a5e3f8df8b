import { constants } from "node:os";
import type { Operation } from "../common/plugin";
import type { Fields } from "../common/schema";
import { plain, type ValueMap } from "../common/values";
import { CommandLifecycle, guarded, type Outputs, textOf, triggersField } from "./lifecycle";
import { CommandOutput } from "./output";
import type { ConnectionPool } from "./pool";
import { EnvironmentRefused, execute, type Exit, type Variable } from "./session";
import { connectionField, connectionOf, credentialsOf } from "./settings";

/** What a program gives a command on another machine. */
export const fields: Fields = {
    triggers: triggersField,
    create: { type: "string" },
    update: { type: "string" },
    delete: { type: "string" },
    stdin: { type: "string" },
    logging: { type: "string" },
    connection: connectionField,
    environment: { type: "map", items: { type: "string" } },
    addPreviousOutputInEnv: { type: "boolean" },
};

// Linux passes no longer string to a process, and an SSH packet that carried one would cut the connection.
const longestVariable = 128 * 1024;

function refusalAdvice(variable: string): string {
    return (
        `Unable to set '${variable}'. This only works if your SSH server is configured to accept\n` +
        "\tthese variables via AcceptEnv. Alternatively, if a Bash-like shell runs the command on the remote host, " +
        "you could\n\tprefix the command itself with the variables in the form 'VAR=value command'"
    );
}

function failureOf({ code, signal }: Exit): string | undefined {
    if (signal !== undefined) {
        const number = (constants.signals as Record<string, number>)[`SIG${signal}`];
        return `Process exited with status ${number === undefined ? 1 : 128 + number} from signal ${signal}`;
    }
    if (code === undefined) {
        return "wait: remote command exited without exit status or exit signal";
    }
    return code === 0 ? undefined : `Process exited with status ${code}`;
}

export function remoteCommand(pool: ConnectionPool): CommandLifecycle {
    const run = async (
        command: string,
        values: ValueMap,
        previous: ValueMap,
        operation: Operation,
    ): Promise<Outputs> => {
        const connection = connectionOf(values["connection"]);
        const { log, signal } = operation;
        const output = new CommandOutput(log, values["logging"]);

        const environment = (plain(values["environment"] ?? {}) ?? {}) as Record<string, string>;
        const variables: Variable[] = Object.entries(environment).map(([name, value]) => ({ name, value }));
        if (plain(values["addPreviousOutputInEnv"] ?? true) !== false) {
            for (const stream of ["stdout", "stderr"] as const) {
                const name = `PULUMI_COMMAND_${stream.toUpperCase()}`;
                const value = textOf(previous, stream) ?? "";
                const onRefused = () => log.message("warning", refusalAdvice(name));
                if (Buffer.byteLength(value) > longestVariable) {
                    log.message("warning", `Unable to set '${name}': the previous ${stream} is longer than 128 KiB`);
                } else if (value !== "") {
                    variables.push({ name, value, onRefused });
                }
            }
        }

        return guarded(values, credentialsOf(connection), async () => {
            try {
                const exit = await pool.use(connection, { signal, status: (text) => log.status(text) }, (client) =>
                    execute(client, {
                        command,
                        variables,
                        stdin: textOf(values, "stdin"),
                        onStdout: output.onStdout,
                        onStderr: output.onStderr,
                        signal,
                    }),
                );
                output.end();
                const failure = failureOf(exit);
                if (failure !== undefined) {
                    throw new Error(`${failure}: running ${JSON.stringify(command)}:\n${output.forError}`);
                }
            } catch (error) {
                output.end();
                if (error instanceof EnvironmentRefused) {
                    log.message("error", refusalAdvice(error.variable));
                }
                throw error;
            }
            return { stdout: output.stdout, stderr: output.stderr };
        });
    };
    return new CommandLifecycle(fields, ["stdout", "stderr"], run);
}
