import { Engine } from "../../../toolchain/plugins/common/engine";
import { ProviderUnderTest } from "./support/provider";

test("messages reach the engine where the environment names a proxy", async () => {
    const saved = { ...process.env };
    const provider = await ProviderUnderTest.engineOnly();
    // Stopped with the rest, never called.
    provider.connect(9);
    delete process.env["no_proxy"];
    delete process.env["no_grpc_proxy"];
    // Refuses at once.
    process.env["grpc_proxy"] = "http://127.0.0.1:9";
    const engine = new Engine(provider.engineAddress);
    try {
        const log = engine.logFor("urn");
        log.message("info", "said");
        await log.flush();
        expect(provider.log).toEqual([{ severity: "info", text: "said", ephemeral: false, urn: "urn" }]);
    } finally {
        process.env = saved;
        engine.close();
        await provider.stop();
    }
});
