import { CloudError } from "./errors";

/** JSON or XML; what a client asks for with `Format`. */
export type Format = "JSON" | "XML";

export interface WireAnswer {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
}

/** A success. */
export function answer(format: Format, action: string, body: Record<string, unknown>): WireAnswer {
    return write(format, 200, `${action}Response`, body);
}

/** An error with all the members that clients read without checking: they must be strings. */
export function errorAnswer(
    format: Format,
    error: CloudError,
    about: { readonly requestId: string; readonly host: string; readonly product: string },
): WireAnswer {
    return write(format, error.status, "Error", {
        RequestId: about.requestId,
        Message: error.message,
        Recommend: `https://api.alibabacloud.com/troubleshoot?q=${encodeURIComponent(error.code)}&product=${about.product}&requestId=${about.requestId}`,
        HostId: about.host,
        Code: error.code,
    });
}

function write(format: Format, status: number, root: string, body: Record<string, unknown>): WireAnswer {
    const requestId = typeof body["RequestId"] === "string" ? body["RequestId"] : "";
    return {
        status,
        headers: {
            "content-type": format === "XML" ? "text/xml;charset=utf-8" : "application/json;charset=utf-8",
            "x-acs-request-id": requestId,
        },
        body: format === "XML" ? `<?xml version='1.0' encoding='UTF-8'?>${element(root, body)}` : JSON.stringify(body),
    };
}

/** `<name>…</name>`; a list repeats the element, as the cloud writes it. */
function element(name: string, value: unknown): string {
    if (value === undefined) return "";
    if (Array.isArray(value)) return value.map((item) => element(name, item)).join("");
    if (typeof value === "object" && value !== null) {
        const children = Object.entries(value).map(([key, member]) => element(key, member));
        return `<${name}>${children.join("")}</${name}>`;
    }
    const text = typeof value === "string" ? value : value === null ? "" : JSON.stringify(value);
    return `<${name}>${escape(text)}</${name}>`;
}

function escape(text: string): string {
    return (
        text
            .replace(/&/g, "&amp;")
            .replace(/</g, "&lt;")
            .replace(/>/g, "&gt;")
            .replace(/"/g, "&quot;")
            .replace(/'/g, "&apos;")
            // Characters that XML can't hold at all.

            .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "")
    );
}
