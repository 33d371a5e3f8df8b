/** Loaded before the stack's program (`NODE_OPTIONS=--require …`), and gives the pool of the data hosts `rebuildOn: ["image"]`. */
const Module = require("node:module");

const load = Module._load;
const programs = /^(?!.*node_modules).*\/index\.ts$/;

Module._load = function (request, parent, ...rest) {
    const loaded = load.call(this, request, parent, ...rest);
    if (request !== "./components" || !programs.test(parent?.filename ?? "")) return loaded;
    const NodePool = new Proxy(loaded.NodePool, {
        construct: (made, [name, args, ...others]) =>
            new made(name, args.role === "data" ? { ...args, rebuildOn: ["image"] } : args, ...others),
    });
    return new Proxy(loaded, { get: (target, member) => (member === "NodePool" ? NodePool : target[member]) });
};
