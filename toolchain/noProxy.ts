/**
 * Environment in which no client takes a proxy for this machine, beside what takes none already. Pulumi, its plugins and programs call each
 * other at 127.0.0.1, and grpc-js sends even that to a proxy.
 * @param more further addresses of this machine, for clients that compare with host:port
 */
export function withoutProxyHere(
    current: NodeJS.ProcessEnv = process.env,
    ...more: readonly string[]
): { NO_PROXY: string; no_proxy: string } {
    // Lists differ in case of their name, and some clients take a space for a part of the name.
    const entries = [current["NO_PROXY"], current["no_proxy"]]
        .flatMap((list) => (list ?? "").split(","))
        .map((entry) => entry.trim())
        .filter((entry) => entry !== "");
    const list = [...new Set([...entries, "127.0.0.1", ...more, "localhost"])].join(",");
    return { NO_PROXY: list, no_proxy: list };
}
