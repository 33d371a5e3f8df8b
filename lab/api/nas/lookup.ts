/** Resources of a request's region, and the errors for those that are not there. */
import {
    type AccessGroup,
    DEFAULT_ACCESS_GROUP,
    type FileSystem,
    type MountTarget,
    accessGroupId,
} from "../../model/nas";
import type { ActionContext } from "../action";
import { notFound } from "../errors";
import { findInRegion } from "../listing";
import { refuse } from "../ecs/checks";

export function fileSystemOf({ store, regionId }: ActionContext, id: string | undefined): FileSystem {
    const found = findInRegion(store.state.fileSystems, regionId, id);
    if (!found) throw notFound("InvalidFileSystem.NotFound", "The specified FileSystem does not exist.");
    return found;
}

/** A group of the account's own: the default one can't be changed. */
export function accessGroupOf({ store, regionId }: ActionContext, name: string | undefined): AccessGroup {
    const found = findInRegion(store.state.accessGroups, regionId, accessGroupId(regionId, name ?? ""));
    if (!found) throw notFound("InvalidAccessGroup.NotFound", "The specified AccessGroup does not exist.");
    return found;
}

/** The group that every account has stays as it is, and so do its rules. */
export function refuseDefault(name: string | undefined, verb: "Modify" | "Delete"): void {
    if (name === DEFAULT_ACCESS_GROUP)
        refuse(
            `OperationDenied.DefaultAccessGroupCannot${verb}`,
            `The default AccessGroup can not be ${verb === "Modify" ? "modified" : "deleted"}.`,
            403,
        );
}

export function mountTargetOf(
    context: ActionContext,
    { fileSystemId, mountTargetDomain }: { readonly fileSystemId?: string; readonly mountTargetDomain?: string },
): MountTarget {
    const fileSystem = fileSystemOf(context, fileSystemId);
    const found = findInRegion(context.store.state.mountTargets, context.regionId, mountTargetDomain);
    if (found?.fileSystemId !== fileSystem.id)
        throw notFound("InvalidMountTarget.NotFound", "The specified MountTarget does not exist.");
    return found;
}

export function mountTargetsOf({ store }: ActionContext, fileSystemId: string): MountTarget[] {
    return Object.values(store.state.mountTargets).filter((target) => target.fileSystemId === fileSystemId);
}

/** Whether a mount target can be mounted: it is not switched off, and the machine serves it. */
export function statusOf(context: ActionContext, target: MountTarget): "Active" | "Inactive" | "Pending" {
    if (!target.active) return "Inactive";
    return context.serves?.(target.id) === false ? "Pending" : "Active";
}

/** The lab has general-purpose file systems only. */
export function refuseOtherTypes(fileSystemType: string | undefined): void {
    if (fileSystemType !== undefined && fileSystemType !== "" && fileSystemType !== "standard")
        refuse("InvalidParameter.FileSystemType", "The lab has file systems of the type standard only.");
}
