/** Redis Cluster of the shared stack under a client that goes on writing: a host is lost, masters come and go. */
import { api, configure, eventually, rotate, status, up, upChanges } from "./lab";
import { access, ClusterWriter, installClient, Logins, lost, nodes, redis, whole } from "./redis";

jest.setTimeout(500_000);

const client = "node-1";
const reader = "node-2";

beforeAll(() => installClient(client, reader));

describe("a master whose host loses its power", () => {
    it("is replaced by its replica; what a replica had confirmed is all there", async () => {
        const { hosts } = status();
        const before = await nodes(client);
        const elsewhere = hosts.filter(({ name }) => name.startsWith("node-") && ![client, reader].includes(name));
        const victim = elsewhere.find(({ privateAddress }) =>
            before.some(({ address, slots }) => address === privateAddress && slots.length > 0),
        )!;
        const slots = before.find(({ address }) => address === victim.privateAddress)!.slots;
        const writer = await ClusterWriter.start(client, "failover", { confirm: true });
        await new Promise((wake) => setTimeout(wake, 3000));
        const killed = Date.now();
        await api()("Ecs", "StopInstance", { InstanceId: victim.instanceId, ForceStop: "true" });
        await eventually("a replica has taken the slots over", 60, async () => {
            const now = await nodes(client);
            return now.some(
                ({ address, slots: own }) => address !== victim.privateAddress && own[0]?.[0] === slots[0]![0],
            )
                ? true
                : undefined;
        });
        await new Promise((wake) => setTimeout(wake, 3000));
        const { acknowledged, failed, longest } = await writer.stop();

        const concerned = acknowledged.filter(({ slot }) =>
            slots.some(([first, last]) => slot >= first && slot <= last),
        );
        const after = concerned.filter(({ at }) => at > killed).map(({ at }) => at);
        // The host itself goes a moment after the call, so the gap is what clients saw.
        const gap = [...concerned.map(({ at }) => at)]
            .sort((a, b) => a - b)
            .reduce((widest, at, index, all) => Math.max(widest, index === 0 ? 0 : at - all[index - 1]!), 0);
        expect(after.length).toBeGreaterThan(0);
        const gone = await lost(reader, acknowledged);
        console.info(
            `Failover: ${(gap / 1000).toFixed(1)} s without a write to the lost master's slots, the slowest key took ${longest.toFixed(1)} s; ` +
                `${gone.length} of ${acknowledged.length} acknowledged keys lost, none of them confirmed by a replica.`,
        );
        expect(acknowledged.some(({ confirmed }) => confirmed)).toBe(true);
        expect(gone.filter(({ confirmed }) => confirmed)).toEqual([]);
        expect(failed).toEqual([]);

        await eventually("the host is stopped", 30, async () =>
            status().hosts.find(({ name }) => name === victim.name)!.state === "Stopped" ? true : undefined,
        );
        await api()("Ecs", "StartInstance", { InstanceId: victim.instanceId });
        await whole(client, 3, 120);
    });

    it("leaves nothing to do for an update", () => up({ expectNoChanges: true }));
});

describe("masters", () => {
    it("come and go while a client writes, and no acknowledged key is lost", async () => {
        const writer = await ClusterWriter.start(client, "scale");
        try {
            await configure("redis.masters", "4");
            await up({ seconds: 480 });
            await whole(reader, 4);
        } finally {
            await configure("redis.masters", undefined);
            await up({ seconds: 480 });
        }
        const { acknowledged, failed, errors, longest } = await writer.stop();
        const gone = await lost(reader, acknowledged);
        console.info(
            `3→4→3 masters: ${acknowledged.length} keys acknowledged, ${gone.length} lost, ${failed.length} given up, ` +
                `the slowest took ${longest.toFixed(1)} s; retried: ${JSON.stringify(errors)}.`,
        );
        expect(gone).toEqual([]);
        expect(failed).toEqual([]);
        await whole(reader, 3);
        expect(status().hosts.filter(({ name }) => name.startsWith("node-"))).toHaveLength(6);
        expect(await upChanges()).toEqual([]);
    });
});

describe("the password", () => {
    afterAll(async () => {
        await configure("redis.password", undefined);
        await up();
    });

    it("changes while clients log in, and none is refused; then the previous one is", async () => {
        const before = (await access()).password;
        const logins = await Logins.start(client);
        expect(await rotate("redis.password")).toContain("--finish");
        const after = (await access()).password;
        expect(after).not.toBe(before);
        await expect(rotate("redis.password")).rejects.toThrow("A rotation is under way");
        logins.use({ password: after });
        await new Promise((wake) => setTimeout(wake, 2000));
        await rotate("redis.password", "--finish");
        await new Promise((wake) => setTimeout(wake, 2000));
        const { logins: accepted, errors } = await logins.stop();
        expect(errors).toEqual({});
        expect(accepted).toBeGreaterThan(100);
        const attempt = `
try: connect(password=settings["before"]).ping(); print("accepted")
except Exception as error: print(type(error).__name__, error)`;
        expect(await redis(reader, attempt, { before })).toMatch(/WRONGPASS|invalid username-password/);
    });
});
