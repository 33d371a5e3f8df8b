/** The shared stack, whose components all get other names while its services are used, and then their own ones back. */
import { join } from "node:path";
import { outputOn, outputs, status, up, upChanges } from "../lab";
import { access as mysqlAccess, installClient as installMysqlClient, RowWriter, statement } from "../mysql";
import { ClusterWriter, installClient as installRedisClient, lost } from "../redis";
import { Load, sharedSite } from "../requests";

jest.setTimeout(900_000);

const client = "node-4";
const table = "renamed";
const hook = `--require ${join(__dirname, "..", "renamed.cjs")}`;

beforeAll(async () => {
    await installRedisClient(client);
    await installMysqlClient(client);
    const known = await mysqlAccess();
    await statement(client, known, known.source, `CREATE TABLE ${table} (id INT PRIMARY KEY)`);
});

afterAll(async () => {
    const known = await mysqlAccess();
    await statement(client, known, known.source, `DROP TABLE IF EXISTS ${table}`);
});

describe.each([
    ["other names", { NODE_OPTIONS: hook }],
    ["their own names back", { NODE_OPTIONS: hook, RENAMED: "back" }],
])("components that get %s", (_, environment) => {
    it("keep what they have made, and go on serving", async () => {
        const { loadBalancerUrl, loadBalancerCaCertificate } = (await outputs()) as Record<string, string>;
        const instances = status().hosts.map(({ name, instanceId }) => [name, instanceId]);
        const known = await mysqlAccess();
        const rows = await RowWriter.start(client, known, [known.source], table);
        const keys = await ClusterWriter.start(client, table);
        const load = new Load(await sharedSite());
        const started = Date.now();

        const changes = await upChanges({ environment, seconds: 600 });

        const [{ errors, rows: written }, { acknowledged, failed }] = [await rows.stop(), await keys.stop()];
        await load.stop();
        expect({ errors, failed, requests: load.problemsSince(started) }).toEqual({
            errors: {},
            failed: [],
            requests: [],
        });
        expect(written).toBeGreaterThan(50);
        expect(load.countSince(started)).toBeGreaterThan(50);
        expect(await lost(client, acknowledged)).toEqual([]);
        expect(changes.length).toBeGreaterThan(0);
        expect(changes.filter(({ operation }) => operation !== "update")).toEqual([]);
        expect(status().hosts.map(({ name, instanceId }) => [name, instanceId])).toEqual(instances);
        expect(await outputs()).toMatchObject({ loadBalancerUrl, loadBalancerCaCertificate });
        const mount = "findmnt -no FSTYPE /data/shared";
        expect(await outputOn("web-1", mount)).toBe("fuse.glusterfs");
    });

    it("leave nothing for another update to do", async () => {
        await up({ environment, expectNoChanges: true });
    });
});
