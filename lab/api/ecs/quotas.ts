/** Default limits of an account in one region. */
export const quotas = {
    securityGroups: 1000,
    rulesPerSecurityGroup: 200,
    sourceGroupsPerSecurityGroup: 20,
    securityGroupsPerInterface: 5,
    instancesPerNormalGroup: 2000,
    instancesPerEnterpriseGroup: 65536,
    keyPairs: 500,
    instancesPerRequest: 100,
    dataDisksPerRequest: 16,
    dataDisksPerInstance: 64,
    secondaryIpsPerRequest: 49,
    deploymentSets: 200,
    instancesPerDeploymentSetAndZone: 20,
    snapshotPolicies: 100,
} as const;
