/** The long-running process of a lab. `lab/cli.ts` starts it; it may also run in the foreground: `lab/daemon.ts`. */
import { mkdirSync, rmSync } from "node:fs";
import { actions as alb } from "./api/alb";
import { actions as cas } from "./api/cas";
import { actions as ecs } from "./api/ecs";
import { actions as nas } from "./api/nas";
import { actions as pvtz } from "./api/pvtz";
import { actions as nlb } from "./api/nlb";
import { actions as slb } from "./api/slb";
import { actions as vpc } from "./api/vpc";
import { Cloud } from "./cloud";
import { clientEnvironment } from "./environment";
import { writePrivate } from "./files";
import { logTo } from "./log";
import { createMachine } from "./machine";
import { UsageError, labPaths } from "./paths";
import { startOf } from "./process";
import { writeProject } from "./stack";
import { DaemonRecord, labCode, runningDaemon } from "./record";

/** Runs until it is told to stop. */
async function main(): Promise<void> {
    const paths = labPaths();
    mkdirSync(paths.folder, { recursive: true, mode: 0o700 });
    const other = runningDaemon(paths);
    if (other) throw new UsageError(`The lab "${paths.name}" runs already (process ${other.pid}).`);
    // Before anything can change it.
    const code = labCode();
    const log = logTo(paths.log);
    process.on("uncaughtException", (error) => log(`uncaught: ${error.stack ?? error.message}`));
    process.on("unhandledRejection", (error) =>
        log(`unhandled: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
    );

    const region = process.env["LAB_REGION"] ?? undefined;
    const machine = await createMachine({ name: paths.name, folder: paths.machine, log });
    const stop = (): void => {
        log("stopping");
        void cloud
            .close()
            .catch((error: unknown) => log(`close: ${String(error)}`))
            .finally(() => {
                rmSync(paths.daemon, { force: true });
                rmSync(paths.env, { force: true });
                process.exit(0);
            });
    };
    const cloud = await Cloud.start({
        paths,
        machine,
        eipRange: machine.eipRange,
        actions: [...alb, ...cas, ...ecs, ...nas, ...nlb, ...pvtz, ...slb, ...vpc],
        ...(region !== undefined && { region }),
        log,
        onHalt: stop,
    });
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, stop);
    rmSync(paths.halted, { force: true });
    writeProject(paths);
    mkdirSync(paths.pulumi, { recursive: true, mode: 0o700 });
    const about = { port: cloud.server.port, region: region ?? "cn-hangzhou", authority: cloud.authority };
    writePrivate(paths.env, `${JSON.stringify(clientEnvironment(paths, cloud.identity, about), undefined, 2)}\n`);
    // Last, because its presence tells the command line that everything else is there.
    const record: DaemonRecord = {
        pid: process.pid,
        start: startOf(process.pid) ?? "",
        port: about.port,
        region: about.region,
        code,
    };
    writePrivate(paths.daemon, JSON.stringify(record));
    log(`listening on 127.0.0.1:${about.port} as process ${process.pid}`);
}

if (require.main === module) {
    main().catch((error: unknown) => {
        process.stderr.write(`${error instanceof UsageError ? error.message : String(error)}\n`);
        process.exit(1);
    });
}
