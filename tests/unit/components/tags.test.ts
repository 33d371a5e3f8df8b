import { createHash } from "node:crypto";
import { Recorder, valueOf } from "./recorder";

new Recorder();

import { certificateName } from "../../../components/loadBalancer/certificate";
import { physicalName, shortened } from "../../../components/tags";

test("a name that fits stays, and longer ones stay apart although their ends are cut off", () => {
    expect(physicalName("files")).toBe("project-stack-files");
    expect(physicalName("f".repeat(50), 64)).toBe(`project-stack-${"f".repeat(50)}`);
    const long = `${"f".repeat(60)}-`;
    const digest = createHash("sha256").update(`project-stack-${long}a`).digest("hex").slice(0, 8);
    expect(physicalName(`${long}a`, 64)).toBe(`project-stack-${"f".repeat(41)}-${digest}`);
    for (const longest of [48, 64, undefined]) {
        const names = ["a", "b"].map((end) => physicalName(`${"f".repeat(200)}-${end}`, longest));
        expect(names.map(({ length }) => length)).toEqual(Array(2).fill(longest ?? 128));
        expect(names[0]).not.toBe(names[1]);
    }
    expect(shortened("entry-443", 9)).toBe("entry-443");
});

test("certificates of two listeners whose names are long have two names, which the service takes", async () => {
    const given = { certificate: "PEM", privateKey: "KEY" };
    const [one, two] = await Promise.all(
        ["443", "8443"].map((port) => valueOf(certificateName(physicalName(`${"b".repeat(40)}-${port}`), given))),
    );
    expect(one).not.toBe(two);
    for (const name of [one!, two!]) expect(name.length).toBeLessThanOrEqual(64);
});
