/**
 * A stack's outputs, without those of services that are switched off: the SDK would warn of each, in every preview.
 *
 * @param outputs by name; undefined where there is nothing to tell
 */
export function definedOutputs<T extends object>(outputs: T): Partial<T> {
    return Object.fromEntries(Object.entries(outputs).filter(([, value]) => value !== undefined)) as Partial<T>;
}
