/**
 * Entry of every npm script: `node toolchain/bootstrap.mjs <file.ts> [args…]`.
 *
 * Works right after a clone: it needs nothing but Node.js. One that is too old shall say so, so this file has to be one that Node.js 12 reads:
 * without `?.`, `??` and `await` outside of functions, and without imports of what it may not have. All else is in start.mjs.
 */

// What the packages declare together, but for Pulumi's SDK, which asks for 22 and runs on 20.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19) || major === 21 || (major === 22 && minor < 13) || major === 23) {
    process.stderr.write(
        `Node.js ${process.versions.node} won't do: install 20.19 or a later 20, 22.13 or a later 22, or 24 or newer (https://nodejs.org).\n`,
    );
    process.exit(1);
}

import("./start.mjs");
