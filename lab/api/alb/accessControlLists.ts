import { AddEntriesToAclRequest } from "@alicloud/alb20200616/dist/models/AddEntriesToAclRequest";
import { AddEntriesToAclResponseBody } from "@alicloud/alb20200616/dist/models/AddEntriesToAclResponseBody";
import { AssociateAclsWithListenerRequest } from "@alicloud/alb20200616/dist/models/AssociateAclsWithListenerRequest";
import { AssociateAclsWithListenerResponseBody } from "@alicloud/alb20200616/dist/models/AssociateAclsWithListenerResponseBody";
import { CreateAclRequest } from "@alicloud/alb20200616/dist/models/CreateAclRequest";
import { CreateAclResponseBody } from "@alicloud/alb20200616/dist/models/CreateAclResponseBody";
import { DeleteAclRequest } from "@alicloud/alb20200616/dist/models/DeleteAclRequest";
import { DeleteAclResponseBody } from "@alicloud/alb20200616/dist/models/DeleteAclResponseBody";
import { DissociateAclsFromListenerRequest } from "@alicloud/alb20200616/dist/models/DissociateAclsFromListenerRequest";
import { DissociateAclsFromListenerResponseBody } from "@alicloud/alb20200616/dist/models/DissociateAclsFromListenerResponseBody";
import { ListAclEntriesRequest } from "@alicloud/alb20200616/dist/models/ListAclEntriesRequest";
import { ListAclEntriesResponseBody } from "@alicloud/alb20200616/dist/models/ListAclEntriesResponseBody";
import { ListAclRelationsRequest } from "@alicloud/alb20200616/dist/models/ListAclRelationsRequest";
import { ListAclRelationsResponseBody } from "@alicloud/alb20200616/dist/models/ListAclRelationsResponseBody";
import { ListAclsRequest } from "@alicloud/alb20200616/dist/models/ListAclsRequest";
import { ListAclsResponseBody } from "@alicloud/alb20200616/dist/models/ListAclsResponseBody";
import { RemoveEntriesFromAclRequest } from "@alicloud/alb20200616/dist/models/RemoveEntriesFromAclRequest";
import { RemoveEntriesFromAclResponseBody } from "@alicloud/alb20200616/dist/models/RemoveEntriesFromAclResponseBody";
import { UpdateAclAttributeRequest } from "@alicloud/alb20200616/dist/models/UpdateAclAttributeRequest";
import { UpdateAclAttributeResponseBody } from "@alicloud/alb20200616/dist/models/UpdateAclAttributeResponseBody";
import type { AlbAcl, AlbListener } from "../../model/alb";
import { isNetwork, parseAddress, parseCidr } from "../../model/addresses";
import type { Action, ActionContext } from "../action";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { missingParameter, notFound } from "../errors";
import { among, hasTags, matches, paginateByToken, toTags } from "../listing";
import { albAction } from "./action";
import { checkName, checkTags, oneOf, refuse, refuseParameter, refuseQuota, valueOr } from "./checks";
import { beginJob } from "./jobs";
import { changed } from "./listeners";
import { aclOf, settledListenerOf } from "./lookup";
import { quotas } from "./quotas";
import { tagsView } from "./view";

const createAcl = albAction({
    name: "CreateAcl",
    request: CreateAclRequest,
    response: CreateAclResponseBody,
    writes: true,
    handle: (request, context) => {
        const { store, regionId, now } = context;
        checkName(request.aclName, "AclName");
        checkTags(request.tag);
        if (Object.keys(store.state.albAcls).length >= quotas.acls) refuseQuota("AclsNum");
        context.checked();
        const id = store.newId("acl");
        store.state.albAcls[id] = {
            id,
            regionId,
            createdAt: now,
            name: request.aclName ?? "",
            description: "",
            tags: toTags(request.tag),
            resourceGroupId: valueOr(request.resourceGroupId, DEFAULT_RESOURCE_GROUP_ID),
            entries: [],
        };
        return { aclId: id, jobId: beginJob(context, "CreateAcl", { type: "acl", id }, now) };
    },
});

