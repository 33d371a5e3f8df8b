import { Action, defineAction } from "../action";

/** Declares an action of the ALB product. */
export function albAction<Request, Response>(action: Omit<Action<Request, Response>, "product" | "version">): Action {
    return defineAction({ product: "Alb", version: "2020-06-16", ...action });
}
