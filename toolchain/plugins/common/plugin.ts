import type { Change } from "./diff";
import type { Log } from "./engine";
import type { Checked } from "./schema";
import type { ValueMap } from "./values";

/** What an operation knows about its surroundings. */
export interface Operation {
    readonly urn: string;
    readonly name: string;
    /** A preview: nothing may be touched. */
    readonly preview: boolean;
    readonly log: Log;
    /** Aborted when the engine cancels, goes away, or the operation's time is up. */
    readonly signal: AbortSignal;
}

export interface DiffRequest {
    readonly id: string;
    /** Outputs as recorded. */
    readonly state: ValueMap;
    readonly oldInputs: ValueMap;
    readonly newInputs: ValueMap;
}

export interface Created {
    readonly id: string;
    readonly outputs: ValueMap;
}

export interface Read {
    readonly id: string;
    readonly outputs: ValueMap;
    readonly inputs: ValueMap;
}

/** A resource type of a plugin. */
export interface Resource {
    check(inputs: ValueMap, operation: Operation): Checked;
    diff(request: DiffRequest): Change[];
    create(inputs: ValueMap, operation: Operation): Promise<Created>;
    read(id: string, outputs: ValueMap, inputs: ValueMap): Promise<Read>;
    update(state: ValueMap, inputs: ValueMap, operation: Operation): Promise<ValueMap>;
    delete(state: ValueMap, operation: Operation): Promise<void>;
}

/** A function of a plugin (an `invoke`). */
export interface PluginFunction {
    check(args: ValueMap): Checked;
    call(args: ValueMap, operation: Operation): Promise<ValueMap>;
}

export interface Plugin {
    readonly name: string;
    readonly version: string;
    /** Whether values marked secret arrive as such; when not, the engine itself marks outputs named like secret inputs. */
    readonly acceptSecrets: boolean;
    readonly resources: Readonly<Record<string, Resource>>;
    readonly functions: Readonly<Record<string, PluginFunction>>;
    checkConfig(inputs: ValueMap): Checked;
    configure(config: ValueMap): void;
    /** Lets go of everything the plugin holds; called once, at the end. */
    close(): Promise<void>;
}
