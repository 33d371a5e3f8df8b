import type { Action } from "../action";
import { accessGroupActions } from "./accessGroups";
import { accessRuleActions } from "./accessRules";
import { fileSystemActions } from "./fileSystems";
import { fileSystemSettingActions } from "./fileSystemSettings";
import { mountTargetActions } from "./mountTargets";
import { tagActions } from "./tags";
import { zoneActions } from "./zones";

/** Every action of `NAS` 2017-06-26 (general-purpose file systems over NFS) that the lab has. */
export const actions: Action[] = [
    ...fileSystemActions,
    ...fileSystemSettingActions,
    ...accessGroupActions,
    ...accessRuleActions,
    ...mountTargetActions,
    ...tagActions,
    ...zoneActions,
];
