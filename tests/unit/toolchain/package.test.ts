import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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

/** What a strict compiler accepts of it: what is ready to be depended on, typed steps beside others, and a pool's user where there may be none. */
const typed = `
    import { Bastion, Connectivity, HostStep, LoadBalancer, Network, NodePool, SharedStorage, WebTier, WebTierArgs } from "@multihost/alicloud";
    import { PlatformMocks } from "@multihost/alicloud/testing";
    export const mocks = new PlatformMocks();
    declare const network: Network, pool: NodePool, bastion: Bastion, balancer: LoadBalancer;
    declare const site: WebTier, files: SharedStorage, web: WebTierArgs;
    const { hosts, meshUser } = pool;
    const checks = new Connectivity("data", { hosts, ports: [22], user: meshUser, after: pool.mesh }).checks;
    const depended = [site.ready, files.ready, pool.mesh, pool.logins, checks, bastion.preparedBy, balancer.ready];
    for (const dependsOn of [...depended, network.outbound, network.rulesOf("data")]) new WebTier("web", { ...web, meshUser }, { dependsOn });
    export const steps: HostStep[] = [hosts[0]!.ready, hosts[0]!.run<{ port: number }>("step", { script: "test" })];
    export const changed = hosts[0]!.ready.result.changed.apply((names) => names.length);
`;

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
    writeFileSync(join(folder, "typed.mts"), typed);
    const strict = "--noEmit --strict --exactOptionalPropertyTypes --skipLibCheck --module nodenext --target es2022";
    const compiler = [join(root, "node_modules/typescript/bin/tsc"), ...strict.split(" "), "typed.mts"];
    expect(spawnSync(process.execPath, compiler, { cwd: folder, encoding: "utf8" }).stdout).toBe("");
    // By their paths, too.
    expect(run("-p", 'require("@multihost/alicloud/package.json").name')).toBe("@multihost/alicloud\n");
    expect(run("-p", 'typeof require("@multihost/alicloud/components/redis/index.js").RedisCluster')).toBe(
        "function\n",
    );
}, 240_000);
