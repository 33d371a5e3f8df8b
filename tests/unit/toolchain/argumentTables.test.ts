jest.mock("prettier", () => ({}));
import { documents, readInterfaces, tableOf, withTables } from "../../../toolchain/argumentTables";

const source = `
export interface PoolArgs {
    /** How many, see {@link Pool}. @default 3 */
    readonly count?: number;
    /**
     * Where it is,
     * in words | signs.
     */
    readonly place: "a" | "b";
    readonly tags?: Readonly<Record<string, string>>;
}
export interface SmallArgs extends Pick<PoolArgs, "count"> {
    /** A name <of> it. */
    readonly names: readonly string[];
}
`;

const interfaces = readInterfaces([source]);

test("an argument has name, type, default and meaning, and what an interface takes from another one is its own", () => {
    expect(interfaces.get("SmallArgs")).toEqual([
        { name: "names", required: true, type: "string[]", standard: undefined, meaning: "A name <of> it." },
        { name: "count", required: false, type: "number", standard: "3", meaning: "How many, see `Pool`." },
    ]);
});

test("a table begins with what is required, and no sign ends a cell", () => {
    expect(tableOf(interfaces.get("PoolArgs")!).split("\n").slice(2)).toEqual([
        '| `place` | `"a" \\| "b"` | **required** | Where it is, in words \\| signs. |',
        "| `count` | `number` | 3 | How many, see `Pool`. |",
        "| `tags` | `Readonly<Record<string, string>>` |  |  |",
    ]);
});

test("a document keeps all but its tables, and names what there is", () => {
    const document = "# A\n<!-- arguments: SmallArgs -->\nold\n<!-- end of arguments -->\nb\n";
    const made = withTables(document, interfaces);
    expect(made).toMatch(
        /^# A\n<!-- arguments: SmallArgs -->\n\n\| Argument[\s\S]*\|\n\n<!-- end of arguments -->\nb\n$/,
    );
    expect(withTables(made, interfaces)).toBe(made);
    expect(() => withTables(document.replace("Small", "Big"), interfaces)).toThrow("no interface BigArgs");
});

const narrow = (text: string): string => text.replace(/ +/g, " ").replace(/-{3,}/g, "---");

test.each(documents().map(({ path, is, should }) => [path.split("/").at(-1)!, is, should]))(
    "docs/components/%s has the arguments of the types: `npm run docs` brings it there",
    (_, is, should) => expect(narrow(is)).toBe(narrow(should)),
);

test("no argument is without a meaning", () => {
    const empty = documents().flatMap(({ should }) => narrow(should).match(/^\| `.*\| \|$/gm) ?? []);
    expect(empty).toEqual([]);
});

test("every component's arguments stand in a document, each with its meaning", () => {
    const all = documents()
        .map(({ is }) => is)
        .join("\n");
    const described = [...all.matchAll(/<!-- arguments: (\w+) -->/g)].map(([, name]) => name!);
    for (const name of "Network NodePool Bastion Connectivity RedisCluster MysqlReplication GlusterStorage NfsStorage NasStorage WebTier LoadBalancer PrivateDns Host Step PlatformReference".split(
        " ",
    ))
        expect(described).toContain(`${name}Args`);
    for (const part of "IngressRule EgressRule AdoptedInstance ExistingKeyPair KeyGenerations StorageOwner".split(" "))
        expect(described).toContain(part);
});

test("a bastion's size is its own", () => {
    const [network] = documents().filter(({ path }) => path.endsWith("network.md"));
    const [, bastion = ""] = network!.should.split("<!-- arguments: BastionArgs -->");
    expect(bastion).toMatch(/^\| `instanceType` \|.*\| "ecs\.t6-c1m1\.large": 2 vCPU, 2 GiB \|/m);
});
