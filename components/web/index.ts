export type { WebContentArgs, WebLimitsArgs, WebReleaseArgs, WebTierArgs, WebTlsArgs, WebUpstreamArgs } from "./args";
export { type WebHost, type WebReleaseResult, WebTier } from "./webTier";
