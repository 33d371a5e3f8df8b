export type { BalancerCertificateArgs, HealthCheckArgs, ListenerArgs, LoadBalancerArgs, StickinessArgs } from "./args";
export { LoadBalancer } from "./loadBalancer";
