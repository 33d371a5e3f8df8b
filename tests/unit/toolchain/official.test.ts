import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installCli, installPlugin, isReachable } from "../../../toolchain/official";

const archive = `pulumi-v3.259.0-${process.platform}-${process.arch}.tar.gz`;

// Installs a "plugin" that holds what it was asked for.
const cli = `#!/bin/sh
folder="$PULUMI_HOME/plugins/resource-$4-$5"
mkdir -p "$folder"
echo "$@" > "$folder/pulumi-resource-$4"
`;

describe("official downloads", () => {
    let folder: string;
    let server: Server;
    let files: Map<string, Buffer | string>;
    beforeEach(async () => {
        folder = mkdtempSync(join(tmpdir(), "official-"));
        const source = join(folder, "source");
        mkdirSync(join(source, "pulumi"), { recursive: true });
        writeFileSync(join(source, "pulumi", "pulumi"), cli);
        chmodSync(join(source, "pulumi", "pulumi"), 0o755);
        execFileSync("tar", ["-czf", join(folder, archive), "-C", source, "pulumi"]);
        const content = readFileSync(join(folder, archive));
        const sum = createHash("sha256").update(content).digest("hex");
        files = new Map<string, Buffer | string>([
            [`/releases/sdk/${archive}`, content],
            ["/releases/sdk/pulumi-3.259.0-checksums.txt", `${sum}  ${archive}\n`],
        ]);
        server = createServer((request, response) => {
            const content = files.get(request.url ?? "");
            response.writeHead(content === undefined ? 404 : 200, { connection: "close" }).end(content);
        });
        await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
        process.env["MULTIHOST_PULUMI_SITE"] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
        jest.spyOn(process.stderr, "write").mockReturnValue(true);
    });
    afterEach(async () => {
        jest.restoreAllMocks();
        delete process.env["MULTIHOST_PULUMI_SITE"];
        await new Promise((done) => server.close(done));
        rmSync(folder, { recursive: true });
    });

    const target = (): string => {
        const path = join(folder, "target");
        mkdirSync(path);
        return path;
    };

    it("are reachable when the release is there", async () => {
        expect(await isReachable("3.259.0")).toBe(true);
        expect(await isReachable("3.1.0")).toBe(false);
    });

    it("install the CLI and nothing else, then plugins through it", async () => {
        const path = target();
        await installCli("3.259.0", path);
        expect(execFileSync("ls", ["-A", path], { encoding: "utf8" })).toBe("bin\n");
        await installPlugin(join(path, "bin", "pulumi"), "alicloud", "3.106.0", path);
        expect(readFileSync(join(path, "plugin", "pulumi-resource-alicloud"), "utf8")).toMatch(
            /^plugin install resource alicloud v3\.106\.0 --server http:\/\/127\.0\.0\.1:\d+\/releases\/plugins\n$/,
        );
        expect(execFileSync("ls", ["-A", path], { encoding: "utf8" })).toBe("bin\nplugin\n");
    });

    it("are refused when the checksum is another", async () => {
        files.set("/releases/sdk/pulumi-3.259.0-checksums.txt", `${"0".repeat(64)}  ${archive}\n`);
        const path = target();
        await expect(installCli("3.259.0", path)).rejects.toThrow(/has the SHA-256 [0-9a-f]{64}, published is 0{64}/);
        expect(existsSync(join(path, "bin"))).toBe(false);
    });

    it("are refused when no checksum is published", async () => {
        files.set("/releases/sdk/pulumi-3.259.0-checksums.txt", "\n");
        await expect(installCli("3.259.0", target())).rejects.toThrow(
            `pulumi-3.259.0-checksums.txt has no checksum of ${archive}`,
        );
    });
});
