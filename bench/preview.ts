/** Prints how many seconds the program takes to describe a platform of 100 hosts, against mocks. */
import { Recorder } from "../tests/unit/components/recorder";

const recorder = new Recorder({ preview: true });

import { platform } from "../tests/unit/components/platform";

async function main(): Promise<void> {
    recorder.clear();
    const started = performance.now();
    platform(100, 50);
    await recorder.settled();
    console.log(
        JSON.stringify({ seconds: (performance.now() - started) / 1000, resources: recorder.resources.length }),
    );
}

void main();
