/** Components of a multi-host Linux platform on Alibaba Cloud. */
export { Bastion, type BastionArgs } from "./bastion";
export { Connectivity, type ConnectivityArgs, type ConnectivityResult } from "./connectivity";
export { Host, type HostArgs, HostStep, type StepArgs, type StepOutput, type StepParam } from "./host";
export type { KeyGenerations } from "./keys";
export * from "./loadBalancer";
export * from "./mysql";
export * from "./network";
export * from "./nodePool";
export * from "./platformReference";
export { type DnsTarget, PrivateDns, type PrivateDnsArgs } from "./privateDns";
export * from "./redis";
export { loadScript, type Script, type ScriptSource } from "./scripts";
export * from "./storage";
export type { Tags } from "./tags";
export * from "./web";
