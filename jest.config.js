/** @type {import("jest").Config} */
module.exports = {
    testEnvironment: "node",
    transform: {
        "^.+\\.ts$": [
            "@swc/jest",
            { jsc: { target: "es2022", parser: { syntax: "typescript" } }, module: { type: "commonjs" } },
        ],
    },
    // The built package has a manifest of the same name.
    modulePathIgnorePatterns: ["<rootDir>/dist/"],
    testMatch: ["<rootDir>/tests/**/*.test.ts"],
    // Unit tests must not leave handles open; a hanging test is a defect, so no forceExit.
    testTimeout: 30_000,
    // Each test file loads the SDKs anew, and what a file leaves behind would add up to gigabytes in one process.
    workerIdleMemoryLimit: "512MB",
};
