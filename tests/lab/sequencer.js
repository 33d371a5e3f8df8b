const Sequencer = require("@jest/test-sequencer").default;

/** Files in the order of their names: the shared stack is built by the first and destroyed by the last. */
module.exports = class extends Sequencer {
    sort(tests) {
        return [...tests].sort((a, b) => (a.path < b.path ? -1 : 1));
    }
};
