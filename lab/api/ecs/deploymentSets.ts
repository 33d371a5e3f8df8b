import { CreateDeploymentSetRequest } from "@alicloud/ecs20140526/dist/models/CreateDeploymentSetRequest";
import { CreateDeploymentSetResponseBody } from "@alicloud/ecs20140526/dist/models/CreateDeploymentSetResponseBody";
import { DeleteDeploymentSetRequest } from "@alicloud/ecs20140526/dist/models/DeleteDeploymentSetRequest";
import { DeleteDeploymentSetResponseBody } from "@alicloud/ecs20140526/dist/models/DeleteDeploymentSetResponseBody";
import { DescribeDeploymentSetsRequest } from "@alicloud/ecs20140526/dist/models/DescribeDeploymentSetsRequest";
import { DescribeDeploymentSetsResponseBody } from "@alicloud/ecs20140526/dist/models/DescribeDeploymentSetsResponseBody";
import { ModifyDeploymentSetAttributeRequest } from "@alicloud/ecs20140526/dist/models/ModifyDeploymentSetAttributeRequest";
import { ModifyDeploymentSetAttributeResponseBody } from "@alicloud/ecs20140526/dist/models/ModifyDeploymentSetAttributeResponseBody";
import type { DeploymentSet, Instance } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { inRegion, matches, paginate } from "../listing";
import { zonesOf } from "./catalogue/zones";
import { ecsAction } from "./action";
import { checkDescription, checkName, checkOneOf, idList, refuse, valueOr } from "./checks";
import { deploymentSetOf } from "./lookup";
import { quotas } from "./quotas";

const strategies = ["Availability", "AvailabilityGroup", "LowLatency", "LooseDispersion", "StrictDispersion"];

const createDeploymentSet = ecsAction({
    name: "CreateDeploymentSet",
    request: CreateDeploymentSetRequest,
    response: CreateDeploymentSetResponseBody,
    writes: true,
    handle: (request, context) => {
        const { store, regionId, now } = context;
        checkOneOf(request.strategy, strategies, "Strategy", "InvalidStrategy.NotSupported");
        checkName(request.deploymentSetName, "InvalidDeploymentSetName.Malformed", "DeploymentSetName");
        checkDescription(request.description, "InvalidDescription.Malformed");
        if (inRegion(store.state.deploymentSets, regionId).length >= quotas.deploymentSets)
            refuse("QuotaExceed.DeploymentSet", "The maximum number of deployment sets is reached.", 403);
        context.checked();
        const set: DeploymentSet = {
            id: store.newId("ds"),
            regionId,
            createdAt: now,
            name: request.deploymentSetName ?? "",
            description: request.description ?? "",
            tags: {},
            resourceGroupId: "",
            strategy: valueOr(request.strategy, "Availability"),
            // In this spelling clients compare them.
            domain: "default",
            granularity: "host",
        };
        store.state.deploymentSets[set.id] = set;
        return { deploymentSetId: set.id };
    },
});

function membersOf({ store }: ActionContext, set: DeploymentSet): Instance[] {
    return Object.values(store.state.instances).filter(({ deploymentSetId }) => deploymentSetId === set.id);
}

/** How many instances of a set a zone can keep apart. */
function limitOf(set: DeploymentSet): number {
    return set.strategy === "LowLatency" ? 20 : quotas.instancesPerDeploymentSetAndZone;
}

/** Refuses more instances than a zone can keep apart. */
export function checkRoom(context: ActionContext, set: DeploymentSet, zoneId: string, added: number): void {
    const there = membersOf(context, set).filter((instance) => instance.zoneId === zoneId).length;
    if (there + added > limitOf(set))
        refuse(
            "InvalidDeploymentSet.LackResource",
            "There is no enough resource for the specified deployment set in the zone.",
            403,
        );
}

const describeDeploymentSets = ecsAction({
    name: "DescribeDeploymentSets",
    request: DescribeDeploymentSetsRequest,
    response: DescribeDeploymentSetsResponseBody,
    writes: false,
    handle: (request, context) => {
        const { store, regionId } = context;
        const ids = idList(request.deploymentSetIds, "DeploymentSetIds");
        const found = inRegion(store.state.deploymentSets, regionId).filter(
            (set) =>
                (ids === undefined || ids.includes(set.id)) &&
                (!request.deploymentSetName || set.name.includes(request.deploymentSetName.replaceAll("*", ""))) &&
                matches(request.strategy, set.strategy) &&
                matches(request.domain?.toLowerCase(), set.domain) &&
                matches(request.granularity?.toLowerCase(), set.granularity),
        );
        const { items, ...page } = paginate(found, request, { default: 10, max: 50 });
        return {
            ...page,
            regionId,
            deploymentSets: {
                deploymentSet: items.map((set) => {
                    const members = membersOf(context, set);
                    return {
                        deploymentSetId: set.id,
                        deploymentSetName: set.name,
                        deploymentSetDescription: set.description,
                        deploymentStrategy: set.strategy,
                        strategy: set.strategy,
                        domain: set.domain,
                        granularity: set.granularity,
                        groupCount: 3,
                        creationTime: set.createdAt,
                        instanceAmount: members.length,
                        instanceIds: { instanceId: members.map(({ id }) => id) },
                        capacities: {
                            capacity: zonesOf(regionId).map(({ id: zoneId }) => {
                                const used = members.filter((instance) => instance.zoneId === zoneId).length;
                                return { zoneId, usedAmount: used, availableAmount: limitOf(set) - used };
                            }),
                        },
                    };
                }),
            },
        };
    },
});

const modifyDeploymentSetAttribute = ecsAction({
    name: "ModifyDeploymentSetAttribute",
    request: ModifyDeploymentSetAttributeRequest,
    response: ModifyDeploymentSetAttributeResponseBody,
    required: ["DeploymentSetId"],
    writes: true,
    handle: (request, context) => {
        const set = deploymentSetOf(context, request.deploymentSetId);
        checkName(request.deploymentSetName, "InvalidDeploymentSetName.Malformed", "DeploymentSetName");
        checkDescription(request.description, "InvalidDescription.Malformed");
        context.checked();
        set.name = request.deploymentSetName ?? set.name;
        set.description = request.description ?? set.description;
        return {};
    },
});

const deleteDeploymentSet = ecsAction({
    name: "DeleteDeploymentSet",
    request: DeleteDeploymentSetRequest,
    response: DeleteDeploymentSetResponseBody,
    required: ["DeploymentSetId"],
    writes: true,
    handle: (request, context) => {
        const set = deploymentSetOf(context, request.deploymentSetId);
        if (membersOf(context, set).length > 0)
            refuse("DependencyViolation.NotEmpty", "There are still instance(s) in the specified deployment set.", 403);
        context.checked();
        Reflect.deleteProperty(context.store.state.deploymentSets, set.id);
        return {};
    },
});

export const deploymentSetActions: readonly Action[] = [
    createDeploymentSet,
    describeDeploymentSets,
    modifyDeploymentSetAttribute,
    deleteDeploymentSet,
];
