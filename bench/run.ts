/**
 * `npm run bench`: measures, and prints a table. `npm run bench -- api preview lab` chooses; `--runs N` says how often the stack
 * is brought up from nothing (3); `--write` keeps the table in bench/results/. Nothing fails because of a time.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { root } from "../toolchain/folders";
import { measureApi } from "./api";
import { measureLab, removeLab } from "./lab";
import { type Figure, table } from "./statistics";

const PREVIEWS = 3;

function measurePreview(): Figure[] {
    const seconds = Array.from({ length: PREVIEWS }, () => {
        const { stdout, status, stderr } = spawnSync(
            process.execPath,
            [join(root, "toolchain", "bootstrap.mjs"), "bench/preview.ts"],
            { cwd: root, encoding: "utf8" },
        );
        if (status !== 0) throw new Error(`The preview ended with ${status}:\n${stderr}`);
        return (JSON.parse(stdout) as { seconds: number }).seconds;
    });
    return [{ name: "description of 100 hosts against mocks", unit: "s", values: seconds, goal: 20 }];
}

async function measureCalls(): Promise<Figure[]> {
    const timings = await measureApi();
    return timings.map(({ call, times, p95 }) => ({
        name: `${call}, 100 instances (95 %: ${p95.toFixed(1)} ms)`,
        unit: "ms",
        values: times,
        goal: 10,
    }));
}

const groups = ["api", "preview", "lab"] as const;
type Group = (typeof groups)[number];

async function measure(group: Group, runs: number): Promise<Figure[]> {
    console.error(`Measuring: ${group}`);
    switch (group) {
        case "api":
            return measureCalls();
        case "preview":
            return measurePreview();
        case "lab":
            return measureLab(runs);
    }
}

function machine(): string {
    const distribution = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux";
    const memory = Math.round(totalmem() / 2 ** 30);
    return `${cpus().length} cores, ${memory} GiB, ${distribution}, kernel ${release()}, Node.js ${process.versions.node}`;
}

async function main(): Promise<void> {
    const words = process.argv.slice(2);
    const at = words.indexOf("--runs");
    const runs = at < 0 ? 3 : Number(words.splice(at, 2)[1]);
    const write = words.includes("--write");
    const chosen = words.filter((word) => word !== "--write");
    const unknown = chosen.filter((word) => !(groups as readonly string[]).includes(word));
    if (unknown.length > 0 || !Number.isInteger(runs) || runs < 1) {
        console.error(`usage: npm run bench -- [${groups.join("] [")}] [--runs N] [--write]`);
        process.exitCode = 2;
        return;
    }
    const figures: Figure[] = [];
    for (const group of groups)
        if (chosen.length === 0 || chosen.includes(group)) figures.push(...(await measure(group, runs)));
    const text = `${table(figures)}\n\n${machine()}\n`;
    console.log(text);
    if (write) {
        const day = new Date().toISOString().slice(0, 10);
        const folder = join(root, "bench", "results");
        mkdirSync(folder, { recursive: true });
        const command = ["npm run bench --", ...process.argv.slice(2)].join(" ");
        writeFileSync(join(folder, `${day}.md`), `# ${day}\n\n\`${command}\`\n\n${text}`);
    }
}

for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
        // The command under way got the signal too; what it leaves is taken away.
        void removeLab().finally(() => process.exit(130));
    });

main().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
});
