/** Every step of the shared stack, run once more on its host exactly as the stack ran it: nothing is left to change. */
import { labOutput, onHost, status } from "./lab";

jest.setTimeout(600_000);

const secret = "4dabf18193072939515e22adb298388d";

/** A value of the state: a secret stands in it as JSON. */
function plain(value: unknown): unknown {
    if (typeof value !== "object" || value === null || !(secret in value)) return value;
    return JSON.parse((value as unknown as { plaintext: string }).plaintext) as unknown;
}

interface Step {
    readonly name: string;
    readonly address: string;
    readonly command: string;
    readonly input: string;
}

async function steps(): Promise<Step[]> {
    const state = JSON.parse(await labOutput(["pulumi", "stack", "export", "--show-secrets"])) as {
        deployment: { resources: { urn: string; type: string; inputs: Record<string, unknown> }[] };
    };
    return state.deployment.resources
        .filter(({ type }) => type === "command:remote:Command")
        .map(({ urn, inputs }) => ({
            name: urn.slice(urn.lastIndexOf("::") + 2),
            address: (plain(inputs["connection"]) as { host: string }).host,
            command: plain(inputs["create"]) as string,
            input: plain(inputs["stdin"]) as string,
        }));
}

it("reports no change, on any host", async () => {
    const { hosts } = status();
    const all = await steps();
    expect(all.length).toBeGreaterThan(40);
    const byHost = new Map<string, Step[]>();
    for (const step of all) {
        const { name } = hosts.find((host) => [host.privateAddress, host.publicAddress].includes(step.address))!;
        byHost.set(name, [...(byHost.get(name) ?? []), step]);
    }
    expect([...byHost.keys()].sort()).toEqual(hosts.map(({ name }) => name).sort());

    const changed: Record<string, unknown> = {};
    // One host after the other within a group, as steps of a host do not run side by side.
    const waiting = [...byHost];
    const worker = async (): Promise<void> => {
        for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
            const [host, own] = next;
            for (const { name, command, input } of own) {
                const { code, stdout, stderr } = await onHost(host, command, { input, seconds: 300 });
                const last = stdout.trimEnd().split("\n").pop() ?? "";
                const result = code === 0 ? (JSON.parse(last) as { changed: unknown[] }).changed : `${code}: ${stderr}`;
                if (!Array.isArray(result) || result.length > 0) changed[name] = result;
            }
        }
    };
    await Promise.all([worker(), worker(), worker()]);
    expect(changed).toEqual({});
});