const listAcls = albAction({
    name: "ListAcls",
    request: ListAclsRequest,
    response: ListAclsResponseBody,
    writes: false,
    handle: (request, { store }) => {
        const found = Object.values(store.state.albAcls).filter(
            (acl) =>
                among(request.aclIds, acl.id) &&
                among(request.aclNames, acl.name) &&
                matches(request.resourceGroupId, acl.resourceGroupId) &&
                hasTags(acl, request.tag),
        );
        const { items, ...page } = paginateByToken(found, request, { default: 20, max: 100 });
        return {
            ...page,
            totalCount: found.length,
            acls: items.map((acl) => ({
                aclId: acl.id,
                aclName: acl.name,
                aclStatus: "Available",
                addressIPVersion: "IPv4",
                createTime: acl.createdAt,
                resourceGroupId: acl.resourceGroupId,
                tags: tagsView(acl.tags),
            })),
        };
    },
});

const updateAclAttribute = albAction({
    name: "UpdateAclAttribute",
    request: UpdateAclAttributeRequest,
    response: UpdateAclAttributeResponseBody,
    required: ["AclId"],
    writes: true,
    handle: (request, context) => {
        const acl = aclOf(context, request.aclId);
        checkName(request.aclName, "AclName");
        context.checked();
        acl.name = valueOr(request.aclName, acl.name);
        return { jobId: beginJob(context, "UpdateAclAttribute", { type: "acl", id: acl.id }, context.now) };
    },
});

/** Listeners that ask a list. */
function listenersOf({ store }: ActionContext, { id }: AlbAcl): AlbListener[] {
    return Object.values(store.state.albListeners).filter(({ acl }) => acl.ids.includes(id));
}

const deleteAcl = albAction({
    name: "DeleteAcl",
    request: DeleteAclRequest,
    response: DeleteAclResponseBody,
    required: ["AclId"],
    writes: true,
    handle: ({ aclId }, context) => {
        const acl = aclOf(context, aclId);
        if (listenersOf(context, acl).length > 0)
            refuse("ResourceInUse.Acl", "The specified resource of Acl is in use.");
        context.checked();
        Reflect.deleteProperty(context.store.state.albAcls, acl.id);
        return { jobId: beginJob(context, "DeleteAcl", { type: "acl", id: acl.id }, context.now) };
    },
});

const listAclEntries = albAction({
    name: "ListAclEntries",
    request: ListAclEntriesRequest,
    response: ListAclEntriesResponseBody,
    required: ["AclId"],
    writes: false,
    handle: (request, context) => {
        const { entries } = aclOf(context, request.aclId);
        const { items, ...page } = paginateByToken(entries, request, { default: 20, max: 100 });
        return {
            ...page,
            totalCount: entries.length,
            aclEntries: items.map((entry) => ({ ...entry, status: "Available" })),
        };
    },
});

const addEntriesToAcl = albAction({
    name: "AddEntriesToAcl",
    request: AddEntriesToAclRequest,
    response: AddEntriesToAclResponseBody,
    required: ["AclId", "AclEntries"],
    writes: true,
    handle: async (request, context) => {
        const acl = aclOf(context, request.aclId);
        const asked = request.aclEntries ?? [];
        if (asked.length > quotas.entriesPerRequest) refuseParameter("AclEntries");
        const added = asked.map(({ entry = "", description = "" }) => {
            const cidr = parseCidr(entry);
            if (parseAddress(entry) === undefined && !(cidr && isNetwork(cidr))) refuseParameter("Entry");
            if (acl.entries.some((known) => known.entry === entry))
                refuse("ResourceAlreadyExist.AclEntry", "The specified resource of AclEntry already exists.");
            return { entry, description };
        });
        if (acl.entries.length + added.length > quotas.entriesPerAcl) refuseQuota("AclEntriesNum");
        context.checked();
        acl.entries = [...acl.entries, ...added];
        await context.applied();
        return { jobId: beginJob(context, "AddEntriesToAcl", { type: "acl", id: acl.id }, context.now) };
    },
});

