export type { EgressRule, IngressRule, NetworkArgs, RoleArgs } from "./args";
export { Network, type VSwitch } from "./network";
