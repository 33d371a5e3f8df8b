/** What an account may have at most, as the cloud sets it for a new account. */
export const quotas = {
    loadBalancers: 60,
    listenersPerBalancer: 50,
    serverGroups: 200,
    serversPerGroup: 200,
    serversPerRequest: 200,
    securityGroupsPerBalancer: 4,
    zonesPerBalancer: 10,
} as const;
