/** `npm run preview:post`: posts what `npm run preview:pr -- --output` wrote, from a run that may have had no right to. */
import { parseArgs } from "node:util";
import { UsageError, post, pullRequestToPost } from "./pullRequest";
import { readReport } from "./report";

const usage = "Usage: npm run preview:post -- --from FOLDER [--pull-request N] [--author LOGIN]";

async function main(args: string[]): Promise<void> {
    const { values } = parseArgs({
        args,
        options: { from: { type: "string" }, "pull-request": { type: "string" }, author: { type: "string" } },
    });
    if (values.from === undefined) throw new UsageError(usage);
    await post(pullRequestToPost(values["pull-request"], values.author), readReport(values.from));
}

main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
});
