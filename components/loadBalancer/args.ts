import type * as pulumi from "@pulumi/pulumi";

import type { Host } from "../host";
import type { KeyGenerations } from "../keys";
import type { Tags } from "../tags";

/** How a listener finds out whether a host can serve. */
export interface HealthCheckArgs {
    /**
     * Path that is asked for over HTTP. On a `tcp` or `tls` listener: asked for instead of only connecting.
     * @default "/" on `http` and `https`; on `tcp` and `tls` a host that takes the connection is healthy, on `udp` one that does not
     * say that the port is closed
     */
    readonly path?: string;
    /**
     * How `path` is asked for. Not on a `tcp` listener of a `clb`, whose checks ask with `HEAD`.
     * @default "HEAD"
     */
    readonly method?: "HEAD" | "GET";
    /**
     * `Host` of the request. The provider can give a listener of a `clb` another one, but not take it away: until the listener is made
     * anew with `pulumi up --replace`, each update would try to.
     * @default none: the host's address
     */
    readonly domain?: string;
    /** Classes of statuses that are healthy. @default ["2xx"] */
    readonly codes?: readonly ("2xx" | "3xx" | "4xx" | "5xx")[];
    /** The port that is checked, of UDP on a `udp` listener. @default the listener's `hostPort` */
    readonly port?: number;
    /**
     * On a `udp` listener of an `nlb`: text that the check sends, at most 512 characters. @default the cloud's own
     */
    readonly request?: string;
    /** On a `udp` listener of an `nlb`: the answer without which a host is unhealthy, at most 512 characters. @default none is needed */
    readonly response?: string;
    /** Seconds between two checks, 1 to 50; 5 to 50 with an `nlb`. @default 2, and 5 with an `nlb` */
    readonly intervalSeconds?: number;
    /** Seconds that an answer may take, 1 to 300. @default 5 */
    readonly timeoutSeconds?: number;
    /** Checks in a row that make a host healthy, 2 to 10. @default 3 */
    readonly healthyAfter?: number;
    /** Checks in a row that make it unhealthy, 2 to 10. @default 3 */
    readonly unhealthyAfter?: number;
}

/** Keeps a client with its host. */
export interface StickinessArgs {
    /**
     * How long: on `http` and `https` 1 to 86400 seconds, by a cookie that the balancer sets; on `tcp` 1 to 3600 seconds, by
     * the client's address.
     */
    readonly seconds?: number;
    /** On `http` and `https`, instead of `seconds`: name of the application's own cookie, as long as that lasts. */
    readonly cookie?: string;
}

/** Certificate chain and key of an `https` or `tls` listener, in PEM format. */
export interface BalancerCertificateArgs {
    /** The server's certificate, followed by the intermediate ones. On a `clb` it has an RSA key; blank lines between them are left out there. */
    readonly certificate: pulumi.Input<string>;
    /** The key that belongs to it, without a passphrase. One of RSA is handed to a `clb` in PKCS#1, which is what it takes. Secret. */
    readonly privateKey: pulumi.Input<string>;
}

/** A port of the balancer. */
export interface ListenerArgs {
    /** What clients speak. `https` and `tls` end at the balancer; `tls`, of an `nlb`, passes on any protocol that was within. */
    readonly protocol: "tcp" | "udp" | "tls" | "http" | "https";
    /** Port that clients connect to, 1 to 65535. `udp` may share its port with another protocol. */
    readonly port: number;
    /** Port of the hosts, of UDP for `udp` and else of TCP; they are always spoken to without TLS. Required without `redirectTo`. */
    readonly hostPort?: number;
    /** On `http`: port of an `https` listener that clients are sent to with status 301. */
    readonly redirectTo?: number;
    /** On `https` and `tls`. @default a generated one for `names` and the balancer's address, see {@link LoadBalancer.caCertificate} */
    readonly certificate?: BalancerCertificateArgs;
    /** DNS names that a generated certificate is valid for. @default [] */
    readonly names?: readonly string[];
    /** When a host counts as healthy. @default by `protocol`, as its members say */
    readonly healthCheck?: HealthCheckArgs;
    /** Keeps a client with one host. @default none: every request goes to any host */
    readonly stickiness?: StickinessArgs;
    /**
     * Who gets the next connection, or the next flow of datagrams: by weight, by weight and the fewest connections, in turn whatever the
     * weight, or on `tcp`, `udp` and `tls` always the same host for the same client's address.
     * @default "wrr"
     */
    readonly scheduler?: "wrr" | "wlc" | "rr" | "sch";
    /** Ranges that may connect. @default everybody who can reach the address */
    readonly allow?: readonly string[];
    /** Ranges that may not. Excludes `allow`. @default [] */
    readonly deny?: readonly string[];
}

