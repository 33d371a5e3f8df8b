import { Action, defineAction } from "../action";

/** Declares an action of the NLB product. */
export function nlbAction<Request, Response>(action: Omit<Action<Request, Response>, "product" | "version">): Action {
    return defineAction({ product: "Nlb", version: "2022-04-30", ...action });
}
