import { Action, defineAction } from "../action";

/** Declares an action of the NAS product. */
export function nasAction<Request, Response>(action: Omit<Action<Request, Response>, "product" | "version">): Action {
    return defineAction({ product: "NAS", version: "2017-06-26", ...action });
}
