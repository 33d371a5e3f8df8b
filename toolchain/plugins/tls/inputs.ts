import type { Failure, Field } from "../common/schema";
import type { Value, ValueMap } from "../common/values";
import type { Input } from "./resource";
import { supportedUses } from "./x509";

const quoted = (values: readonly string[]) => `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;

/** Accepts only some texts; the message is the official plugin's. */
export function oneOf(property: string, values: readonly string[]): Pick<Field, "problem"> {
    return {
        problem: (value) =>
            values.includes(value as string)
                ? undefined
                : `Invalid Attribute Value Match. Attribute ${property} value must be one of: ${quoted(values)}, ` +
                  `got: ${JSON.stringify(value)}`,
    };
}

export function atLeast(property: string, least: number): Pick<Field, "problem"> {
    return {
        problem: (value) =>
            (value as number) >= least
                ? undefined
                : `Invalid Attribute Value. Attribute ${property} value must be at least ${least}, got: ${value as number}`,
    };
}

const notEmpty = (property: string): Pick<Field, "problem"> => ({
    problem: (value: Value) =>
        value === ""
            ? `Invalid Attribute Value Length. Attribute ${property} string length must be at least 1, got: 0`
            : undefined,
});

const text: Field = { type: "string" };

export const subjectInputs: Record<string, Input> = {
    dnsNames: { type: "list", items: text },
    ipAddresses: { type: "list", items: { ...text, ...notEmpty("ipAddresses") } },
    uris: { type: "list", items: { ...text, ...notEmpty("uris") } },
    subject: {
        type: "object",
        fields: {
            commonName: text,
            country: text,
            emailAddress: text,
            locality: text,
            organization: text,
            organizationalUnit: text,
            postalCode: text,
            province: text,
            serialNumber: text,
            streetAddresses: { type: "list", items: text },
        },
    },
};

export const certificateInputs: Record<string, Input> = {
    allowedUses: {
        type: "list",
        required: true,
        items: { ...text, ...oneOf("allowedUses", supportedUses) },
    },
    validityPeriodHours: { type: "integer", required: true, ...atLeast("validityPeriodHours", 0) },
    earlyRenewalHours: { type: "integer", planned: 0, onChange: "update", ...atLeast("earlyRenewalHours", 0) },
    isCaCertificate: { type: "boolean", planned: false },
    maxPathLength: { type: "integer", keepsState: true, ...atLeast("maxPathLength", -1) },
    setSubjectKeyId: { type: "boolean", planned: false },
};

/** A private key that may be given in one of two ways: recorded, or write-only with a version that says it changed. */
export function keyInputs(property: string): Record<string, Input> {
    return {
        [property]: { type: "string", secret: true },
        [`${property}Wo`]: { type: "string", secret: true, writeOnly: true },
        [`${property}WoVersion`]: { type: "integer" },
    };
}

export function keyProblems(property: string, inputs: ValueMap): Failure[] {
    const [given, writeOnly, version] = ["", "Wo", "WoVersion"].map(
        (suffix) => inputs[property + suffix] !== undefined,
    );
    if (given === writeOnly) {
        const reason = given
            ? `Invalid Attribute Combination. 2 attributes specified when one (and only one) of [${property}, ${property}Wo] is required`
            : `Missing Attribute Configuration. Exactly one of these attributes must be configured: [${property}, ${property}Wo]`;
        return [{ property, reason }];
    }
    return writeOnly && !version
        ? [
              {
                  property: `${property}Wo`,
                  reason: `Invalid Attribute Combination. Attribute "${property}WoVersion" must be specified when "${property}Wo" is specified`,
              },
          ]
        : [];
}
