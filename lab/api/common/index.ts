import type { Action } from "../action";
import type { Credentials } from "../credentials";
import { bssActions } from "./bss";
import { locationActions } from "./location";
import { resourceManagerActions } from "./resourceManager";
import { stsActions } from "./sts";

/** Actions that every client may need before it gets to a product. */
export function commonActions(options: {
    readonly credentials: Credentials;
    /** `host:port` of the lab. */
    readonly endpoint: () => string;
}): readonly Action[] {
    return [
        ...stsActions(options.credentials),
        ...locationActions(options.endpoint),
        ...bssActions,
        ...resourceManagerActions,
    ];
}
