/** Takes typed values out of raw configuration and notes what is wrong. */
import * as pulumi from "@pulumi/pulumi";

import { parseCidr } from "../components/network/cidr";
import { passwordProblem } from "../components/password";
import type { Problems } from "../components/problems";

/** Configuration as the engine hands it over: values are text, structured ones are JSON. */
export type RawConfig = Readonly<Record<string, string>>;

/** The members of each group of settings; undefined for a key that is a value of its own. */
export type Schema = Readonly<Record<string, readonly string[] | undefined>>;

/** A group of settings as it stands in the stack's file. */
export type Section = Readonly<Record<string, unknown>>;

/** Whose keys are not of a project: Pulumi's own, and those of the providers in use. */
const otherOwners = ["pulumi", "alicloud", "command", "tls"];

/** Reads one stack's configuration; every problem goes to `problems`, and a default takes the value's place. */
export class Reader {
    private readonly sections = new Map<string, Section | undefined>();

    constructor(
        private readonly raw: RawConfig,
        readonly problems: Problems,
        private readonly secretKeys: readonly string[] = [],
    ) {}

    get region(): string | undefined {
        return this.raw["alicloud:region"];
    }

    get skipsRegionValidation(): boolean {
        return this.raw["alicloud:skipRegionValidation"] === "true";
    }

    /** Whether a top-level key is stored encrypted. */
    isSecret(key: string): boolean {
        return this.secretKeys.includes(key);
    }

    /** @param schema the keys there are, and for groups of settings their members. */
    refuseUnknown(schema: Schema): void {
        const known = Object.keys(schema);
        for (const key of Object.keys(this.raw)) {
            if (key.includes(":")) {
                this.refuseMisplaced(key, known);
                continue;
            }
            if (!known.includes(key)) {
                this.problems.add(key, `is not a key of this project; there are ${known.join(", ")}.`);
                continue;
            }
            const members = schema[key];
            if (members === undefined) continue;
            for (const member of Object.keys(this.section(key) ?? {})) {
                if (!members.includes(member)) {
                    this.problems.add(`${key}.${member}`, `is not known; \`${key}\` has ${members.join(", ")}.`);
                }
            }
        }
    }

    /** A project that was renamed finds nothing of what was set under its former name. */
    private refuseMisplaced(key: string, known: readonly string[]): void {
        const [owner = "", name = ""] = key.split(":");
        if (otherOwners.includes(owner) || !known.includes(name)) return;
        const project = pulumi.getProject();
        this.problems.add(
            key,
            `belongs to another project, this one is "${project}": rename the key to ${project}:${name}.`,
        );
    }

    json(key: string): unknown {
        const text = this.raw[key];
        if (text === undefined) return undefined;
        try {
            return JSON.parse(text) as unknown;
        } catch {
            return text;
        }
    }

    section(key: string): Section | undefined {
        if (!this.sections.has(key)) {
            const value = this.json(key);
            const isSection = typeof value === "object" && value !== null && !Array.isArray(value);
            if (value !== undefined && !isSection) {
                this.problems.add(
                    key,
                    `is a group of settings, not a single value: \`pulumi config set --path ${key}.NAME VALUE\`.`,
                );
            }
            this.sections.set(key, isSection ? (value as Section) : undefined);
        }
        return this.sections.get(key);
    }

    /** The member of `section` that the part of `path` after the first dot names. */
    value(section: Section | undefined, path: string): unknown {
        return section?.[path.slice(path.indexOf(".") + 1)];
    }

