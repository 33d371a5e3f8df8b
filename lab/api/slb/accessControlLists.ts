import { isIP } from "node:net";
import type { AccessControlList } from "../../model/slb";
import type { Action, ActionContext } from "../action";
import { DEFAULT_RESOURCE_GROUP_ID } from "../common/resourceManager";
import { model } from "../common/model";
import { hasTags, inRegion, matches, paginate, toTags } from "../listing";
import { slbAction } from "./action";
import { checkName, checkTags, oneOf, parseItems, refuse, refuseParameter, valueOr } from "./checks";
import { aclOf } from "./lookup";
import { quotas } from "./quotas";
import { minuteOf, tagsView } from "./view";

const createAccessControlList = slbAction({
    name: "CreateAccessControlList",
    request: model({
        RegionId: "string",
        AclName: "string",
        AddressIPVersion: "string",
        ResourceGroupId: "string",
        Tag: [{ Key: "string", Value: "string" }],
    }),
    response: model({ RequestId: "string", AclId: "string" }),
    required: ["AclName"],
    writes: true,
    handle: (request, context) => {
        const { store, regionId, now } = context;
        checkAclName(context, request.aclName);
        checkTags(request.tag);
        const addressIpVersion = oneOf(request.addressIPVersion, ["ipv4", "ipv6"], "AddressIPVersion", "ipv4");
        context.checked();
        const acl: AccessControlList = {
            id: store.newId("acl"),
            regionId,
            createdAt: now,
            name: request.aclName!,
            description: "",
            tags: toTags(request.tag),
            resourceGroupId: valueOr(request.resourceGroupId, DEFAULT_RESOURCE_GROUP_ID),
            addressIpVersion,
            entries: [],
        };
        store.state.accessControlLists[acl.id] = acl;
        return { aclId: acl.id };
    },
});

/** Refuses also a name that another list of the region has. */
function checkAclName({ store, regionId }: ActionContext, name: string | undefined, own?: AccessControlList): void {
    checkName(name, "AclName");
    if (inRegion(store.state.accessControlLists, regionId).some((one) => one !== own && one.name === name))
        refuse("AclNameExist", "The specified acl name exists already.");
}

const describeAccessControlListAttribute = slbAction({
    name: "DescribeAccessControlListAttribute",
    request: model({
        RegionId: "string",
        AclId: "string",
        AclEntryComment: "string",
        Page: "number",
        PageSize: "number",
    }),
    response: model({
        RequestId: "string",
        AclId: "string",
        AclName: "string",
        AddressIPVersion: "string",
        ResourceGroupId: "string",
        CreateTime: "string",
        TotalAclEntry: "number",
        AclEntrys: { AclEntry: [{ AclEntryIP: "string", AclEntryComment: "string" }] },
        RelatedListeners: {
            RelatedListener: [
                { LoadBalancerId: "string", ListenerPort: "number", Protocol: "string", AclType: "string" },
            ],
        },
        Tags: { Tag: [{ TagKey: "string", TagValue: "string" }] },
    }),
    required: ["AclId"],
    writes: false,
    handle: (request, context) => {
        const acl = aclOf(context, request.aclId);
        const entries = acl.entries.filter(({ comment }) => matches(request.aclEntryComment, comment));
        const { items } = paginate(
            entries,
            { pageNumber: request.page ?? 1, pageSize: request.pageSize ?? quotas.entriesPerAcl },
            { max: quotas.entriesPerAcl },
        );
        return {
            aclId: acl.id,
            aclName: acl.name,
            addressIPVersion: acl.addressIpVersion,
            resourceGroupId: acl.resourceGroupId,
            createTime: minuteOf(acl.createdAt),
            totalAclEntry: entries.length,
            aclEntrys: {
                aclEntry: items.map(({ entry, comment }) => ({ aclEntryIP: entry, aclEntryComment: comment })),
            },
            relatedListeners: {
                relatedListener: usersOf(context, acl).map(({ balancer, listener }) => ({
                    loadBalancerId: balancer.id,
                    listenerPort: listener.port,
                    protocol: listener.protocol,
                    aclType: listener.settings.acl.type,
                })),
            },
            tags: tagsView(acl.tags),
        };
    },
});

function usersOf({ store }: ActionContext, { id }: AccessControlList) {
    return Object.values(store.state.loadBalancers).flatMap((balancer) =>
        balancer.listeners
            .filter(({ settings }) => settings.acl.ids.includes(id))
            .map((listener) => ({ balancer, listener })),
    );
}

