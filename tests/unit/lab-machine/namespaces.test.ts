/** What the network's scripts do, with stand-ins for the programs that they run. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { machineWithBalancer, unitNetwork } from "./unitNetwork";

const machine = machineWithBalancer("10.0.1.200");

/** Name spaces are files of a folder; what a file holds says whether there is one behind its name. */
const IP = `#!/bin/sh
case $1 in
-n) grep -qx alive "$SPACES/$2" 2>/dev/null || { echo "setting the network namespace failed: Invalid argument" >&2; exit 1; } ;;
netns)
    case $2 in
    add) [ ! -e "$SPACES/$3" ] || exit 1; echo alive >"$SPACES/$3" ;;
    delete) rm "$SPACES/$3" ;;
    esac ;;
esac
`;

/** firewalld, which runs where there is the file of the sources that it trusts. */
const FIREWALL_CMD = `#!/bin/sh
[ "$1" = -q ] && [ -f "$SPACES/../trusted" ] || exit 252
case $2,$3 in
--state,) ;;
--zone=trusted,--add-source=*) echo "\${3#*=}" >>"$SPACES/../trusted" ;;
--zone=trusted,--remove-source=*) sed -i "\\|^\${3#*=}$|d" "$SPACES/../trusted" ;;
*) exit 2 ;;
esac
`;

let spaces: string;
let unit: ReturnType<typeof unitNetwork>;
beforeEach(() => {
    const runner = (folder: string) => ({
        script: async (text: string): Promise<string> => {
            const env = { PATH: `${folder}:/usr/bin:/bin`, SPACES: spaces };
            const { status, stdout, stderr } = spawnSync("sh", ["-eus"], { input: text, encoding: "utf8", env });
            if (status !== 0) throw new Error(stderr);
            return stdout;
        },
        run: async () => "",
    });
    unit = unitNetwork(runner);
    const { folder } = unit;
    spaces = path.join(folder, "spaces");
    mkdirSync(spaces);
    writeFileSync(path.join(folder, "ip"), IP, { mode: 0o755 });
    writeFileSync(path.join(folder, "firewall-cmd"), FIREWALL_CMD, { mode: 0o755 });
    for (const name of ["nsenter", "nft", "sysctl", "iptables", "iptables-save", "conntrack"])
        writeFileSync(path.join(folder, name), "#!/bin/sh\n", { mode: 0o755 });
});
afterEach(() => unit.close());

const apply = async (): Promise<Record<string, string>> => {
    await unit.network.apply(machine, { dnsPort: 10053, metadataPort: 10080 });
    return Object.fromEntries(
        readdirSync(spaces).map((name) => [name, readFileSync(path.join(spaces, name), "utf8").trim()]),
    );
};

test("VPCs and balancers get name spaces, once", async () => {
    const both = { "mh15-vpc-a": "alive", "mh15b-lb-a": "alive" };
    expect(await apply()).toEqual(both);
    unit.network.distrust();
    expect(await apply()).toEqual(both);
});

test("names of name spaces that are no more are not taken for these", async () => {
    for (const name of ["mh15-vpc-a", "mh15b-lb-a"]) writeFileSync(path.join(spaces, name), "");
    expect(await apply()).toEqual({ "mh15-vpc-a": "alive", "mh15b-lb-a": "alive" });
});

test("firewalld trusts the lab's ranges while there is the lab, and nobody's else", async () => {
    await apply();
    const trusted = path.join(unit.folder, "trusted");
    writeFileSync(trusted, "10.1.0.0/16\n");
    unit.network.distrust();
    await apply();
    expect(readFileSync(trusted, "utf8")).toBe("10.1.0.0/16\n198.18.240.0/20\n198.19.240.0/20\n");
    await unit.network.destroy();
    expect(readFileSync(trusted, "utf8")).toBe("10.1.0.0/16\n");
});
