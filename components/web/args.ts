import type * as pulumi from "@pulumi/pulumi";

import type { Host } from "../host";

/** Where the files come from that a {@link WebTier} serves. */
export interface WebContentArgs {
    /**
     * Folder with `releases/<name>/` and the link `current` to the one that is served. With `shared`, a folder below a mount that all
     * hosts have.
     * @default "/srv/www"
     */
    readonly directory?: string;
    /**
     * Whether all hosts see the same files there, as below a `SharedStorage` mount. Otherwise each host has its own copy, and a release
     * is switched on all of them by logging in from the first one: see `meshUser`.
     * @default false
     */
    readonly shared?: boolean;
}

/** The version of the content that is served. */
export interface WebReleaseArgs {
    /** Name of the folder below `releases/`: letters, digits and `._-`, such as `2026-11-23.1`. A new name is a new release. */
    readonly name: string;
    /**
     * Archive (`.tar.gz`) that is fetched when the release is not there yet; its top level becomes the release's folder.
     * Redirections are followed, from `https` to `https` only. What follows a `?`, such as a signature, is kept secret.
     * @default none: somebody else has put the release there
     */
    readonly url?: pulumi.Input<string>;
    /** SHA-256 of the archive in hexadecimal digits; required with `url`. */
    readonly sha256?: string;
    /**
     * How many releases are kept on disk after a switch, the served one among them; 2 to 100. The one that was served before stays in any case.
     * @default 5
     */
    readonly keep?: number;
    /** Path that must answer with 2xx or 3xx on every host after the switch, beside the health path. @default "/" */
    readonly checkPath?: string;
}

/** Limits for each client address. What exceeds them gets status 429. */
export interface WebLimitsArgs {
    /** Requests per second, 1 to 100000. @default 50 */
    readonly requestsPerSecond?: number;
    /** Requests that may come at once above that rate. @default twice `requestsPerSecond` */
    readonly burst?: number;
    /** Open connections. @default 100 */
    readonly connections?: number;
    /** Largest body of a request, such as `512k` or `10m`. @default "10m" */
    readonly bodySize?: string;
}

/**
 * An application behind the web servers. It is told the `Host` that was asked for, the client's address in `X-Forwarded-For` and
 * `X-Real-IP`, and in `X-Forwarded-Proto` what the client speaks, also with a balancer that ends TLS. Other headers of that kind don't reach
 * it, and no `Upgrade` but to WebSockets.
 */
export interface WebUpstreamArgs {
    /** `<address>:<port>` of each server. */
    readonly servers: readonly pulumi.Input<string>[];
    /** Seconds that an answer may take. @default 30 */
    readonly timeoutSeconds?: number;
}

/** Certificate and key of the web servers, in PEM format. */
export interface WebTlsArgs {
    /** The server's certificate, followed by the intermediate ones. */
    readonly certificate: pulumi.Input<string>;
    /** The key that belongs to it. Secret. */
    readonly privateKey: pulumi.Input<string>;
    /** TCP port of HTTPS. On `port` everything but the health path is redirected to it. @default 443 */
    readonly port?: number;
}

/** Arguments of {@link WebTier}. */
export interface WebTierArgs {
    /** Where nginx runs. The distribution's default site is switched off. */
    readonly hosts: readonly Host[];
    /**
     * What this site's files and zones are called in nginx on the hosts. A component that is renamed with `aliases` keeps its old name here.
     * @default the component's name
     */
    readonly siteName?: string;
    /** TCP port of HTTP. @default 80 */
    readonly port?: number;
    /** Names that the site answers to. @default every name */
    readonly serverNames?: readonly string[];
    /** Where the files are. @default each host's own copy below `/srv/www` */
    readonly content?: WebContentArgs;
    /** What is served. @default a page that names the host, until somebody links `current` to something else */
    readonly release?: WebReleaseArgs;
    /**
     * Answers 200 while this host can serve: the application's word with `upstream`, else whether the served release has an `index.html`,
     * or a file of this name, at its top. Exempt from limits and from the redirection to HTTPS. For the balancer's health check.
     * @default "/healthz"
     */
    readonly healthPath?: string;
    /** The application behind the web servers. @default none: files only */
    readonly upstream?: WebUpstreamArgs;
    /** What one client address may do. @default as its members say */
    readonly limits?: WebLimitsArgs;
    /** Certificate and key, for HTTPS on the hosts themselves. @default none: HTTP only, for a balancer that ends TLS */
    readonly tls?: WebTlsArgs;
    /**
     * Headers of every answer. An empty value takes a default away.
     * @default `X-Content-Type-Options: nosniff`, `X-Frame-Options: SAMEORIGIN`, `Referrer-Policy: strict-origin-when-cross-origin`,
     * `Permissions-Policy: camera=(), geolocation=(), microphone=()`, and with TLS `Strict-Transport-Security: max-age=31536000`
     */
    readonly headers?: Readonly<Record<string, string>>;
    /**
     * Whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed: the balancer's ranges. Behind an `alb` they have to hold those of its
     * VSwitches, from which it connects, or the limits count all visitors as one, and the application takes each for it.
     * @default ["100.64.0.0/10"], where a `clb` connects from
     */
    readonly trustedProxies?: readonly string[];
    /**
     * Version of nginx's package, or its beginning: `1.22` takes the newest 1.22.x of the hosts' repositories. A newer
     * one is installed and nginx restarted, on all hosts at once; an older one is refused.
     * @default whatever the repositories have when a host is made
     */
    readonly version?: string;
    /** Port on 127.0.0.1 of nginx's own figures, `/status`, for monitoring. @default 8081 */
    readonly statusPort?: number;
    /** Who may log in from the first host to the others without a password: `NodePool.meshUser`. Needed for several hosts without `content.shared`. */
    readonly meshUser?: string | undefined;
    /** What has to be done before: the content's mounts, the mesh. @default [] */
    readonly after?: readonly pulumi.Resource[];
}
