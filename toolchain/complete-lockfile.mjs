/**
 * Adds the packages for other platforms that package-lock.json lacks.
 *
 * A registry mirror that serves only what its own platform needs makes `npm install` leave them out, and then `npm ci`
 * refuses the lockfile, and other platforms would go without. To be run after each change of a dependency behind such a mirror.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), "package-lock.json");
const lockfile = JSON.parse(readFileSync(file, "utf8"));
const packages = lockfile.packages;

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const processors = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"];
const libraries = { gnu: "glibc", musl: "musl", gnueabihf: "glibc", musleabihf: "musl" };

/** What the package's own manifest would say, told by its name: `@swc/core-linux-ppc64-gnu`. */
function platformOf(name) {
    const words = name.split(/[-/]/);
    const only = (field, list) => {
        const found = list.find((each) => words.includes(each));
        return found === undefined ? {} : { [field]: [found] };
    };
    const library = Object.keys(libraries).find((each) => words.includes(each));
    return {
        ...only("cpu", processors),
        ...(library === undefined || !words.includes("linux") ? {} : { libc: [libraries[library]] }),
        ...only("os", systems),
    };
}

/** Whether the package at `path` finds `name`, as Node.js looks it up: in its own folder, then in each one above. */
function isResolved(path, name) {
    for (let folder = path; ;) {
        if (packages[`${folder === "" ? "" : `${folder}/`}node_modules/${name}`] !== undefined) return true;
        if (folder === "") return false;
        folder = folder.slice(0, Math.max(0, folder.lastIndexOf("node_modules/") - 1));
    }
}

let added = 0;
for (const [path, entry] of Object.entries({ ...packages })) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
        // A range can't be pinned without the registry, and platform packages never have one.
        if (isResolved(path, name) || !/^\d+\.\d+\.\d+$/.test(version)) continue;
        const kind = entry.dev === true ? { dev: true } : {};
        const { cpu, libc, os } = platformOf(name);
        packages[`node_modules/${name}`] = {
            version,
            ...(cpu === undefined ? {} : { cpu }),
            ...kind,
            ...(libc === undefined ? {} : { libc }),
            optional: true,
            ...(os === undefined ? {} : { os }),
        };
        added++;
    }
}
lockfile.packages = Object.fromEntries(
    Object.entries(packages).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)),
);
if (added > 0) writeFileSync(file, `${JSON.stringify(lockfile, undefined, 2)}\n`);
console.log(`${added} packages added to package-lock.json`);
