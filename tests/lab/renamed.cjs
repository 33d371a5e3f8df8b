/**
 * Loaded before the stack's program (`NODE_OPTIONS=--require …`), and gives every component that it makes another name, with the old one as
 * an alias: what somebody would write who renames them all. With `RENAMED=back`, what they would write to undo it.
 */
const Module = require("node:module");

const load = Module._load;
const programs = /^(?!.*node_modules).*\/index\.ts$/;
/** What components call their own things by where Pulumi doesn't look, and therefore have an argument for. */
const kept = { NodePool: "hostPrefix", Bastion: "hostPrefix", WebTier: "siteName" };

function renamed(components) {
    return new Proxy(components, {
        get: (target, member) => {
            const component = target[member];
            if (typeof component !== "function" || !isComponent(component)) return component;
            return new Proxy(component, {
                construct: (made, [name, args, opts]) => {
                    const names = [`other-${name}`, name];
                    if (process.env.RENAMED === "back") names.reverse();
                    return new made(names[0], member in kept ? { ...args, [kept[member]]: name } : args, {
                        ...opts,
                        aliases: [{ name: names[1] }],
                    });
                },
            });
        },
    });
}

function isComponent({ prototype }) {
    const { ComponentResource } = require("@pulumi/pulumi");
    return prototype instanceof ComponentResource;
}

Module._load = function (request, parent, ...rest) {
    const loaded = load.call(this, request, parent, ...rest);
    return request === "./components" && programs.test(parent?.filename ?? "") ? renamed(loaded) : loaded;
};
