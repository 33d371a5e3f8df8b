/** From a stack's state and history to the report, with Pulumi made up. */
import { diagnose } from "../../../doctor/diagnose";
import { pulumiOutput } from "../../../toolchain/pulumi";

jest.mock("../../../toolchain/pulumi", () => ({ pulumiOutput: jest.fn() }));

const host = { urn: "urn:pulumi:dev::p::multihost:host:Host::node-1", type: "multihost:host:Host" };

function pulumi(resources: object[], history: string | Error): void {
    jest.mocked(pulumiOutput).mockImplementation(([, command]) =>
        command === "export"
            ? Promise.resolve(JSON.stringify({ deployment: { resources } }))
            : history instanceof Error
              ? Promise.reject(history)
              : Promise.resolve(history),
    );
}

const found = async (): Promise<string[]> =>
    (await diagnose("dev")).findings.map(({ check, status }) => `${check} ${status}`);

test("a first update that failed is a failure, and not a stack without hosts", async () => {
    pulumi([host], '[{ "version": 1, "kind": "update", "result": "failed" }]');
    expect(await found()).toEqual(["updates failed", "ready failed"]);
    expect(jest.mocked(pulumiOutput).mock.calls.map(([args]) => args.join(" "))).toEqual([
        "stack export --show-secrets --stack dev",
        "stack history --json --page-size 1 --stack dev",
    ]);
});

test("a backend that tells nothing of the last update keeps nothing from being examined", async () => {
    pulumi([host], new Error("pulumi stack history failed."));
    expect(await found()).toEqual(["updates warning", "ready failed"]);
    pulumi([host], "null");
    expect(await found()).toEqual(["updates ok", "ready failed"]);
});

test("a stack without hosts can't be examined, however its last update ended", async () => {
    pulumi([], '[{ "version": 1, "kind": "update", "result": "failed" }]');
    await expect(diagnose("dev")).rejects.toThrow(/has no hosts/);
    const type = "alicloud:pvtz/zone:Zone";
    // A zone that no host could ask for.
    pulumi([{ urn: `urn:pulumi:dev::p::${type}::names`, type, outputs: { zoneName: "internal" } }], "null");
    await expect(diagnose("dev")).rejects.toThrow(/has no hosts/);
});
