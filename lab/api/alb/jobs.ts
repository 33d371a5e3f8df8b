import { ListAsynJobsRequest } from "@alicloud/alb20200616/dist/models/ListAsynJobsRequest";
import { ListAsynJobsResponseBody } from "@alicloud/alb20200616/dist/models/ListAsynJobsResponseBody";
import type { Change } from "../../model/alb";
import type { Action, ActionContext } from "../action";
import { paginateByToken } from "../listing";
import { albAction } from "./action";

/** How long changes take, in seconds: enough to be seen, not enough to wait for. */
const SECONDS: Readonly<Record<Change["status"], number>> = { Provisioning: 2, Configuring: 1 };
/** Jobs that are remembered. */
const MAX_JOBS = 200;

/** A change that begins now. */
export function changing({ now }: ActionContext, status: Change["status"]): Change {
    const until = new Date(Date.parse(now) + SECONDS[status] * 1000).toISOString();
    return { status, until: until.replace(/\.\d+Z$/, "Z") };
}

/** The status of something whose change may be under way. */
export function statusOf({ now }: ActionContext, change: Change, settled: string): string {
    return now < change.until ? change.status : settled;
}

/** Begins a job that ends with a change. @returns its id */
export function beginJob(
    context: ActionContext,
    apiName: string,
    resource: { readonly type: string; readonly id: string },
    until = changing(context, "Configuring").until,
): string {
    const { store, now } = context;
    const id = store.newId("job");
    const jobs = store.state.albJobs;
    for (const old of Object.keys(jobs).slice(0, Math.max(0, Object.keys(jobs).length - MAX_JOBS + 1)))
        Reflect.deleteProperty(jobs, old);
    jobs[id] = { id, apiName, resourceType: resource.type, resourceId: resource.id, createdAt: now, until };
    return id;
}

const listAsynJobs = albAction({
    name: "ListAsynJobs",
    request: ListAsynJobsRequest,
    response: ListAsynJobsResponseBody,
    writes: false,
    handle: (request, { store, now }) => {
        const { jobIds = [], resourceIds = [] } = request;
        const found = Object.values(store.state.albJobs).filter(
            ({ id, resourceId, resourceType, apiName }) =>
                (jobIds.length === 0 || jobIds.includes(id)) &&
                (resourceIds.length === 0 || resourceIds.includes(resourceId)) &&
                (!request.resourceType || request.resourceType === resourceType) &&
                (!request.apiName || request.apiName === apiName),
        );
        const { items, ...page } = paginateByToken(found, request, { default: 20, max: 100 });
        return {
            ...page,
            totalCount: found.length,
            jobs: items.map(({ id, apiName, resourceId, resourceType, createdAt, until }) => ({
                id,
                apiName,
                resourceId,
                resourceType,
                operateType: /^(Create|Delete)/.exec(apiName)?.[1] ?? "Update",
                createTime: Date.parse(createdAt),
                modifyTime: Date.parse(until),
                status: now < until ? "Processing" : "Succeeded",
            })),
        };
    },
});

export const jobActions: readonly Action[] = [listAsynJobs];
