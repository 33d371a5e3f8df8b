import type { Action } from "../action";
import { recordActions } from "./records";
import { regionActions } from "./regions";
import { tagActions } from "./tags";
import { zoneActions } from "./zones";

/** Every action of `pvtz` 2018-01-01 (PrivateZone) that the lab has. */
export const actions: Action[] = [...zoneActions, ...recordActions, ...tagActions, ...regionActions];
