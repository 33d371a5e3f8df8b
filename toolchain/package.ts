/**
 * `npm run package`: the components as an npm package, `dist/multihost-alicloud-<version>.tgz`, with what stands in for the cloud in unit
 * tests of programs that use it. In a folder and with a manifest of its own: this repository's manifest pins exact versions for its stack,
 * while a library has to share its user's copies.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { runCommandLine } from "./commandLine";
import { root } from "./folders";
import { step } from "./progress.cjs";

/** The parts of package.json that matter here. */
export interface Manifest {
    readonly name: string;
    readonly version: string;
    readonly description: string;
    readonly license: string;
    readonly engines: Readonly<Record<string, string>>;
    readonly dependencies: Readonly<Record<string, string>>;
}

/** The package's manifest: what the repository pins, and everything compatible with it, comes from whoever imports it. */
export function packageManifest({ name, version, description, license, engines, dependencies }: Manifest): object {
    const peers = Object.entries(dependencies).map(([dependency, pinned]) => [dependency, `^${pinned}`]);
    return {
        name,
        version,
        description,
        license,
        engines,
        main: "components/index.js",
        types: "components/index.d.ts",
        // Modules of ECMAScript find no folder, and programs that name a file by its path go on.
        exports: {
            ".": { types: "./components/index.d.ts", default: "./components/index.js" },
            "./testing": { types: "./testing/index.d.ts", default: "./testing/index.js" },
            "./package.json": "./package.json",
            "./*": "./*",
        },
        peerDependencies: Object.fromEntries(peers) as Record<string, string>,
    };
}

/**
 * Builds it.
 * @param sources another checkout to build from, such as that of a release; its dependencies are this one's
 * @returns the archive's path
 */
export async function makePackage(output = join(root, "dist"), sources = root): Promise<string> {
    const folder = join(output, "package");
    return step("Build the package", { about: "10 s" }, () => {
        rmSync(folder, { recursive: true, force: true });
        mkdirSync(folder, { recursive: true });
        const compiler = createRequire(join(root, "package.json")).resolve("typescript/bin/tsc");
        const project = join(folder, "tsconfig.json");
        const compilerOptions = {
            noEmit: false,
            declaration: true,
            rootDir: sources,
            outDir: folder,
            types: ["node"],
            typeRoots: [join(root, "node_modules", "@types")],
        };
        // A release may be without `testing`.
        const include = ["components", "testing"].map((part) => join(sources, part)).filter((part) => existsSync(part));
        writeFileSync(
            project,
            JSON.stringify({ extends: join(sources, "tsconfig.json"), compilerOptions, include, exclude: [] }),
        );
        execFileSync(process.execPath, [compiler, "--project", project], { cwd: root, stdio: "inherit" });
        rmSync(project);
        // The doctor that its checks belong to isn't part of the package.
        const checks = join(sources, "scripts", "doctor");
        cpSync(join(sources, "scripts"), join(folder, "scripts"), {
            recursive: true,
            filter: (file) => !file.startsWith(checks),
        });
        for (const file of ["README.md", "CHANGELOG.md", "LICENSE"]) cpSync(join(sources, file), join(folder, file));
        const manifest = JSON.parse(readFileSync(join(sources, "package.json"), "utf8")) as Manifest;
        writeFileSync(join(folder, "package.json"), `${JSON.stringify(packageManifest(manifest), undefined, 2)}\n`);
        const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", output], {
            cwd: folder,
            encoding: "utf8",
        });
        const [archive] = JSON.parse(packed) as { filename: string }[];
        return Promise.resolve(join(output, archive!.filename));
    });
}

async function main(): Promise<number> {
    process.stdout.write(`${await makePackage()}\n`);
    return 0;
}

if (require.main === module) runCommandLine(main, 1);
