import { Action, defineAction } from "../action";

/** Declares an action of the PrivateZone product. */
export function pvtzAction<Request, Response>(action: Omit<Action<Request, Response>, "product" | "version">): Action {
    return defineAction({ product: "pvtz", version: "2018-01-01", ...action });
}
