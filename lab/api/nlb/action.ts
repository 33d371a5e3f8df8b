import { Action, defineAction } from "../action";

/** Writes that the vendor gives no dry run. */
const alwaysWet: readonly string[] = ["TagResources", "UntagResources", "MoveResourceGroup"];

/** Declares an action of the NLB product. Its request takes a dry run by itself where it writes. */
export function nlbAction<Request, Response>(action: Omit<Action<Request, Response>, "product" | "version">): Action {
    if (action.writes && !alwaysWet.includes(action.name)) {
        action.request.names()["dryRun"] = "DryRun";
        action.request.types()["dryRun"] = "boolean";
    }
    return defineAction({ product: "Nlb", version: "2022-04-30", ...action });
}
