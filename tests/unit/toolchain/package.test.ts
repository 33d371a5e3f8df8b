import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../../../toolchain/folders";
import { makePackage } from "../../../toolchain/package";

/** As the test of a stack that has installed it. */
const consumer = `
    const pulumi = require("@pulumi/pulumi");
    const { PlatformMocks } = require("@multihost/alicloud/testing");
    const mocks = new PlatformMocks();
    pulumi.runtime.setMocks(mocks, "shop", "test").then(async () => {
        const { Network, NodePool } = require("@multihost/alicloud");
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
    expect(execFileSync(process.execPath, ["-e", consumer], { cwd: folder, encoding: "utf8" })).toBe("true\n");
    for (const types of ["components/index.d.ts", "testing/index.d.ts"])
        expect(existsSync(join(installed, types))).toBe(true);
}, 240_000);