const describeAccessControlLists = slbAction({
    name: "DescribeAccessControlLists",
    request: model({
        RegionId: "string",
        AclName: "string",
        AddressIPVersion: "string",
        ResourceGroupId: "string",
        PageNumber: "number",
        PageSize: "number",
        Tag: [{ Key: "string", Value: "string" }],
    }),
    response: model({
        RequestId: "string",
        PageNumber: "number",
        PageSize: "number",
        TotalCount: "number",
        Count: "number",
        Acls: {
            Acl: [
                {
                    AclId: "string",
                    AclName: "string",
                    AddressIPVersion: "string",
                    ResourceGroupId: "string",
                    CreateTime: "string",
                    Tags: { Tag: [{ TagKey: "string", TagValue: "string" }] },
                },
            ],
        },
    }),
    writes: false,
    handle: (request, context) => {
        const found = inRegion(context.store.state.accessControlLists, context.regionId).filter(
            (acl) =>
                acl.name.includes(request.aclName ?? "") &&
                matches(request.addressIPVersion, acl.addressIpVersion) &&
                matches(request.resourceGroupId, acl.resourceGroupId) &&
                hasTags(acl, request.tag),
        );
        const { items, ...page } = paginate(found, request, { default: 10, max: 50 });
        return {
            ...page,
            count: items.length,
            acls: {
                acl: items.map((acl) => ({
                    aclId: acl.id,
                    aclName: acl.name,
                    addressIPVersion: acl.addressIpVersion,
                    resourceGroupId: acl.resourceGroupId,
                    createTime: minuteOf(acl.createdAt),
                    tags: tagsView(acl.tags),
                })),
            },
        };
    },
});

const setAccessControlListAttribute = slbAction({
    name: "SetAccessControlListAttribute",
    request: model({ RegionId: "string", AclId: "string", AclName: "string" }),
    response: model({ RequestId: "string", AclId: "string" }),
    required: ["AclId", "AclName"],
    writes: true,
    handle: (request, context) => {
        const acl = aclOf(context, request.aclId);
        checkAclName(context, request.aclName, acl);
        context.checked();
        acl.name = request.aclName!;
        return { aclId: acl.id };
    },
});

/** Entries of a request, each a range of addresses. */
function parseEntries(acl: AccessControlList, text: string | undefined): AccessControlList["entries"] {
    const items = parseItems(text, "AclEntrys");
    if (items.length === 0) refuse("AclEntryEmpty", "The specified acl entry is empty.");
    if (items.length > quotas.entriesPerRequest) refuseParameter("AclEntrys");
    return items.map(({ entry = "", comment = "" }) => {
        const [address = "", prefix = "32"] = entry.split("/");
        const version = isIP(address);
        if (`ipv${version}` !== acl.addressIpVersion || !/^\d{1,3}$/.test(prefix)) refuseParameter("AclEntrys");
        if (Number(prefix) > (version === 4 ? 32 : 128)) refuseParameter("AclEntrys");
        return { entry, comment };
    });
}

/** An action that makes a new list of entries out of an ACL's and those that the request names. */
function entriesAction(
    name: string,
    change: (acl: AccessControlList, named: AccessControlList["entries"]) => AccessControlList["entries"],
): Action {
    return slbAction({
        name,
        request: model({ RegionId: "string", AclId: "string", AclEntrys: "string" }),
        response: model({ RequestId: "string" }),
        required: ["AclId", "AclEntrys"],
        writes: true,
        handle: async (request, context) => {
            const acl = aclOf(context, request.aclId);
            const entries = change(acl, parseEntries(acl, request.aclEntrys));
            context.checked();
            acl.entries = entries;
            await context.applied();
            return {};
        },
    });
}

const addAccessControlListEntry = entriesAction("AddAccessControlListEntry", (acl, named) => {
    const entries = [...acl.entries, ...named];
    if (new Set(entries.map(({ entry }) => entry)).size < entries.length)
        refuse("AclEntryDuplicate", "The specified acl entry exists already.");
    if (entries.length > quotas.entriesPerAcl)
        refuse("QuotaLimitExceeds", "The number of entries exceeds the limit of an access control list.");
    return entries;
});

const removeAccessControlListEntry = entriesAction("RemoveAccessControlListEntry", (acl, named) =>
    acl.entries.filter(({ entry }) => !named.some((one) => one.entry === entry)),
);

const deleteAccessControlList = slbAction({
    name: "DeleteAccessControlList",
    request: model({ RegionId: "string", AclId: "string" }),
    response: model({ RequestId: "string" }),
    required: ["AclId"],
    writes: true,
    handle: ({ aclId }, context) => {
        const acl = aclOf(context, aclId);
        if (usersOf(context, acl).length > 0) refuse("AclInUsed", "The specified acl is used by a listener.");
        context.checked();
        Reflect.deleteProperty(context.store.state.accessControlLists, acl.id);
        return {};
    },
});

export const accessControlListActions: readonly Action[] = [
    createAccessControlList,
    describeAccessControlListAttribute,
    describeAccessControlLists,
    setAccessControlListAttribute,
    addAccessControlListEntry,
    removeAccessControlListEntry,
    deleteAccessControlList,
];
