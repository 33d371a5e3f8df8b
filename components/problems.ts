import * as pulumi from "@pulumi/pulumi";

/** Why a text can't be a name in the DNS; undefined when it can. */
export function dnsNameProblem(name: string): string | undefined {
    const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
    return name.length <= 200 && name.split(".").every((part) => label.test(part))
        ? undefined
        : `"${name}" is not a name in the DNS: lower-case letters, digits and hyphens between dots.`;
}

/** Seconds that PrivateZone takes for how long clients remember an address. */
const recordTtls: readonly unknown[] = [5, 30, 60, 3600, 43_200, 86_400];

/** Why a record in the DNS can't be remembered for so many seconds; undefined when it can. */
export function ttlProblem(ttl: unknown): string | undefined {
    return recordTtls.includes(ttl)
        ? undefined
        : `${JSON.stringify(ttl)} is none of the numbers of seconds that PrivateZone takes: ${recordTtls.join(", ")}.`;
}

/** Everything that is wrong with a set of arguments, so that a caller mends all of it at once. */
export class Problems {
    private readonly found: { readonly path: string; readonly reason: string }[] = [];

    /** @param path the property, such as `roles.data.ingress[0].ports`; `reason` says what is wrong and how to mend it. */
    add(path: string, reason: string): void {
        this.found.push({ path, reason });
    }

    /** Reports a text that can't pin packages to a version; one that is left out pins nothing. */
    checkVersion(path: string, version: string | undefined): string | undefined {
        if (version !== undefined && !/^[0-9][A-Za-z0-9.+:~-]{0,63}$/.test(version)) {
            this.add(path, `"${version}" is not a package's version or its beginning, such as 7.0 or 7.0.15-1.`);
        }
        return version;
    }

    /** Reports a folder for a service's data that can't be one of its own; one that is left out is the service's default. */
    checkDataDirectory(path: string, folder: string | undefined): void {
        // With `..` it would be another folder than the one that is named.
        if (folder !== undefined && !/^(\/(?!\.\.?(\/|$))[\w.-]+){2,}$/.test(folder)) {
            this.add(path, `"${folder}" is not an absolute path of its own below a top-level folder.`);
        }
    }

    get count(): number {
        return this.found.length;
    }

    /** One line per problem, in the order of discovery. */
    get lines(): readonly string[] {
        return this.found.map(({ path, reason }) => `${path}: ${reason}`);
    }

    /**
     * @param subject what was checked, such as `Network "main"`.
     * @throws pulumi.RunError that lists every problem; the engine prints it without a stack trace.
     */
    throwIfAny(subject: string): void {
        if (this.found.length > 0) {
            const problems = this.found.length === 1 ? "1 problem" : `${this.found.length} problems`;
            throw new pulumi.RunError(
                `${subject} has ${problems}:\n${this.lines.map((line) => `  - ${line}`).join("\n")}`,
            );
        }
    }
}

/** A value whose check waits until it is known. @throws pulumi.RunError that names the subject and every problem, then */
export function checkedOnceKnown<T>(
    subject: string,
    value: pulumi.Input<T>,
    check: (problems: Problems, known: pulumi.Unwrap<T>) => void,
): pulumi.Output<pulumi.Unwrap<T>> {
    return pulumi.output(value).apply((known) => {
        const problems = new Problems();
        check(problems, known);
        problems.throwIfAny(subject);
        return known;
    });
}

/**
 * What a look-up found. Where it is asked of a provider whose settings a preview doesn't know yet, such as a role that the same update makes, the
 * engine looks nothing up and answers without any of it.
 */
export function foundOnceKnown<T>(found: pulumi.Output<T>): pulumi.Output<T> {
    return found.apply((value) => value ?? (pulumi.unknown as T));
}
