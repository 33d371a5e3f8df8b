import { Action, defineAction } from "../action";

/** Declares an action of the ECS product. */
export function ecsAction<Request, Response>(action: Omit<Action<Request, Response>, "product" | "version">): Action {
    return defineAction({ product: "Ecs", version: "2014-05-26", ...action });
}
