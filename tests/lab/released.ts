/** Tests that upgrade from the last release. */
import { releaseProblem } from "../../toolchain/release";

/** Why the release isn't there; undefined when it is. */
export const problem = releaseProblem();

/** A test that upgrades from the last release; where that isn't there, its name says why it is skipped. */
export const upgrade = (name: string, run: () => Promise<void>): void =>
    problem === undefined ? it(name, run) : it.skip(`${name} (${problem})`, run);
