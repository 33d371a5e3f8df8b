/** What an account may have at most, as the cloud sets it for a new account. */
export const quotas = {
    vpcsPerRegion: 10,
    secondaryCidrsPerVpc: 5,
    vswitchesPerVpc: 150,
    routeTablesPerVpc: 9,
    routeEntriesPerTable: 200,
    natGatewaysPerVpc: 5,
    snatEntriesPerGateway: 40,
    forwardEntriesPerGateway: 100,
    eips: 20,
    eipsPerNatGateway: 20,
    haVips: 50,
    membersPerHaVip: 10,
} as const;
