/** What this product answers at once and does behind it; in the lab it is done when it is answered. */
import type { Action, ActionContext } from "../action";
import { model } from "../common/model";
import { notFound } from "../errors";
import { nlbAction } from "./action";

/** How many jobs the lab remembers. */
const REMEMBERED = 500;

/** The id of a job that is done. */
export function finishedJob({ store, now }: ActionContext): string {
    const jobs = store.state.nlbJobs;
    const id = store.newId("job");
    jobs[id] = now;
    for (const old of Object.keys(jobs).slice(0, -REMEMBERED)) Reflect.deleteProperty(jobs, old);
    return id;
}

const getJobStatus = nlbAction({
    name: "GetJobStatus",
    request: model({ JobId: "string", ClientToken: "string" }),
    response: model({ RequestId: "string", Status: "string" }),
    required: ["JobId"],
    writes: false,
    handle: ({ jobId }, { store }) => {
        if (!Object.hasOwn(store.state.nlbJobs, jobId!))
            throw notFound("ResourceNotFound.job", `The specified resource job ${jobId!} is not found.`);
        return { status: "Succeeded" };
    },
});

export const jobActions: readonly Action[] = [getJobStatus];
