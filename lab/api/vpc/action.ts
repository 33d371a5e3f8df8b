import { Action, defineAction } from "../action";

/** Declares an action of the VPC product. */
export function vpcAction<Request, Response>(action: Omit<Action<Request, Response>, "product" | "version">): Action {
    return defineAction({ product: "Vpc", version: "2016-04-28", ...action });
}
