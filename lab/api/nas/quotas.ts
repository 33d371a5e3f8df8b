/** Default limits of an account in one region. */
export const quotas = {
    fileSystems: 20,
    mountTargetsPerFileSystem: 2,
    accessGroups: 20,
    rulesPerAccessGroup: 300,
} as const;
