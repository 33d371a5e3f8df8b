/** The examination of a stack, from its state to the report. */
import { pulumiOutput } from "../toolchain/pulumi";
import { examine, SshRemote } from "./examine";
import { type LastUpdate, readInventory } from "./inventory";
import { makeReport, type Report } from "./report";

/** Examines a stack's hosts and services. @throws Error when there is no such stack, or none that could be examined */
export async function diagnose(stack: string): Promise<Report> {
    const started = new Date();
    const exported = await pulumiOutput(["stack", "export", "--show-secrets", "--stack", stack]);
    const inventory = readInventory(JSON.parse(exported), await lastUpdate(stack));
    // Hosts of which none was made ready are findings; what only hosts could have asked is not examined.
    const isEmpty = inventory.findings.every(({ service, status }) => service === "stack" || status === "skipped");
    if (inventory.hosts.length === 0 && isEmpty)
        throw new Error(`The stack "${stack}" has no hosts: \`npm run pulumi -- up --stack ${stack}\` makes them.`);
    const ssh = new SshRemote();
    try {
        const findings = await examine(inventory, ssh.run);
        return makeReport(stack, started, new Date(), findings);
    } finally {
        ssh.close();
    }
}

/** @returns undefined for a stack that was never updated, `unknown` where the backend has no answer */
async function lastUpdate(stack: string): Promise<LastUpdate | "unknown" | undefined> {
    try {
        const printed = await pulumiOutput(["stack", "history", "--json", "--page-size", "1", "--stack", stack]);
        return ((JSON.parse(printed) ?? []) as LastUpdate[])[0];
    } catch {
        // Everything else can be examined all the same.
        return "unknown";
    }
}