    integer(section: Section | undefined, path: string, fallback: number, least: number, most: number): number {
        const value = this.value(section, path);
        if (value === undefined) return fallback;
        if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
            this.problems.add(path, `${JSON.stringify(value)} is not a whole number between ${least} and ${most}.`);
            return fallback;
        }
        return value;
    }

    boolean(section: Section | undefined, path: string, fallback: boolean): boolean {
        const value = this.value(section, path);
        if (value === undefined) return fallback;
        if (typeof value === "boolean") return value;
        this.problems.add(path, `${JSON.stringify(value)} is neither true nor false.`);
        return fallback;
    }

    text(section: Section | undefined, path: string): string | undefined {
        const value = this.value(section, path);
        if (this.refuseDate(path, value)) return undefined;
        if (value === undefined || (typeof value === "string" && value !== "")) return value;
        // Not quoted: it may have been meant to be secret.
        this.problems.add(
            path,
            typeof value === "number" || typeof value === "boolean"
                ? `is a ${typeof value}, not text: put it in quotes in the stack's file, or set it with \`pulumi config set --type string --path ${path}\`.`
                : "must be text that is not empty.",
        );
        return undefined;
    }

    /** YAML takes a date without quotes for a point in time, which the engine writes out in its own way. */
    refuseDate(path: string, value: unknown): boolean {
        const isDate = typeof value === "string" && /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S* \+0000 UTC$/.test(value);
        if (isDate) this.problems.add(path, "is a date, not text: put it in quotes in the stack's file.");
        return isDate;
    }

    /** A service's `password`, and its `previousPassword` for clients that have not got the new one yet. */
    passwords(
        section: Section | undefined,
        service: string,
    ): { readonly password?: pulumi.Output<string>; readonly previousPassword?: pulumi.Output<string> } {
        const [path, previousPath] = [`${service}.password`, `${service}.previousPassword`];
        const password = this.password(section, path, "Leave it out to have one generated.");
        const previousPassword = this.password(section, previousPath, "Leave it out to end its validity.");
        if (password !== undefined && section?.["password"] === section?.["previousPassword"]) {
            this.problems.add(previousPath, `is the same as ${path}: leave it out.`);
        }
        return {
            ...(password !== undefined && { password }),
            ...(previousPassword !== undefined && { previousPassword }),
        };
    }

    /** @param without what leaving it out means, for a reader whose password is refused. */
    private password(section: Section | undefined, path: string, without: string): pulumi.Output<string> | undefined {
        const value = this.text(section, path);
        if (value === undefined) return undefined;
        const weak = passwordProblem(value);
        if (weak !== undefined) {
            this.problems.add(path, `${weak} ${without}`);
        }
        if (!this.isSecret(path.slice(0, path.indexOf(".")))) {
            this.problems.add(
                path,
                `stands in the stack's file as plain text: choose another one and set it with \`pulumi config set --secret --path ${path}\`.`,
            );
        }
        return pulumi.secret(value);
    }

    instanceType(section: Section | undefined, path: string, fallback: string): string {
        const value = this.text(section, path) ?? fallback;
        if (!/^ecs\.[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(value)) {
            this.problems.add(path, `"${value}" is not an instance type such as ${fallback}.`);
        }
        return value;
    }

    cidrs(value: unknown, path: string): string[] {
        if (value === undefined) return [];
        if (!Array.isArray(value)) {
            this.problems.add(path, "must be a list of CIDR blocks.");
            return [];
        }
        return value.map((item: unknown, index) => {
            if (typeof item !== "string" || parseCidr(item) === undefined) {
                this.problems.add(
                    `${path}[${index}]`,
                    `${JSON.stringify(item)} is not a CIDR block whose address fits its mask: write one such as 198.51.100.0/24.`,
                );
                return "";
            }
            return item;
        });
    }

    /** Notes what a list has more than once. */
    once(path: string, values: readonly string[]): void {
        values.forEach((value, index) => {
            if (value !== "" && values.indexOf(value) < index)
                this.problems.add(`${path}[${index}]`, `"${value}" is listed twice.`);
        });
    }

    /** @param least how many there have to be; with 0 it may be left out as well. */
    texts(section: Section | undefined, path: string, least: 0 | 1 = 1): string[] {
        const value = this.value(section, path) ?? [];
        if (Array.isArray(value) && value.length >= least && value.every((item) => typeof item === "string")) {
            return value;
        }
        this.problems.add(path, `must be a list of texts${least === 0 ? "" : " that is not empty"}.`);
        return [];
    }

    numbers(section: Section | undefined, path: string): number[] {
        const value = this.value(section, path) ?? [];
        if (Array.isArray(value) && value.every((item) => Number.isInteger(item) && item > 0)) {
            return value as number[];
        }
        this.problems.add(path, `${JSON.stringify(value)} is not a list of hosts' numbers.`);
        return [];
    }
}
