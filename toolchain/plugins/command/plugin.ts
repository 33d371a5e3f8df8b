import type { Plugin } from "../common/plugin";
import { copyFile, copyToRemote } from "./copy";
import { localCommand, localRun } from "./localCommand";
import { ConnectionPool } from "./pool";
import { remoteCommand } from "./remoteCommand";

export function commandPlugin(): Plugin {
    const pool = new ConnectionPool();
    return {
        name: "command",
        version: "1.2.1",
        acceptSecrets: true,
        resources: {
            "command:local:Command": localCommand(),
            "command:remote:Command": remoteCommand(pool),
            "command:remote:CopyToRemote": copyToRemote(pool),
            "command:remote:CopyFile": copyFile(pool),
        },
        functions: { "command:local:run": localRun() },
        checkConfig: (inputs) => ({ inputs, failures: [] }),
        configure: () => undefined,
        close: async () => pool.close(),
    };
}
