import {
    assignableCount,
    contains,
    containsAddress,
    formatAddress,
    formatCidr,
    freeAddress,
    gatewayOf,
    isAssignable,
    isNetwork,
    nthAddress,
    overlaps,
    parseAddress,
    parseCidr,
    takeEipAddress,
} from "../../../lab/model/addresses";
import { Store } from "../../../lab/model/store";

const cidr = (text: string) => parseCidr(text)!;

test.each([
    ["0.0.0.0", 0],
    ["255.255.255.255", 2 ** 32 - 1],
    ["10.1.2.3", 0x0a010203],
])("%s has the number %d", (text, number) => {
    expect(parseAddress(text)).toBe(number);
    expect(formatAddress(number)).toBe(text);
});

test.each(["", "10.0.0", "10.0.0.256", "10.0.0.01", "a.b.c.d", "10.0.0.0.0", "10.0.0.-1"])(
    "%j is not an address",
    (text) => expect(parseAddress(text)).toBeUndefined(),
);

test.each(["", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/024", "10.0.0/8", "10.0.0.0/8/8", "fe80::/10"])(
    "%j is not a CIDR",
    (text) => expect(parseCidr(text)).toBeUndefined(),
);

test("host bits are kept apart from the network", () => {
    expect(isNetwork(cidr("10.0.1.0/24"))).toBe(true);
    expect(isNetwork(cidr("10.0.1.7/24"))).toBe(false);
    expect(formatCidr(cidr("10.0.1.7/24"))).toBe("10.0.1.0/24");
    expect(formatCidr(cidr("200.1.1.1/0"))).toBe("0.0.0.0/0");
});

test("containment and overlap", () => {
    expect(contains(cidr("10.0.0.0/8"), cidr("10.0.0.0/8"))).toBe(true);
    expect(contains(cidr("10.0.0.0/8"), cidr("10.255.255.0/24"))).toBe(true);
    expect(contains(cidr("10.0.0.0/24"), cidr("10.0.0.0/8"))).toBe(false);
    expect(overlaps(cidr("10.0.0.0/24"), cidr("10.0.1.0/24"))).toBe(false);
    expect(overlaps(cidr("10.0.0.0/23"), cidr("10.0.1.0/24"))).toBe(true);
    expect(containsAddress(cidr("192.168.0.0/16"), "192.168.255.255")).toBe(true);
    expect(containsAddress(cidr("192.168.0.0/16"), "192.169.0.0")).toBe(false);
});

test("a VSwitch keeps its first and its last three addresses", () => {
    const vswitch = cidr("172.16.4.0/24");
    expect(gatewayOf(vswitch)).toBe("172.16.4.253");
    expect(assignableCount(vswitch)).toBe(252);
    expect(["172.16.4.0", "172.16.4.253", "172.16.4.255", "172.16.5.1"].some((a) => isAssignable(vswitch, a))).toBe(
        false,
    );
    expect(["172.16.4.1", "172.16.4.252"].every((a) => isAssignable(vswitch, a))).toBe(true);
    expect(nthAddress(vswitch, -1)).toBe("172.16.4.255");
});

test("free addresses run out", () => {
    const vswitch = cidr("172.16.4.8/29");
    const taken = new Set<string>();
    for (let address = freeAddress(vswitch, taken); address !== undefined; address = freeAddress(vswitch, taken))
        taken.add(address);
    expect([...taken]).toEqual(["172.16.4.9", "172.16.4.10", "172.16.4.11", "172.16.4.12"]);
});

test("elastic addresses come from the store's slice, and not the released one first", () => {
    const store = new Store(undefined, "127.77.16.0/20");
    expect(takeEipAddress(store)).toBe("127.77.16.1");
    expect(takeEipAddress(store)).toBe("127.77.16.2");
    store.state.nextEip = 4095;
    expect(takeEipAddress(store)).toBe("127.77.16.1");
});
