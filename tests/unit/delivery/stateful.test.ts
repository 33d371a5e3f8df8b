import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { touchedStacks } from "../../../delivery/affected";
import { planOf, readEvents } from "../../../delivery/plan";
import { announcements, losses, lossesByReplacement, lossesOf } from "../../../delivery/stateful";
import { log, resource, summary } from "./events";

const plan = planOf(
    readEvents(
        log(
            resource({ op: "replace", name: "node-1" }),
            resource({ op: "delete", name: "node-7" }),
            resource({ op: "delete", name: "step", type: "command:remote:Command" }),
            resource({ op: "delete", name: "node-7-key", type: "tls:index/privateKey:PrivateKey" }),
            resource({ op: "update", name: "node-2" }),
            resource({ op: "delete", name: "kept", old: { retainOnDelete: true } }),
            summary(),
        ),
    ),
);

const names = (messages: string[], labels: string[] = []): [string, boolean][] =>
    lossesOf(plan, announcements(messages, labels)).map(({ change, announced }) => [change.name, announced]);

test("replaced and deleted hosts are losses, steps and what the cloud keeps are not", () => {
    expect(names([])).toEqual([
        ["node-1", false],
        ["node-7", false],
    ]);
});

test("a key that is made anew is a loss, one that goes with its host is not", () => {
    const key = { name: "ca", type: "tls:index/privateKey:PrivateKey" };
    const lost = (op: string): number =>
        lossesOf(planOf(readEvents(log(resource({ op, ...key }), summary()))), announcements([])).length;
    expect([lost("replace"), lost("delete")]).toEqual([1, 0]);
});

test("another image is a loss although the provider updates the host, and is announced as a replacement", () => {
    const update = (path: string, type?: string): object =>
        resource({
            op: "update",
            name: "node-1",
            ...(type !== undefined && { type }),
            old: { retainOnDelete: true },
            detailedDiff: { [path]: { diffKind: "update", inputDiff: true } },
        });
    const lost = (step: object, ...messages: string[]) =>
        lossesOf(planOf(readEvents(log(step, summary()))), announcements(messages));
    expect(lost(update("imageId"))).toMatchObject([{ causes: ["imageId"], announcedAs: "replace", announced: false }]);
    expect(lost(update("imageId"), "Deletes: node-1")).toMatchObject([{ announced: false }]);
    expect(lost(update("imageId"), "Replaces: node-1")).toMatchObject([{ announced: true }]);
    expect(lost(update("tags.owner"))).toEqual([]);
    expect(lost(update("imageId", "alicloud:ess/scalingConfiguration:ScalingConfiguration"))).toEqual([]);
});

test("an update that takes a balancer's address away is a loss, one that adds an address isn't", () => {
    const zone = (id: string): object => ({ zoneId: `cn-hangzhou-${id}`, vswitchId: `vsw-${id}` });
    const lost = (kind: string, before: object, after: object): unknown[] => {
        const paths = Object.keys({ ...before, ...after });
        const step = resource({
            op: "update",
            name: "balancer",
            type: `alicloud:${kind}/loadBalancer:LoadBalancer`,
            old: { inputs: { ...before } },
            new: { inputs: { ...after } },
            detailedDiff: Object.fromEntries(
                paths.map((path) => [
                    path === "zoneMappings" ? "zoneMappings[1].zoneId" : path,
                    { diffKind: "update", inputDiff: true },
                ]),
            ),
        });
        return lossesOf(planOf(readEvents(log(step, summary()))), announcements([])).map(({ causes }) => causes);
    };
    for (const kind of ["alb", "nlb"])
        expect(lost(kind, { addressType: "Internet" }, { addressType: "Intranet" })).toEqual([["addressType"]]);
    const [one, two] = [{ zoneMappings: [zone("a")] }, { zoneMappings: [zone("a"), zone("b")] }];
    expect(lost("nlb", two, one)).toEqual([["zoneMappings[]"]]);
    expect(lost("nlb", one, two)).toEqual([]);
    expect(lost("nlb", one, { zoneMappings: [{ ...zone("a"), vswitchId: "vsw-c" }] })).toHaveLength(1);
    expect(lost("alb", { loadBalancerName: "a" }, { loadBalancerName: "b" })).toEqual([]);
});

test("what goes beside the rest of an earlier replacement is deleted, and stays only where both are kept", () => {
    const steps = (...kept: boolean[]): object[] => [
        resource({ op: "delete-replaced", name: "node-1", old: { id: "i-1", retainOnDelete: kept[0]! } }),
        resource({ op: "delete", name: "node-1", old: { id: "i-2", retainOnDelete: kept[1]! } }),
    ];
    const lost = (events: object[], ...messages: string[]): unknown =>
        lossesOf(planOf(readEvents(log(...events, summary()))), announcements(messages));
    for (const events of [steps(false, false), steps(false, false).reverse()]) {
        expect(lost(events, "Deletes: node-1")).toMatchObject([{ announcedAs: "delete", announced: true }]);
        expect(lost(events, "Replaces: node-1")).toMatchObject([{ announcedAs: "delete", announced: false }]);
    }
    expect(lost(steps(false, true))).toHaveLength(1);
    expect(lost(steps(true, false))).toHaveLength(1);
    expect(lost(steps(true, true))).toEqual([]);
});

/** The types of the cloud's provider, read and not loaded: that takes longer than all other tests of this file. */
const ofProvider = readdirSync(dirname(require.resolve("@pulumi/alicloud/package.json")), {
    recursive: true,
    encoding: "utf8",
    withFileTypes: true,
})
    .filter((file) => file.isFile() && file.name.endsWith(".js"))
    .flatMap(
        (file) => /__pulumiType = '([^']+)'/.exec(readFileSync(join(file.parentPath, file.name), "utf8"))?.[1] ?? [],
    );

