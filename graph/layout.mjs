/** Graphviz: its language on standard input, SVG on standard output. A module of its own, since the library is one. */
import { text } from "node:stream/consumers";
import { Graphviz } from "@hpcc-js/wasm-graphviz";

const graphviz = await Graphviz.load();
process.stdout.write(graphviz.dot(await text(process.stdin)));
