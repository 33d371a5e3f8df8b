import { Action, defineAction } from "../action";

/** Declares an action of the SLB product. */
export function slbAction<Request, Response>(action: Omit<Action<Request, Response>, "product" | "version">): Action {
    return defineAction({ product: "Slb", version: "2014-05-15", ...action });
}
