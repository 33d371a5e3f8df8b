/** A stack's settings as Pulumi prints them. */

/** A setting. One with members has them in `objectValue`; whether one of these is secret isn't printed. */
export interface PrintedSetting {
    readonly value?: string;
    readonly objectValue?: unknown;
    readonly secret: boolean;
}

/** What `pulumi config --json --show-secrets` prints. */
export type PrintedConfig = Readonly<Record<string, PrintedSetting>>;

/** The members of a setting; undefined for one that is a value of its own, also where that is the text of an object. */
export function membersOf({ objectValue }: PrintedSetting): Readonly<Record<string, unknown>> | undefined {
    return typeof objectValue === "object" && objectValue !== null && !Array.isArray(objectValue)
        ? (objectValue as Record<string, unknown>)
        : undefined;
}

/** Why nothing may be set in a group that has no members, and the remedy. */
export function keptAsText(group: string, stack: string): string {
    return (
        `${group}: ${stack} keeps this group as one text, and a setting that is set in it would take the place of all others. ` +
        `Note what \`npm run pulumi -- config get ${group} --stack ${stack}\` shows, and then set each of them by its path: ` +
        `\`npm run pulumi -- config set --path ${group}.NAME VALUE --stack ${stack}\`, with --secret for a secret and --type string for a version.`
    );
}
