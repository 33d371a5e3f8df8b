/** What an account may have at most, as the cloud sets it for a new account. */
export const quotas = {
    loadBalancers: 60,
    listenersPerBalancer: 50,
    serverGroups: 500,
    serversPerGroup: 1000,
    serversPerRequest: 200,
    rulesPerListener: 100,
    acls: 100,
    entriesPerAcl: 1000,
    entriesPerRequest: 20,
    aclsPerListener: 3,
} as const;
