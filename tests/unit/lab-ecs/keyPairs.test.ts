import { createPrivateKey, createPublicKey } from "node:crypto";
import { Cloud, list, text } from "./harness";

const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqoUAnzi8jUXWqgVBqbE0wBDOZ1DxSmcQyfUsNGkuX9 someone";

test("a made pair's private key fits the public key that hosts get", async () => {
    const cloud = new Cloud();
    const made = await cloud.call("CreateKeyPair", { KeyPairName: "made" });
    const key = createPublicKey(createPrivateKey(text(made, "PrivateKeyBody")));
    const { n = "" } = key.export({ format: "jwk" });
    const [pair] = Object.values(cloud.state.keyPairs);
    const blob = Buffer.from(pair!.publicKey.split(" ")[1]!, "base64");
    expect(blob.includes(Buffer.from(n, "base64url"))).toBe(true);
    expect(made["KeyPairFingerPrint"]).toMatch(/^[0-9a-f]{32}$/);
});

test("a brought pair has the fingerprint of RFC 4716, and a name only once in a region", async () => {
    const cloud = new Cloud();
    const brought = { KeyPairName: "mine", PublicKeyBody: publicKey };
    expect(await cloud.call("ImportKeyPair", brought)).toMatchObject({
        KeyPairName: "mine",
        KeyPairFingerPrint: "c90702e8ad9c6388ae53f1abd337cbd0",
    });
    expect(await cloud.refusal("ImportKeyPair", brought)).toBe("403 KeyPair.AlreadyExist");
    expect(await cloud.refusal("CreateKeyPair", { KeyPairName: "mine" })).toBe("403 KeyPair.AlreadyExist");
    await cloud.call("ImportKeyPair", { ...brought, RegionId: "cn-beijing" });
    for (const PublicKeyBody of ["nonsense", "ssh-rsa AAAA", `-----BEGIN PUBLIC KEY-----\nabc`])
        expect(await cloud.refusal("ImportKeyPair", { KeyPairName: "bad", PublicKeyBody })).toBe(
            "400 InvalidPublicKeyBody.ValueNotSupported",
        );
});

test("pairs are found by pattern", async () => {
    const cloud = new Cloud();
    for (const name of ["web-one", "web-two", "db"])
        await cloud.call("ImportKeyPair", { KeyPairName: name, PublicKeyBody: publicKey });
    const names = async (KeyPairName: string) =>
        list(await cloud.call("DescribeKeyPairs", { KeyPairName }), "KeyPairs.KeyPair").map(
            (pair) => pair["KeyPairName"],
        );
    expect(await names("web-*")).toEqual(["web-one", "web-two"]);
    expect(await names("*two")).toEqual(["web-two"]);
    expect(await names("web")).toEqual([]);
    expect(await names("d.")).toEqual([]);
});

test("a pair in use can't be deleted; one that is gone can", async () => {
    const cloud = new Cloud();
    const site = await cloud.site();
    await cloud.call("ImportKeyPair", { KeyPairName: "mine", PublicKeyBody: publicKey });
    const InstanceIds = JSON.stringify([await cloud.instance(site), "i-none"]);
    expect(await cloud.call("AttachKeyPair", { KeyPairName: "mine", InstanceIds })).toMatchObject({
        TotalCount: "2",
        FailCount: "1",
        Results: { Result: [{ Success: "true" }, { Success: "false", Code: "InvalidInstanceId.NotFound" }] },
    });
    const KeyPairNames = '["mine"]';
    expect(await cloud.refusal("DeleteKeyPairs", { KeyPairNames })).toBe(
        "403 InvalidParameter.KeypairAlreadyAttachedInstance",
    );
    await cloud.call("DetachKeyPair", { KeyPairName: "mine", InstanceIds });
    await cloud.call("DeleteKeyPairs", { KeyPairNames });
    await cloud.call("DeleteKeyPairs", { KeyPairNames });
    expect(await cloud.refusal("AttachKeyPair", { KeyPairName: "mine", InstanceIds })).toBe(
        "404 InvalidKeyPair.NotFound",
    );
});
