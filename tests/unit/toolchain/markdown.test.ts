import { block, code, escape } from "../../../toolchain/markdown";

test.each(["\n", "\r", "\r\n", "\r\r", "\u2028", "\u0085", "\v"])("no %j ends a line of text from elsewhere", (end) => {
    const text = `one${end}${end}@team two`;
    expect(escape(text)).toBe("one @\u200bteam two");
    expect(code(text)).toBe("`one @team two`");
});

test("nothing in a text takes effect", () => {
    expect(escape("</details> <img src=x> *a* [b](c) `d` | # ~")).toBe(
        "&lt;/details&gt; &lt;img src=x&gt; \\*a\\* \\[b\\](c) \\`d\\` \\| \\# \\~",
    );
    expect(code("a`b``c|d")).toBe("``` a`b``c|d ```");
    expect(code("")).toBe("(empty)");
    expect(code("(empty)")).toBe("`(empty)`");
    expect(block("", "a\n````\nb")).toBe("`````\na\n````\nb\n`````");
});
