const shortest = 4;

/** Takes secret texts out of a message. What is shorter than a word stays: replacing it would only garble the rest. */
export function redact(message: string, secrets: readonly string[]): string {
    return [...new Set(secrets)]
        .flatMap((secret) => [secret, secret.trim(), JSON.stringify(secret).slice(1, -1)])
        .filter((secret) => secret.length >= shortest)
        .sort((left, right) => right.length - left.length)
        .reduce((text, secret) => text.replaceAll(secret, "[secret]"), message);
}
