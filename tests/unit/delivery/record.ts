/** `npm run events:record`: records what the engine says of changes to the lab's stack, and the comments that are made of it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { previewArguments, previewEnvironment } from "../../../delivery/engine";
import { readEvents } from "../../../delivery/plan";
import { dependenciesOf } from "../../../delivery/states";
import { clientEnvironment } from "../../../lab/environment";
import { writePrivate } from "../../../lab/files";
import { DEFAULT_PORT, type LabPaths, labPaths } from "../../../lab/paths";
import { capturePulumi, pulumiEnvironment } from "../../../lab/pulumi";
import { writeProject } from "../../../lab/stack";
import { runCommandLine } from "../../../toolchain/commandLine";
import { root } from "../../../toolchain/folders";
import { step } from "../../../toolchain/progress.cjs";
import { ensureToolchain } from "../../../toolchain/toolchain";
import { freePort, startCloud, startCommands } from "./machinelessCloud";
import {
    type Recording,
    type Scenario,
    changes,
    first,
    newPassword,
    passwords,
    stack,
    writeComment,
    writeRecording,
} from "./recorded";
import { type Places, Scrubber, secretsOf } from "./scrub";

/** An account with the whole stack in it, and the engine at work on it. */
class Account {
    private constructor(
        private readonly pulumi: (args: readonly string[], environment?: NodeJS.ProcessEnv) => Promise<string>,
        private readonly folder: string,
        private readonly paths: LabPaths,
    ) {}

    /** Of its recordings, what stands for this machine. */
    get places(): Places {
        return new Map([
            [`127.0.0.1:${this.paths.port}`, `127.0.0.1:${DEFAULT_PORT}`],
            [this.folder, "/tmp"],
            [root, "/multihost"],
        ]);
    }

    private get file(): string {
        return join(this.paths.project, `Pulumi.${stack}.yaml`);
    }

    static async use(action: (account: Account) => Promise<void>): Promise<void> {
        const folder = mkdtempSync(join(tmpdir(), "multihost-events-"));
        process.env["MULTIHOST_STATE"] = folder;
        const paths = labPaths({ LAB_NAME: "recorded", LAB_PORT: String(await freePort()) });
        const toolchain = await ensureToolchain();
        const cloud = await startCloud(paths);
        try {
            writeProject(paths);
            const about = { port: paths.port, region: "cn-hangzhou", authority: cloud.authority };
            writePrivate(paths.env, JSON.stringify(clientEnvironment(paths, cloud.identity, about)));
            const environment = { ...pulumiEnvironment(paths, toolchain), ...previewEnvironment };
            const account = new Account(
                async (args, more = {}) => {
                    // An engine that ends tells its plugins to.
                    const commands = await startCommands();
                    const own = { PULUMI_DEBUG_PROVIDERS: `command:${commands.port}` };
                    try {
                        return await capturePulumi(paths, toolchain, { ...environment, ...own, ...more }, args);
                    } finally {
                        await commands.stop();
                    }
                },
                folder,
                paths,
            );
            mkdirSync(paths.pulumi);
            await account.pulumi(["stack", "init", stack]);
            await action(account);
        } finally {
            await cloud.close();
            rmSync(folder, { recursive: true, force: true });
        }
    }

    async configure(path: string, value: string): Promise<void> {
        const kind = path.toLowerCase().endsWith("password") ? "--secret" : "--plaintext";
        await this.pulumi(["config", "set", kind, path, value, "--path", "--stack", stack]);
    }

    up(): Promise<string> {
        return this.pulumi(["up", "--yes", "--skip-preview", "--stack", stack]);
    }

    export(): Promise<string> {
        return this.pulumi(["stack", "export", "--show-secrets", "--stack", stack]);
    }

    settings(): string {
        return readFileSync(this.file, "utf8");
    }

    restore(settings: string): void {
        writePrivate(this.file, settings);
    }

    /** @throws Error when the preview ends otherwise than it should */
    async preview({ hook, policies, fails = false }: Scenario): Promise<Recording> {
        const files = { log: join(this.folder, "events.json"), plan: join(this.folder, "plan.json") };
        for (const file of Object.values(files)) rmSync(file, { force: true });
        const options = hook === undefined ? [] : ["--require", hook];
        const environment = { NODE_OPTIONS: ["--stack-trace-limit=1", ...options].join(" ") };
        const settings = join(this.folder, "policies.json");
        writeFileSync(settings, JSON.stringify(policies ?? {}));
        const args = [...previewArguments(stack, files), "--policy-pack-config", settings];
        const failed = await this.pulumi(args, environment).then(
            () => undefined,
            (error: unknown) => error as Error,
        );
        if (failed !== undefined && !fails) throw failed;
        if (failed === undefined && fails) throw new Error("The preview succeeds.");
        const plan = fails ? "" : readFileSync(files.plan, "utf8");
        return { log: readFileSync(files.log, "utf8"), plan };
    }
}

async function record(account: Account): Promise<void> {
    const recordings: [Scenario, Recording][] = [];
    const keep = async (scenario: Scenario): Promise<void> => {
        const recording = await step(`Preview: ${scenario.name}`, { about: "20 s" }, () => account.preview(scenario));
        recordings.push([scenario, recording]);
    };
    for (const [path, value] of Object.entries(passwords)) await account.configure(path, value);
    await keep(first);
    await step("Make the stack", { about: "90 s" }, () => account.up());
    const secrets = [...secretsOf(JSON.parse(await account.export())), newPassword];
    const before = account.settings();
    for (const scenario of changes) {
        for (const [path, value] of Object.entries(scenario.settings)) await account.configure(path, value);
        await keep(scenario);
        account.restore(before);
    }
    const scrubber = new Scrubber(account.places);
    for (const [scenario, { log, plan }] of recordings) {
        const scrubbed = {
            log: scrubber.events(readEvents(log)),
            plan: plan === "" ? "" : scrubber.plan(dependenciesOf(plan)),
        };
        const text = JSON.stringify(scrubbed);
        if (secrets.some((secret) => text.includes(JSON.stringify(secret).slice(1, -1))))
            throw new Error(`The events of "${scenario.name}" hold a secret: nothing more is written.`);
        writeRecording(scenario, scrubbed);
    }
}

async function main(words: readonly string[]): Promise<number> {
    if (!words.includes("--comments")) await Account.use(record);
    for (const scenario of [first, ...changes]) await writeComment(scenario);
    process.stdout.write("Compare what has changed below tests/unit/delivery/recorded before you keep it.\n");
    return 0;
}

if (require.main === module) runCommandLine(main, 1);
