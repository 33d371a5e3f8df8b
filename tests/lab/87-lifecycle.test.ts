/** The shared stack when all its components are renamed. */
import { join } from "node:path";
import { labEnvironment } from "../prepare";
import { labOutput } from "./lab";

jest.setTimeout(300_000);

interface Step {
    readonly op: string;
    readonly urn: string;
    readonly detailedDiff?: Readonly<Record<string, unknown>> | null;
}

/** What `pulumi preview` of the stack would do, but for what stays as it is. */
async function preview(environment: NodeJS.ProcessEnv): Promise<readonly Step[]> {
    const printed = await labOutput(["pulumi", "preview", "--json", "--stack", "lab"], {
        seconds: 240,
        environment: { ...labEnvironment, ...environment },
    });
    const { steps } = JSON.parse(printed.slice(printed.indexOf("{"))) as { steps: Step[] };
    return steps.filter(({ op }) => op !== "same" && op !== "read");
}

const nameOf = ({ urn }: Step): string => urn.slice(urn.lastIndexOf("::") + 2);

it("components that are renamed with aliases keep everything that they have made", async () => {
    const steps = await preview({ NODE_OPTIONS: `--require ${join(__dirname, "renamed.cjs")}` });
    const names = steps.map(nameOf);
    // Each of them, by something that its name shows in.
    for (const name of ["main", "bastion", "node", "data", "redis", "mysql", "web", "storage", "site", "balancer"])
        expect(names.some((changed) => changed.startsWith(`other-${name}`))).toBe(true);
    expect(steps.filter(({ op }) => op !== "update").map((step) => `${step.op} ${step.urn}`)).toEqual([]);
});
