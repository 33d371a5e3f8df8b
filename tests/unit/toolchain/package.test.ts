import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ModuleResolutionKind, resolveModuleName, sys } from "typescript";
import { root } from "../../../toolchain/folders";
import { makePackage } from "../../../toolchain/package";

/** As the test of a stack that has installed it, of either kind of module. */
const consumer = (load: "require" | "await import"): string => `
    const pulumi = ${load}("@pulumi/pulumi");
    const { PlatformMocks } = ${load}("@multihost/alicloud/testing");
    const mocks = new PlatformMocks();
    pulumi.runtime.setMocks(mocks, "shop", "test").then(async () => {
        const { Network, NodePool } = ${load}("@multihost/alicloud");
        const network = new Network("main", { roles: { data: {} } });
        const { hosts } = new NodePool("node", { network, role: "data", count: 2, direct: true });
        await new Promise((resolve) => hosts[1].ready.id.apply(resolve));
        console.log(mocks.resources.some(({ name }) => name === "node-2-ready"));
    });`;

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "package-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the package has the components, and what stands in for the cloud in tests of its users", async () => {
    const archive = await makePackage(join(folder, "dist"));
    const installed = join(folder, "node_modules", "@multihost", "alicloud");
    mkdirSync(installed, { recursive: true });
    execFileSync("tar", ["-xzf", archive, "--strip-components=1", "-C", installed]);
    symlinkSync(join(root, "node_modules", "@pulumi"), join(folder, "node_modules", "@pulumi"));
    const run = (...args: string[]): string => execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
    expect(run("-e", consumer("require"))).toBe("true\n");
    expect(run("--input-type=module", "-e", consumer("await import"))).toBe("true\n");
    for (const moduleResolution of [ModuleResolutionKind.Node10, ModuleResolutionKind.NodeNext]) {
        const typesOf = (name: string): string | undefined =>
            resolveModuleName(name, join(folder, "test.mts"), { moduleResolution }, sys).resolvedModule
                ?.resolvedFileName;
        expect(typesOf("@multihost/alicloud")).toBe(join(installed, "components/index.d.ts"));
        expect(typesOf("@multihost/alicloud/testing")).toBe(join(installed, "testing/index.d.ts"));
    }
    // By their paths, too.
    expect(run("-p", 'require("@multihost/alicloud/package.json").name')).toBe("@multihost/alicloud\n");
    expect(run("-p", 'typeof require("@multihost/alicloud/components/redis/index.js").RedisCluster')).toBe(
        "function\n",
    );
}, 240_000);
