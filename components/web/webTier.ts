import * as pulumi from "@pulumi/pulumi";

import { componentOptions } from "../dependencies";
import { type Host, type HostStep, sshPorts } from "../host";
import type { WebTierArgs } from "./args";
import { parseWebTierArgs, type WebTierSettings, withoutSignature } from "./settings";

/** Where a host of a {@link WebTier} answers. */
export interface WebHost {
    /** Host name. */
    readonly name: string;
    /** Private address. */
    readonly address: string;
    /** TCP port of HTTP, and of the health check. */
    readonly port: number;
}

/** What the step that switches releases reports. */
export interface WebReleaseResult {
    /** What is served now. */
    readonly release: string;
    /** What was served before; empty on the first release. */
    readonly previous: string;
    /** What a reader of the log should know, such as releases that couldn't be removed; not there when there is nothing. */
    readonly notes?: readonly string[];
}

/**
 * Web servers (nginx) on hosts that already run: files of one release at a time, or an application behind them.
 *
 * A release is a switch of a link on all hosts: after it, every host has to answer, or all of them go back to the release before and
 * the update fails. The switch itself loses no request, and neither does a change of the configuration: nginx reloads.
 *
 * @example
 * const web = new WebTier("web", {
 *     hosts: pool.hosts,
 *     content: { directory: "/data/shared/www", shared: true },
 *     release: { name: "2026-11-23.1", url: "https://…/site.tar.gz", sha256: "…" },
 * });
 */
export class WebTier extends pulumi.ComponentResource {
    /** Every host, in the order of the arguments; known once it serves. */
    public readonly hosts: pulumi.Output<WebHost[]>;
    /** TCP port of HTTP, and of the health check. */
    public readonly port: number;
    /** What a balancer's health check asks for. */
    public readonly healthPath: string;
    /** The step that switches releases; undefined without `release`. */
    public readonly release: HostStep<WebReleaseResult> | undefined;
    /** Depend on these to start after the web servers serve. */
    public readonly ready: pulumi.CustomResource[];

    constructor(name: string, args: WebTierArgs, opts?: pulumi.ComponentResourceOptions) {
        super("multihost:web:WebTier", name, {}, componentOptions(opts));
        const settings = parseWebTierArgs(name, args);
        const after = [...(args.after ?? [])];
        this.port = settings.port;
        this.healthPath = settings.healthPath;

        const nodes = settings.hosts.map((host) =>
            host.run(
                `${name}-${host.name}`,
                {
                    script: "web/node",
                    params: {
                        name: settings.siteName,
                        ...contentParams(settings, args),
                        port: settings.port,
                        serverNames: settings.serverNames,
                        healthPath: settings.healthPath,
                        requestsPerSecond: settings.requestsPerSecond,
                        burst: settings.burst,
                        connections: settings.connections,
                        bodySize: settings.bodySize,
                        headers: settings.headers.join("\n"),
                        trustedProxies: settings.trustedProxies,
                        statusPort: settings.statusPort,
                        version: settings.version,
                        ...(args.upstream === undefined
                            ? {}
                            : {
                                  upstream: pulumi.all([...args.upstream.servers]),
                                  upstreamTimeout: settings.upstreamTimeout,
                              }),
                        ...(args.tls === undefined ? {} : { tlsPort: settings.tlsPort }),
                    },
                    ...(args.tls === undefined
                        ? {}
                        : { secrets: { certificate: args.tls.certificate, privateKey: args.tls.privateKey } }),
                    removeOnDelete: true,
                },
                { parent: this, dependsOn: after },
            ),
        );
        this.release = args.release === undefined ? undefined : this.switchTo(name, settings, args, nodes);
        this.ready = this.release === undefined ? nodes : [this.release];

        const works = pulumi.all(this.ready.map(({ id }) => id));
        this.hosts = pulumi
            .all([pulumi.all(settings.hosts.map((host) => host.privateAddress)), works])
            .apply(([addresses]) =>
                addresses.map((address, index) => ({
                    name: settings.hosts[index]!.name,
                    address,
                    port: settings.port,
                })),
            );
        this.registerOutputs({ hosts: this.hosts });
    }

    private switchTo(
        name: string,
        settings: WebTierSettings,
        args: WebTierArgs,
        nodes: readonly HostStep[],
    ): HostStep<WebReleaseResult> {
        const { release } = args;
        const content = contentParams(settings, args);
        return settings.hosts[0]!.run<WebReleaseResult>(
            `${name}-release`,
            {
                script: "web/release",
                params: {
                    ...content,
                    sshPorts: content.user === undefined ? undefined : sshPorts(settings.hosts),
                    release: release?.name,
                    url: release?.url === undefined ? undefined : pulumi.output(release.url).apply(withoutSignature),
                    // As sha256sum prints it: what only is written otherwise runs nothing again.
                    sha256: release?.sha256?.toLowerCase(),
                    keep: settings.keep,
                    members: pulumi.all(settings.hosts.map(memberOf)),
                    port: settings.port,
                    healthPath: settings.healthPath,
                    checkPath: settings.checkPath,
                    serverNames: settings.serverNames,
                    ...(args.tls === undefined ? {} : { tlsPort: settings.tlsPort }),
                },
                ...(release?.url === undefined ? {} : { secrets: { url: release.url } }),
                // A host that is another machine now has none of the releases, and one that serves something new has to be looked at.
                rerunOn: [...settings.hosts.map((host) => host.identity), ...nodes.map((node) => node.stdin)],
                serviceWide: true,
            },
            { parent: this, dependsOn: [...nodes] },
        );
    }
}

function contentParams(
    { directory, shared, hosts }: WebTierSettings,
    { meshUser }: WebTierArgs,
): Readonly<Record<"directory" | "shared" | "user", string | boolean | undefined>> {
    // Logging in takes a user on the other side; where nobody logs in, the files are root's.
    return { directory, shared, user: shared || hosts.length < 2 ? undefined : meshUser };
}

function memberOf(host: Host): pulumi.Output<string> {
    return pulumi.interpolate`${host.name}=${host.privateAddress}`;
}