const removeEntriesFromAcl = albAction({
    name: "RemoveEntriesFromAcl",
    request: RemoveEntriesFromAclRequest,
    response: RemoveEntriesFromAclResponseBody,
    required: ["AclId", "Entries"],
    writes: true,
    handle: async (request, context) => {
        const acl = aclOf(context, request.aclId);
        const asked = request.entries ?? [];
        if (!asked.every((entry) => acl.entries.some((known) => known.entry === entry)))
            throw notFound("ResourceNotFound.AclEntry", "The specified resource of AclEntry is not found.");
        context.checked();
        acl.entries = acl.entries.filter(({ entry }) => !asked.includes(entry));
        await context.applied();
        return { jobId: beginJob(context, "RemoveEntriesFromAcl", { type: "acl", id: acl.id }, context.now) };
    },
});

const associateAclsWithListener = albAction({
    name: "AssociateAclsWithListener",
    request: AssociateAclsWithListenerRequest,
    response: AssociateAclsWithListenerResponseBody,
    required: ["ListenerId", "AclIds", "AclType"],
    writes: true,
    handle: async (request, context) => {
        const listener = settledListenerOf(context, request.listenerId);
        const type = oneOf(request.aclType, ["White", "Black"], "AclType", "White");
        const asked = request.aclIds ?? [];
        if (asked.length === 0) throw missingParameter("AclIds");
        for (const id of asked) aclOf(context, id);
        const { acl } = listener;
        if (acl.ids.length > 0 && acl.type !== type)
            refuse("Conflict.AclType", "The AclType conflicts with that of the lists that the listener has.");
        if (asked.some((id) => acl.ids.includes(id)))
            refuse("ResourceAlreadyAssociated.Acl", "The specified resource of Acl is already associated.");
        const ids = [...acl.ids, ...asked];
        if (ids.length > quotas.aclsPerListener) refuseQuota("AclAttachedNum");
        context.checked();
        listener.acl = { type, ids };
        return { jobId: await changed(context, "AssociateAclsWithListener", listener) };
    },
});

const dissociateAclsFromListener = albAction({
    name: "DissociateAclsFromListener",
    request: DissociateAclsFromListenerRequest,
    response: DissociateAclsFromListenerResponseBody,
    required: ["ListenerId", "AclIds"],
    writes: true,
    handle: async (request, context) => {
        const listener = settledListenerOf(context, request.listenerId);
        const asked = request.aclIds ?? [];
        const { acl } = listener;
        if (!asked.every((id) => acl.ids.includes(id)))
            throw notFound("ResourceNotAssociated.Acl", "The specified resource of Acl is not associated.");
        context.checked();
        const ids = acl.ids.filter((id) => !asked.includes(id));
        listener.acl = { type: ids.length === 0 ? "" : acl.type, ids };
        return { jobId: await changed(context, "DissociateAclsFromListener", listener) };
    },
});

const listAclRelations = albAction({
    name: "ListAclRelations",
    request: ListAclRelationsRequest,
    response: ListAclRelationsResponseBody,
    required: ["AclIds"],
    writes: false,
    handle: ({ aclIds = [] }, context) => ({
        aclRelations: aclIds.map((id) => ({
            aclId: id,
            relatedListeners: listenersOf(context, aclOf(context, id)).map((listener) => ({
                listenerId: listener.id,
                listenerPort: listener.port,
                listenerProtocol: listener.protocol,
                loadBalancerId: listener.loadBalancerId,
                status: "Associated",
            })),
        })),
    }),
});

export const accessControlListActions: readonly Action[] = [
    createAcl,
    listAcls,
    updateAclAttribute,
    deleteAcl,
    listAclEntries,
    addEntriesToAcl,
    removeEntriesFromAcl,
    associateAclsWithListener,
    dissociateAclsFromListener,
    listAclRelations,
];
