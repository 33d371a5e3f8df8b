/** Text from elsewhere in Markdown: nothing in it takes effect. */

/** Every way in which a line ends: Markdown takes a carriage return for one, too. */
const LINE_END = /[\s\u0085]*[\n\r\v\f\u0085\u2028\u2029][\s\u0085]*/g;

/** Text without markup, mention or HTML, on one line. */
export function escape(text: string): string {
    return text
        .replace(LINE_END, " ")
        .replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign] ?? sign)
        .replace(/[\\`*_[\]|~#]/g, "\\$&")
        .replace(/@/g, "@\u200b");
}

/** Text as inline code, on one line; an empty one, of which there is no code, in words. Not for a table, in which a `|` would end the cell. */
export function code(text: string): string {
    if (text === "") return "(empty)";
    const line = text.replace(LINE_END, " ");
    const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
    const fence = "`".repeat(longest + 1);
    return longest === 0 ? `\`${line}\`` : `${fence} ${line} ${fence}`;
}

/** A fenced block that its content can't end. */
export function block(language: string, text: string): string {
    const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([run]) => run.length));
    const fence = "`".repeat(longest + 1);
    return `${fence}${language}\n${text}\n${fence}`;
}

/** Text that shows when a reader asks for it. */
export function folded(title: string, text: string): string {
    return `<details><summary>${title}</summary>\n\n${text}\n\n</details>`;
}
