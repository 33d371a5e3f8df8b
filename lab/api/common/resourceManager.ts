import { Action, ActionContext, defineAction } from "../action";
import { notFound } from "../errors";
import { regions } from "../regions";
import { model } from "./model";

const version = "2020-03-31";
/** The resource group that everything is in which was given none. */
export const DEFAULT_RESOURCE_GROUP_ID = "rg-labdefault";

const group = {
    Id: "string",
    Name: "string",
    DisplayName: "string",
    Status: "string",
    AccountId: "string",
    CreateDate: "string",
} as const;

function defaultGroup(context: ActionContext) {
    return {
        id: DEFAULT_RESOURCE_GROUP_ID,
        name: "default",
        displayName: "default resource group",
        status: "OK",
        accountId: context.accountId,
        createDate: "2020-01-01T00:00:00+08:00",
    };
}

/** Resource Management: the default group, which modules look up before they create anything. */
export const resourceManagerActions: readonly Action[] = [
    defineAction({
        product: "ResourceManager",
        version,
        name: "ListResourceGroups",
        request: model({
            PageNumber: "number",
            PageSize: "number",
            Status: "string",
            ResourceGroupId: "string",
            Name: "string",
            DisplayName: "string",
            ResourceGroupIds: ["string"],
        }),
        response: model({
            RequestId: "string",
            TotalCount: "number",
            PageNumber: "number",
            PageSize: "number",
            ResourceGroups: { ResourceGroup: [group] },
        }),
        writes: false,
        handle: (request, context) => {
            const { pageNumber = 1, pageSize = 10 } = request;
            const found = [defaultGroup(context)].filter(
                ({ id, name, displayName, status }) =>
                    matches(request.status, status) &&
                    matches(request.resourceGroupId, id) &&
                    matches(request.name, name) &&
                    (request.displayName === undefined || displayName.includes(request.displayName)) &&
                    (request.resourceGroupIds === undefined || request.resourceGroupIds.includes(id)),
            );
            return {
                totalCount: found.length,
                pageNumber,
                pageSize,
                resourceGroups: { resourceGroup: pageNumber === 1 ? found : [] },
            };
        },
    }),
    defineAction({
        product: "ResourceManager",
        version,
        name: "GetResourceGroup",
        request: model({ ResourceGroupId: "string" }),
        response: model({
            RequestId: "string",
            ResourceGroup: {
                ...group,
                RegionStatuses: { RegionStatus: [{ RegionId: "string", Status: "string" }] },
            },
        }),
        required: ["ResourceGroupId"],
        writes: false,
        handle: (request, context) => {
            if (request.resourceGroupId !== DEFAULT_RESOURCE_GROUP_ID)
                throw notFound("EntityNotExist.ResourceGroup", "The specified resource group does not exist.");
            const { status, ...facts } = defaultGroup(context);
            const regionStatus = regions.map(({ id }) => ({ regionId: id, status }));
            return { resourceGroup: { ...facts, status, regionStatuses: { regionStatus } } };
        },
    }),
];

function matches(asked: string | undefined, value: string): boolean {
    return asked === undefined || asked === "" || asked === value;
}
