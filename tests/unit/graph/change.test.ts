import { topologyChanges, toMermaid } from "../../../graph/change";
import type { Topology, TopologyHost } from "../../../graph/topology";

const host = (name: string, more: Partial<TopologyHost> = {}): TopologyHost => ({
    name,
    address: "10.0.0.1",
    publicAddress: "",
    zone: "z-a",
    instanceType: "ecs.g7.large",
    services: [],
    ...more,
});
const topology = (hosts: readonly TopologyHost[], more: Partial<Topology> = {}): Topology => ({
    vpc: { name: "main", cidr: "10.0.0.0/16" },
    pools: [{ name: "node", hosts, amongThemselves: ["7000"] }],
    balancers: [],
    stores: [],
    nat: undefined,
    flows: [{ from: "internet", to: "node", ports: ["80"] }],
    names: [],
    ...more,
});

test("tells what comes and goes, and no change where only an address differs", () => {
    const before = topology([host("node-1"), host("node-2")]);
    expect(topologyChanges(before, topology([host("node-1", { address: "" }), host("node-2")]))).toEqual([]);
    const after = topology([host("node-1", { services: ["Redis :7000"] }), host("node-3")], {
        flows: [{ from: "internet", to: "entry", ports: ["443"] }],
        balancers: [{ name: "entry", address: "", public: true, ports: ["443"] }],
        nat: "",
        names: ["redis.internal"],
    });
    expect(topologyChanges(before, after)).toEqual([
        "- node: host node-1, z-a, ecs.g7.large",
        "- node: host node-2, z-a, ecs.g7.large",
        "- internet → node: 80",
        "+ node: host node-1, z-a, ecs.g7.large, Redis :7000",
        "+ node: host node-3, z-a, ecs.g7.large",
        "+ balancer entry, public: 443",
        "+ NAT gateway",
        "+ internet → entry: 443",
        "+ name redis.internal",
    ]);
});

test("draws the stack as it will be, with what comes, changes and goes told apart", () => {
    const text = toMermaid(
        topology([host("a"), host("b"), host("c")]),
        topology([host("a"), host("b", { zone: "z-b" }), host("d")]),
    );
    expect(text).toContain('["a<br/>z-a<br/>ecs.g7.large"]\n');
    expect(text).toMatch(/\["b<br\/>z-b[^\n]*\]:::changed/);
    expect(text).toMatch(/\["c<br\/>[^\n]*\]:::gone/);
    expect(text).toMatch(/\["d<br\/>[^\n]*\]:::new/);
    expect(text).toMatch(/end\d+ -->\|"80"\| pool\d+/);
});

test("names from elsewhere stay text, and a large pool stays small", () => {
    const evil = topology([host('x"]; click a "javascript:alert(1)" <b>')]);
    expect(toMermaid(evil, evil)).toContain("x#34;]; click a #34;javascript:alert(1)#34; #60;b#62;");
    const many = Array.from({ length: 40 }, (_, index) => host(`node-${index}`));
    const text = toMermaid(topology(many), topology([...many, host("node-40")]));
    expect(text).toContain("node-40");
    expect(text).toContain("and 29 more");
});
