export type {
    BalancerCertificateArgs,
    BalancerVSwitchArgs,
    HealthCheckArgs,
    ListenerArgs,
    LoadBalancerArgs,
    StickinessArgs,
} from "./args";
export { LoadBalancer } from "./loadBalancer";
