/** Parts of answers that several resources share. */
import { BackendServer, addressOfServer } from "../../model/slb";
import type { State } from "../../model/state";

export { minuteOf, tagsView } from "../ecs/view";

/** A server as server groups list it. */
export function serverView(state: State, server: BackendServer) {
    return { ...backendView(state, server), port: server.port };
}

/** A server as a balancer lists it, whose listeners decide the port. */
export function backendView(state: State, server: BackendServer) {
    const found = addressOfServer(state, server);
    return {
        serverId: server.serverId,
        serverIp: found?.address ?? server.serverIp,
        type: server.type,
        weight: server.weight,
        description: server.description,
        vpcId: found?.vpcId ?? "",
    };
}