test("losses are told of types that the provider has", () => {
    expect(ofProvider.length).toBeGreaterThan(1000);
    expect(Object.keys(losses).filter((token) => !ofProvider.includes(token))).toEqual([]);
});

test("the key that is lost by being made anew is a type of its SDK", () => {
    const { PrivateKey } = jest.requireActual<{ PrivateKey: { __pulumiType: string } }>("@pulumi/tls/privateKey");
    // This project doesn't depend on the SDK of `random`; stacks that import its components may.
    expect(Object.keys(lossesByReplacement)).toEqual([
        PrivateKey.__pulumiType,
        "random:index/randomPassword:RandomPassword",
    ]);
});

/** Modules and types of plans, rules and services that hold nothing of their own, or what is held elsewhere, too, or is made again as it was. */
const harmless = [
    "ackone/cluster",
    "apigateway/instance",
    "bastionhost/instance",
    "cen/instance",
    "cen/interRegionTrafficQosQueue",
    "cen/transitRouterRouteTable",
    "cloudfirewall/instance",
    "cloudstoragegateway/gatewayCacheDisk",
    "cs/kubernetesPolicyInstance",
    "ddos/ddosBgpInstance",
    "ddos/ddosCooInstance",
    "dms/enterpriseInstance",
    "dms/enterpriseLogicDatabase",
    "dns/alidnsInstance",
    "dns/ddosBgpInstance",
    "dns/ddosCooInstance",
    "dns/gtmInstance",
    "dns/instance",
    "dts/instance",
    "dts/migrationInstance",
    "dts/synchronizationInstance",
    "eais/instance",
    "ebs/dedicatedBlockStorageCluster",
    "ebs/solutionInstance",
    "ecs/ecsDedicatedHostCluster",
    "ecs/hpcCluster",
    "ecs/reservedInstance",
    "edas/cluster",
    "edas/k8sCluster",
    "ehpc/queue",
    "esa/cacheReserveInstance",
    "esa/loadBalancer",
    "esa/ratePlanInstance",
    "expressconnect/routerVbrChildInstance",
    "expressconnect/trafficQosQueue",
    "gwlb/loadBalancer",
    "hbr/hanaInstance",
    "message/serviceTopic",
    "mns/topic",
    "rds/readOnlyInstance",
    "sddp/instance",
    "sslcertificatesserviceinstance/sslCertificatesServiceInstance",
    "threatdetection/instance",
    "vpc/routeTable",
    "waf/instance",
    "wafv3/instance",
    "yundun/bastionHostInstance",
    "yundun/dBAuditInstance",
];

test("every type of the provider's that sounds as if it held something is known to, or known not to", () => {
    const sounds =
        /(Instance|InstanceSet|Cluster|Database|Table|Bucket|Store|Vault|Snapshot|Backup|FileSystem|Image|Secret|Disk|Queue|Topic|Repo|Kubernetes|Eip|EipAddress|LoadBalancer)$/i;
    const doubtful = ofProvider.filter((token) => sounds.test(token) && losses[token] === undefined);
    expect(doubtful.map((token) => token.split(":")[1]!).sort()).toEqual([...harmless].sort());
});

test("the cloud's own databases, what is kept in its services, snapshots and addresses of the older kind are losses", () => {
    const lost = [
        "alicloud:ecs/eip:Eip",
        "alicloud:ecs/ecsSnapshot:EcsSnapshot",
        "alicloud:redis/tairInstance:TairInstance",
        "alicloud:rds/database:Database",
        "alicloud:mongodb/shardingInstance:ShardingInstance",
        "alicloud:ots/table:Table",
        "alicloud:log/store:Store",
    ].map((type) => resource({ op: "delete", name: "data", type }));
    for (const step of lost)
        expect(lossesOf(planOf(readEvents(log(step, summary()))), announcements([]))).toHaveLength(1);
});

test("a trailer announces what it names, and only for the operation that it says", () => {
    expect(names(["Rebuild the first host\n\nReplaces: node-1"])).toEqual([
        ["node-7", false],
        ["node-1", true],
    ]);
    expect(names(["Deletes: node-1"]).every(([, announced]) => !announced)).toBe(true);
    expect(names(["replaces: node-1,  node-2", "Deletes: *"]).every(([, announced]) => announced)).toBe(true);
});

test("a name inside a sentence announces nothing", () => {
    expect(names(["This Replaces: node-1"]).every(([, announced]) => !announced)).toBe(true);
});

test("the label announces everything", () => {
    expect(names([], ["stateful-change"]).every(([, announced]) => announced)).toBe(true);
    expect(names([], ["documentation"]).some(([, announced]) => announced)).toBe(false);
});

describe("the stacks that a change touches", () => {
    const stacks = ["dev", "prod", "staging"];

    test("are those whose own settings it changes", () => {
        expect(touchedStacks(["Pulumi.prod.yaml", "docs/configuration.md"], stacks)).toEqual(["prod"]);
    });

    test("are all when it changes what they are made of, or something unknown", () => {
        for (const file of ["components/host.ts", "scripts/redis/node.sh", "package-lock.json", "Pulumi.yaml", "new/x"])
            expect(touchedStacks([file], stacks)).toEqual(stacks);
    });

    test("are none when it changes documentation, tests or the lab", () => {
        expect(touchedStacks(["README.md", "tests/lab/lab.ts", "lab/cli.ts", ".github/x.yaml"], stacks)).toEqual([]);
    });

    test("are never ones that don't exist", () => {
        expect(touchedStacks(["Pulumi.gone.yaml"], stacks)).toEqual([]);
    });
});
