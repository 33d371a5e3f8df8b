/** What an account may have at most, as the cloud sets it for a new account. */
export const quotas = {
    loadBalancers: 60,
    listenersPerBalancer: 50,
    serversPerBalancer: 200,
    serversPerRequest: 20,
    rulesPerListener: 40,
    rulesPerRequest: 10,
    entriesPerAcl: 300,
    entriesPerRequest: 50,
    aclsPerListener: 3,
    certificates: 100,
} as const;
