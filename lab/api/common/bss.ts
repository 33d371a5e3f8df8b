import { Action, defineAction } from "../action";
import { model } from "./model";

/** Billing: only the question by which the provider tells a domestic account from an international one. */
export const bssActions: readonly Action[] = [
    defineAction({
        product: "BssOpenApi",
        version: "2017-12-14",
        name: "QueryAvailableInstances",
        request: model({ PageNum: "number", PageSize: "number" }),
        response: model({
            RequestId: "string",
            Code: "string",
            Message: "string",
            Success: "boolean",
            Data: { PageNum: "number", PageSize: "number", TotalCount: "number", InstanceList: [{}] },
        }),
        writes: false,
        handle: ({ pageNum = 1, pageSize = 20 }) => ({
            code: "Success",
            message: "Successful!",
            success: true,
            data: { pageNum, pageSize, totalCount: 0, instanceList: [] },
        }),
    }),
];
