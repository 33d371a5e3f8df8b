/** All policies, in the order in which README.md has them. */
import { costPolicies } from "./cost";
import { dataPolicies } from "./data";
import { networkPolicies } from "./network";
import { servicePolicies } from "./services";
import { tagPolicies } from "./tags";

export const policies = [
    ...networkPolicies,
    ...dataPolicies,
    ...servicePolicies,
    ...tagPolicies,
    ...costPolicies,
] as const;
