/** Programs of a test's own, beside the shared stack on the same cloud. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { root } from "../../toolchain/folders";
import { changesIn, type Change, cloudSettings, type LabOptions, labOutput } from "./lab";

/** Where programs import the components from, as a literal. */
export const components = JSON.stringify(join(root, "components"));

export class OwnProgram {
    private readonly folder = mkdtempSync(join(tmpdir(), "multihost-program-"));

    /** @param name of the project and of its stack */
    constructor(private readonly name: string) {}

    /**
     * Writes it down and makes its stack.
     * @param settings of the stack, by their names without the project's
     */
    async init(program: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
        const { name, folder } = this;
        symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
        writeFileSync(join(folder, "Pulumi.yaml"), stringify({ name, runtime: "nodejs", main: "index.ts" }));
        writeFileSync(join(folder, "index.ts"), program);
        const own = Object.entries(settings).map(([key, value]) => [`${name}:${key}`, value] as const);
        writeFileSync(
            join(folder, `Pulumi.${name}.yaml`),
            stringify({ config: { ...cloudSettings(), ...Object.fromEntries(own) } }),
        );
        await this.lab(["stack", "init", name]);
    }

    /** Runs Pulumi on its stack. @returns what it printed. @throws Error with all of it when it fails */
    pulumi(args: readonly string[], options: LabOptions = {}): Promise<string> {
        return this.lab([...args, "--stack", this.name], options);
    }

    up(...args: string[]): Promise<string> {
        return this.pulumi(["up", "--yes", "--skip-preview", ...args], { seconds: 1800 });
    }

    /** @returns what an update changed, in order */
    async changes(...args: string[]): Promise<Change[]> {
        return changesIn(await this.up("--json", ...args));
    }

    async outputs(): Promise<Record<string, unknown>> {
        return JSON.parse(await this.pulumi(["stack", "output", "--json", "--show-secrets"])) as Record<
            string,
            unknown
        >;
    }

    /** URN and id of each instance in its state, by name. */
    async instances(): Promise<Map<string, { readonly urn: string; readonly id: string }>> {
        const { deployment } = JSON.parse(await this.pulumi(["stack", "export"])) as {
            deployment: { resources: { type: string; urn: string; id?: string }[] };
        };
        return new Map(
            deployment.resources
                .filter(({ type }) => type === "alicloud:ecs/instance:Instance")
                .map(({ urn, id }) => [urn.slice(urn.lastIndexOf("::") + 2), { urn, id: id! }]),
        );
    }

    /** Takes its stack away with all that it has made. */
    async remove(): Promise<void> {
        await this.pulumi(["destroy", "--yes", "--skip-preview"], { seconds: 1800 });
        await this.pulumi(["stack", "rm", "--yes"]);
        rmSync(this.folder, { recursive: true, force: true });
    }

    private lab(args: readonly string[], options: LabOptions = {}): Promise<string> {
        return labOutput(["pulumi", "--cwd", this.folder, ...args], options);
    }
}
