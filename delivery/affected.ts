/** Which stacks a change touches. */

/** Files that no stack's resources come from. */
const elsewhere = [
    /\.md$/,
    /^(docs|tests|bench|lab|delivery|examples|doctor|graph|cost|rotation|\.github|\.ci)\//,
    /^(LICENSE|jest\.config\.js|eslint\.config\.mjs|\.prettier.*|\.gitignore)$/,
];

/**
 * The stacks whose resources a change of these files may alter: a stack's own settings touch that stack, anything that all
 * stacks are made of touches all of them. A file of which nothing is known counts among the latter.
 * @param files changed files, relative to the project's folder
 * @param stacks all stacks of the project
 */
export function touchedStacks(files: readonly string[], stacks: readonly string[]): string[] {
    const touched = new Set<string>();
    for (const file of files) {
        const own = /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1];
        if (own !== undefined) touched.add(own);
        else if (!elsewhere.some((pattern) => pattern.test(file))) return [...stacks];
    }
    return stacks.filter((stack) => touched.has(stack));
}
