import { CreateMountTargetRequest } from "@alicloud/nas20170626/dist/models/CreateMountTargetRequest";
import { CreateMountTargetResponseBody } from "@alicloud/nas20170626/dist/models/CreateMountTargetResponseBody";
import { DeleteMountTargetRequest } from "@alicloud/nas20170626/dist/models/DeleteMountTargetRequest";
import { DeleteMountTargetResponseBody } from "@alicloud/nas20170626/dist/models/DeleteMountTargetResponseBody";
import { DescribeMountTargetsRequest } from "@alicloud/nas20170626/dist/models/DescribeMountTargetsRequest";
import { DescribeMountTargetsResponseBody } from "@alicloud/nas20170626/dist/models/DescribeMountTargetsResponseBody";
import { ModifyMountTargetRequest } from "@alicloud/nas20170626/dist/models/ModifyMountTargetRequest";
import { ModifyMountTargetResponseBody } from "@alicloud/nas20170626/dist/models/ModifyMountTargetResponseBody";
import { randomBytes } from "node:crypto";
import { freeAddress, parseCidr, takenAddresses } from "../../model/addresses";
import { DEFAULT_ACCESS_GROUP, type FileSystem, type MountTarget } from "../../model/nas";
import type { Action, ActionContext } from "../action";
import { refuse, valueOr } from "../ecs/checks";
import { missingParameter, notFound } from "../errors";
import { findInRegion, paginate } from "../listing";
import { nasAction } from "./action";
import { accessGroupOf, fileSystemOf, mountTargetOf, mountTargetsOf, statusOf } from "./lookup";
import { quotas } from "./quotas";

/** `31a8e4c0de-abc12.cn-hangzhou.nas.aliyuncs.com` */
function newDomain({ store, regionId }: ActionContext, fileSystem: FileSystem): string {
    let domain: string;
    do domain = `${fileSystem.id}-${randomBytes(3).toString("hex").slice(0, 5)}.${regionId}.nas.aliyuncs.com`;
    while (Object.hasOwn(store.state.mountTargets, domain));
    return domain;
}

function checkAccessGroup(context: ActionContext, name: string | undefined): string {
    return name === DEFAULT_ACCESS_GROUP ? name : accessGroupOf(context, name).name;
}

const createMountTarget = nasAction({
    name: "CreateMountTarget",
    request: CreateMountTargetRequest,
    response: CreateMountTargetResponseBody,
    required: ["FileSystemId", "NetworkType"],
    writes: true,
    handle: (request, context) => {
        const { store, regionId } = context;
        const fileSystem = fileSystemOf(context, request.fileSystemId);
        if (request.networkType !== "Vpc")
            refuse("InvalidParameter.NetworkType", "The specified NetworkType is invalid: Vpc.");
        for (const [wireName, value] of [
            ["VpcId", request.vpcId],
            ["VSwitchId", request.vSwitchId],
        ] as const)
            if (!value) throw missingParameter(wireName);
        const vswitch = findInRegion(store.state.vswitches, regionId, request.vSwitchId);
        if (!findInRegion(store.state.vpcs, regionId, request.vpcId))
            throw notFound("InvalidVpc.NotFound", "The specified Vpc is not found.");
        if (vswitch?.vpcId !== request.vpcId)
            throw notFound("InvalidVSwitchId.NotFound", "The specified VSwitch is not found in the Vpc.");
        const accessGroupName = checkAccessGroup(context, valueOr(request.accessGroupName, DEFAULT_ACCESS_GROUP));
        if (mountTargetsOf(context, fileSystem.id).length >= quotas.mountTargetsPerFileSystem)
            refuse(
                "OperationDenied.MountTargetCountsExceeded",
                `The amount of MountTarget has reached its limits(maximum ${quotas.mountTargetsPerFileSystem} per FileSystem).`,
                403,
            );
        const address = freeAddress(parseCidr(vswitch!.cidr)!, takenAddresses(store.state, vswitch!.id));
        if (address === undefined)
            throw notFound("InvalidVpc.CreationFailed", "The VSwitch has no address that is free.");
        context.checked();
        const target: MountTarget = {
            id: newDomain(context, fileSystem),
            fileSystemId: fileSystem.id,
            regionId,
            vpcId: vswitch!.vpcId,
            vswitchId: vswitch!.id,
            address,
            accessGroupName,
            active: true,
        };
        store.state.mountTargets[target.id] = target;
        return { mountTargetDomain: target.id };
    },
});

const describeMountTargets = nasAction({
    name: "DescribeMountTargets",
    request: DescribeMountTargetsRequest,
    response: DescribeMountTargetsResponseBody,
    required: ["FileSystemId"],
    writes: false,
    handle: (request, context) => {
        const { mountTargetDomain = "" } = request;
        const found =
            mountTargetDomain === ""
                ? mountTargetsOf(context, fileSystemOf(context, request.fileSystemId).id)
                : [mountTargetOf(context, request)];
        const { items, ...page } = paginate(found, request, { default: 10, max: 100 });
        return {
            ...page,
            mountTargets: {
                mountTarget: items.map((target) => ({
                    mountTargetDomain: target.id,
                    networkType: "Vpc",
                    status: statusOf(context, target),
                    vpcId: target.vpcId,
                    vswId: target.vswitchId,
                    accessGroup: target.accessGroupName,
                    IPVersion: "IPv4",
                })),
            },
        };
    },
});

const modifyMountTarget = nasAction({
    name: "ModifyMountTarget",
    request: ModifyMountTargetRequest,
    response: ModifyMountTargetResponseBody,
    required: ["FileSystemId", "MountTargetDomain"],
    writes: true,
    handle: async (request, context) => {
        const target = mountTargetOf(context, request);
        const { accessGroupName = "", status = "" } = request;
        const group = accessGroupName === "" ? target.accessGroupName : checkAccessGroup(context, accessGroupName);
        if (!["", "Active", "Inactive"].includes(status))
            refuse("InvalidParameter.Status", "The specified Status is invalid: Active or Inactive.");
        context.checked();
        target.accessGroupName = group;
        if (status !== "") target.active = status === "Active";
        await context.applied();
        return {};
    },
});

const deleteMountTarget = nasAction({
    name: "DeleteMountTarget",
    request: DeleteMountTargetRequest,
    response: DeleteMountTargetResponseBody,
    required: ["FileSystemId", "MountTargetDomain"],
    writes: true,
    handle: async (request, context) => {
        const target = mountTargetOf(context, request);
        context.checked();
        Reflect.deleteProperty(context.store.state.mountTargets, target.id);
        await context.applied();
        return {};
    },
});

export const mountTargetActions: readonly Action[] = [
    createMountTarget,
    describeMountTargets,
    modifyMountTarget,
    deleteMountTarget,
];