/** A VSwitch in which a balancer has an address, such as one of `Network.vswitches`. */
export interface BalancerVSwitchArgs {
    /** Its id, `vsw-…`. */
    readonly id: pulumi.Input<string>;
    /** Id of its zone, such as `cn-hangzhou-h`. */
    readonly zone: pulumi.Input<string>;
}

/** Arguments of {@link LoadBalancer}. */
export interface LoadBalancerArgs {
    /**
     * The cloud's product: Classic Load Balancer, for every protocol but `tls`; Application Load Balancer, in several zones, for
     * `http` and `https`; or Network Load Balancer, in several zones, for `tcp`, `udp` and `tls`. Another value makes another balancer with
     * another address.
     */
    readonly type: "clb" | "alb" | "nlb";
    /** Whether it has addresses of the internet, or of VSwitches. Another value gives it other addresses. */
    readonly address: "internet" | "intranet";
    /** Id of the VSwitch of a `clb`; required with `address: "intranet"`. */
    readonly vswitchId?: pulumi.Input<string>;
    /** Id of the VPC of an `alb` or `nlb`, which is that of its hosts. Required there. */
    readonly vpcId?: pulumi.Input<string>;
    /**
     * VSwitches of an `alb` or `nlb`, in at least two zones, whatever its address is, such as {@link Network.vswitches}. Required
     * there. An `alb` stays in those that it was made in.
     */
    readonly vswitches?: readonly BalancerVSwitchArgs[];
    /**
     * Between 1 and 20 ECS instances of one VPC, of any pools, up to 200 behind an `alb` or `nlb`. What a `clb` lets through arrives
     * from 100.64.0.0/10, which the cloud admits without a rule; an `alb` connects from addresses of its VSwitches, which by the cloud's
     * documents need none either, nor do an `nlb`'s checks. An `nlb` hands on what comes with the addresses of the clients: whether security
     * groups need a rule for these nobody has tried on a real account.
     */
    readonly hosts: readonly Host[];
    /**
     * Shares of the traffic by the name of the host, 0 to 100. With 0 a host gets nothing new. With `alb` a host whose share changes
     * gets nothing for the seconds until it is found healthy again: change some at a time, not all.
     * @default 100 each
     */
    readonly weights?: Readonly<Record<string, number>>;
    /** The ports that it listens on, each named once. */
    readonly listeners: readonly ListenerArgs[];
    /**
     * Seconds between the moment in which a host that left `hosts` gets nothing new and the moment in which an update goes
     * on to remove it, 0 to 900.
     * @default 30
     */
    readonly drainSeconds?: number;
    /**
     * Generations of the generated keys of certificates and their authority, by which `npm run rotate -- loadBalancer.keys` renews them while
     * clients go on.
     * @default the first generation
     */
    readonly keys?: KeyGenerations;
    /** Whether the cloud refuses to delete the balancer. @default false */
    readonly deletionProtection?: boolean;
    /** Tags of the balancer and of what belongs to it. @default {} */
    readonly tags?: Tags;
    /** What has to be done before hosts get traffic, such as a web tier's `ready`. @default [] */
    readonly after?: readonly pulumi.Resource[];
}
