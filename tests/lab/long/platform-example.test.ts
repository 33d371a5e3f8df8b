/** The example that takes hosts and network of the platform's stack. */
import { configure, eventually, onHost, status, up, upChanges } from "../lab";
import { init, outputsOf, prepareExamples, pulumi, remove, removeExamples, upAgain } from "../examples";

jest.setTimeout(600_000);

beforeAll(prepareExamples);
afterAll(removeExamples);

describe("a MySQL pair on hosts of the platform's stack", () => {
    const example = "mysql-on-platform";
    const config = { platform: "organization/multihost/lab", clientCidrs: ["10.0.0.0/16"] };

    afterAll(async () => {
        await configure("sharedHosts", undefined);
        await up();
    });

    it("has no hosts before the platform shares any", async () => {
        await init(example, config);
        await expect(pulumi(example, ["preview"])).rejects.toThrow(/hosts/);
    });

    it("replicates what is written, reached through the platform's bastion, and no key stands in plain text", async () => {
        await configure("sharedHosts[0]", "node-5");
        await configure("sharedHosts[1]", "node-6");
        expect(await upChanges()).toEqual([]);
        await pulumi(example, ["up", "--yes", "--skip-preview"]);
        const { source, replicas, url } = (await outputsOf(example)) as {
            source: { name: string };
            replicas: { name: string }[];
            url: string;
        };
        expect([source.name, ...replicas.map(({ name }) => name)]).toEqual(["node-5", "node-6"]);
        const { username, password, hostname, port } = new URL(url);
        const sql = (address: string, statement: string) =>
            onHost(
                "node-6",
                `MYSQL_PWD=$(cat) mariadb --ssl -h ${address} -P ${port} -u ${username} -N orders -e '${statement}'`,
                { input: decodeURIComponent(password) },
            );
        const replica = status().hosts.find(({ name }) => name === "node-6")!.privateAddress;
        expect((await sql(hostname, "CREATE TABLE one (id INT PRIMARY KEY); INSERT INTO one VALUES (42)")).stderr).toBe(
            "",
        );
        await eventually("the row on the replica", 30, async () =>
            (await sql(replica, "SELECT id FROM one")).stdout.trim() === "42" ? true : undefined,
        );
        const state = await pulumi(example, ["stack", "export"]);
        expect(state).not.toMatch(/-----BEGIN [A-Z ]*PRIVATE KEY-----/);
        expect(state).not.toContain(decodeURIComponent(password));
        await upAgain(example);
    });

    it("goes without touching the platform's hosts", async () => {
        await remove(example);
        const hosts = status().hosts;
        expect(hosts.filter(({ name }) => /^node-[56]$/.test(name)).map(({ state }) => state)).toEqual([
            "Running",
            "Running",
        ]);
        expect(await upChanges()).toEqual([]);
    });
});
