/** The examination of a stack, from its state to the report. */
import { pulumiOutput } from "../toolchain/pulumi";
import { examine, SshRemote } from "./examine";
import { readInventory } from "./inventory";
import { makeReport, type Report } from "./report";

/** Examines a stack's hosts and services. @throws Error when there is no such stack, or none that could be examined */
export async function diagnose(stack: string): Promise<Report> {
    const started = new Date();
    const exported = await pulumiOutput(["stack", "export", "--show-secrets", "--stack", stack]);
    const inventory = readInventory(JSON.parse(exported));
    if (inventory.hosts.length === 0)
        throw new Error(`The stack "${stack}" has no hosts: \`npm run pulumi -- up --stack ${stack}\` makes them.`);
    const ssh = new SshRemote();
    try {
        const findings = await examine(inventory, ssh.run);
        return makeReport(stack, started, new Date(), findings);
    } finally {
        ssh.close();
    }
}
