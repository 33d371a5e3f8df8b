/**
 * An error as the cloud answers it: `Code`, `Message` and an HTTP status. Clients decide by these (the Terraform
 * provider takes a 404 or a `*.NotFound` code for "gone"), so codes and statuses are the documented ones.
 */
export class CloudError extends Error {
    constructor(
        readonly code: string,
        message: string,
        readonly status = 400,
    ) {
        super(message);
        this.name = "CloudError";
    }
}

/** 400 `MissingParameter`, naming the parameter as the wire spells it. */
export function missingParameter(wireName: string): CloudError {
    return new CloudError(
        "MissingParameter",
        `The input parameter "${wireName}" that is mandatory for processing this request is not supplied.`,
    );
}

/** 400 `InvalidParameter`-family error of a given code. */
export function invalidParameter(wireName: string, message?: string, code = `InvalidParameter`): CloudError {
    return new CloudError(code, message ?? `The specified parameter "${wireName}" is not valid.`);
}

/** 404 `<code>`; codes differ by product and resource, e.g. `InvalidVpcId.NotFound`. */
export function notFound(code: string, message: string): CloudError {
    return new CloudError(code, message, 404);
}
