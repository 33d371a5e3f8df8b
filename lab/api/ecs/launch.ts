import { randomUUID } from "node:crypto";
import { CreateInstanceRequest } from "@alicloud/ecs20140526/dist/models/CreateInstanceRequest";
import { CreateInstanceResponseBody } from "@alicloud/ecs20140526/dist/models/CreateInstanceResponseBody";
import { RunInstancesRequest } from "@alicloud/ecs20140526/dist/models/RunInstancesRequest";
import { RunInstancesResponseBody } from "@alicloud/ecs20140526/dist/models/RunInstancesResponseBody";
import { takenAddresses } from "../../model/addresses";
import { ownsKernel } from "../../model/sizes";
import type { Instance, NetworkInterface, VSwitch } from "../../model/state";
import type { Action, ActionContext } from "../action";
import { Members, extended } from "../common/model";
import { CloudError, missingParameter } from "../errors";
import { toTags } from "../listing";
import { regionOfZone } from "../regions";
import type { Plain } from "../wire";
import { ecsAction } from "./action";
import { Image, findImage, findImageFamily } from "./catalogue/images";
import { InstanceType, findInstanceType } from "./catalogue/instanceTypes";
import {
    checkDescription,
    checkOneOf,
    checkPassword,
    checkResourceGroup,
    checkTags,
    checkUserData,
    refuse,
    valueOr,
} from "./checks";
import { checkRoom } from "./deploymentSets";
import { addDisk, dataDiskSpec, freeDevice, isDataDevice, systemDiskSpec } from "./diskSpecs";
import { newIpv6Addresses } from "./ipv6";
import {
    InterfaceSpec,
    addInterface,
    addressTaker,
    attachInterface,
    hardwareOf,
    securityGroupsFor,
} from "./interfaceSpecs";
import { deploymentSetOf, findKeyPair, networkInterfaceOf, vswitchOf } from "./lookup";
import { defaultHostName, namesOf } from "./names";
import { addPublicIp, takePublicAddresses } from "./publicIps";
import { quotas } from "./quotas";

/** An instance's settings that the vendor's SDK leaves out of its requests. */
export const additionalInfo = { AdditionalInfo: { EnableHighDensityMode: "boolean" } } as const;

type RunRequest = Plain<RunInstancesRequest & Members<typeof additionalInfo>>;

/** `CreateInstance` asks for the same in an older form. */
type Wish = Omit<RunRequest, "systemDisk" | "dataDisk"> & {
    readonly systemDisk?: Omit<NonNullable<RunRequest["systemDisk"]>, "size"> & { readonly size?: string | number };
    readonly dataDisk?: readonly (Omit<NonNullable<RunRequest["dataDisk"]>[number], "encrypted"> & {
        readonly encrypted?: string | boolean;
    })[];
};

/** What the interfaces of new instances need to know of them. */
interface Launch {
    readonly amount: number;
    readonly type: InstanceType;
    readonly vswitch: VSwitch;
    readonly securityGroupIds: readonly string[];
    /** Addresses of a VSwitch, for all that is launched at once; `first` is one that was asked for. */
    readonly take: (vswitch: VSwitch, first?: string) => string[];
}

/** A secondary interface: a new one, or one that is there and free. */
interface Secondary {
    readonly existing?: NetworkInterface;
    readonly vswitch: VSwitch;
    /** One for each instance. */
    addresses: string[];
    /** Those beside it, for each instance. */
    secondaryIps: string[][];
    readonly wish?: InterfaceWish;
    readonly spec: Omit<InterfaceSpec, "primaryIp" | "kind">;
}

const runInstances = ecsAction({
    name: "RunInstances",
    request: extended(RunInstancesRequest, additionalInfo),
    response: RunInstancesResponseBody,
    writes: true,
    handle: (request, context) => {
        const launch = planMost(request, context);
        context.checked();
        const instances = launch();
        return {
            instanceIdSets: { instanceIdSet: instances.map(({ id }) => id) },
            ...(request.instanceChargeType === "PrePaid" && { orderId: orderId() }),
        };
    },
});

const createInstance = ecsAction({
    name: "CreateInstance",
    request: CreateInstanceRequest,
    response: CreateInstanceResponseBody,
    writes: true,
    handle: (request, context) => {
        // The older action leaves the start, and a public address, to actions of their own.
        const launch = plan(request, context, 1, "Stopped");
        context.checked();
        const [instance] = launch();
        return {
            instanceId: instance!.id,
            ...(request.instanceChargeType === "PrePaid" && { orderId: orderId() }),
        };
    },
});

/** Number of an order, which the lab never has. */
export function orderId(): string {
    return String(Date.now()).padEnd(15, "0");
}

/** Codes of what fewer instances may not lack. */
const shortages: ReadonlySet<string> = new Set([
    "QuotaExceeded.PrivateIpAddress",
    "InvalidOperation.PublicIpAddressNoStock",
    "InvalidDeploymentSet.LackResource",
]);

/** A launch of as many instances as there is room for, of the amount that is asked for and `MinAmount` at least. */
function planMost(request: Wish, context: ActionContext): () => Instance[] {
    const { amount, minAmount } = amountsOf(request);
    for (let fewer = amount; ; fewer -= 1)
        try {
            return plan(request, context, fewer, "Pending");
        } catch (error) {
            if (fewer === minAmount || !(error instanceof CloudError) || !shortages.has(error.code)) throw error;
        }
}

/** Checks a launch, and takes what it needs; the function that is returned does it, and does not fail. */
function plan(request: Wish, context: ActionContext, amount: number, status: "Pending" | "Stopped"): () => Instance[] {
    const image = imageOf(request);
    const type = typeOf(request, image);
    const primary = primaryOf(request);
    const vswitchId = primary?.vSwitchId ?? request.vSwitchId;
    if (!vswitchId) throw missingParameter("VSwitchId");
    const vswitch = vswitchOf(context, vswitchId);
    checkZone(request, context, vswitch);
    const securityGroupIds = primary
        ? securityGroupsFor(context, vswitch.vpcId, primary.securityGroupId, primary.securityGroupIds)
        : securityGroupsFor(context, vswitch.vpcId, request.securityGroupId, request.securityGroupIds);
    const names = namesOf(request, amount);
    checkDescription(request.description, "InvalidDescription.Malformed");
    checkTags(request.tag);
    checkResourceGroup(request.resourceGroupId);
    checkLogin(request, context);
    checkUserData(request.userData);
    checkMetadata(request);
    checkOneOf(request.securityEnhancementStrategy, ["Active", "Deactive"], "SecurityEnhancementStrategy");
    const bandwidth = bandwidthOf(request);
    const credit = creditOf(request, type);
    const charge = chargeOf(request, context);
    const autoReleaseTime = autoReleaseTimeOf(request.autoReleaseTime, context);
    const deploymentSet = request.deploymentSetId ? deploymentSetOf(context, request.deploymentSetId) : undefined;
    if (deploymentSet) checkRoom(context, deploymentSet, vswitch.zoneId, amount);
    checkOneOf(request.ioOptimized, ["none", "optimized"], "IoOptimized", "InvalidIoOptimizedValue.ValueNotSupported");

    const systemDisk = systemDiskSpec(request.systemDisk ?? {}, type, image);
    const wishes = request.dataDisk ?? [];
    if (wishes.length > quotas.dataDisksPerRequest)
        refuse("InstanceDiskNumLimitExceed", "The number of specified disk in an instance exceeds.", 403);
    const devices = new Set<string>();
    const dataDisks = wishes.map((wish) => {
        const spec = dataDiskSpec(wish, type);
        if (wish.device && !isDataDevice(wish.device))
            refuse("InvalidDataDisk.Device", "The specified parameter DataDisk.n.Device is not valid.");
        const device = wish.device && !devices.has(wish.device) ? wish.device : freeDevice(devices);
        devices.add(device);
        return { ...spec, device };
    });
    const taken = new Map<string, Set<string>>();
    const take = (from: VSwitch, first?: string): string[] => {
        const there = taken.get(from.id) ?? takenAddresses(context.store.state, from.id);
        taken.set(from.id, there);
        return Array.from({ length: amount }, addressTaker(context, from, first, there));
    };
    // What was asked for goes first: an address that is chosen must be none of it.
    const first = primary?.primaryIpAddress ?? request.privateIpAddress;
    const asked = first ? take(vswitch, first) : undefined;
    const launch = { amount, type, vswitch, securityGroupIds, take };
    const secondaries = secondariesOf(request, context, launch);
    const addresses = asked ?? take(vswitch);
    for (const secondary of secondaries)
        if (!secondary.existing && secondary.addresses.length === 0) secondary.addresses = take(secondary.vswitch);
    const secondaryIps = secondaryIpsOf(primary, vswitch, launch);
    for (const secondary of secondaries)
        secondary.secondaryIps = secondaryIpsOf(secondary.wish, secondary.vswitch, launch);
    const hardware = hardwareOf(primary ?? {});
    const ipv6Wish = primary ?? request;
    if (amount > 1 && ipv6Wish.ipv6Address?.some((address) => address !== ""))
        refuse("InvalidParameter.Conflict", "Several instances can't have the same Ipv6Address.N.");
    const ipv6Addresses = addresses.map(() => newIpv6Addresses(context, vswitch, ipv6Wish, type.ipv6PerEni));
    const publicAddresses = bandwidth.out > 0 && status === "Pending" ? takePublicAddresses(context, amount) : [];

    const { store, regionId, now } = context;
    const make = (primaryIp: string, i: number): Instance => {
        const id = store.newId("i");
        const instance: Instance = {
            id,
            regionId,
            createdAt: now,
            name: valueOr(names.instanceNames[i], id),
            description: request.description ?? "",
            tags: toTags(request.tag),
            resourceGroupId: request.resourceGroupId ?? "",
            hostName: valueOr(names.hostNames[i], defaultHostName(id)).replaceAll("${instance_id}", id),
            status,
            bootCount: 0,
            imageId: image.id,
            instanceType: type.id,
            zoneId: vswitch.zoneId,
            vpcId: vswitch.vpcId,
            vswitchId: vswitch.id,
            securityGroupIds: [...securityGroupIds],
            primaryNetworkInterfaceId: "",
            userData: request.userData ?? "",
            keyPairName: request.keyPairName ?? "",
            password: request.password ?? "",
            deletionProtection: request.deletionProtection ?? false,
            instanceChargeType: charge.type,
            internetChargeType: valueOr(request.internetChargeType, "PayByTraffic"),
            internetMaxBandwidthIn: bandwidth.in,
            internetMaxBandwidthOut: bandwidth.out,
            deploymentSetId: deploymentSet?.id ?? "",
            ramRoleName: request.ramRoleName ?? "",
            startedAt: status === "Stopped" ? "" : now,
            expiredAt: charge.expiredAt,
            autoReleaseTime,
            stoppedMode: "Not-applicable",
            creditSpecification: credit,
            spotStrategy: valueOr(request.spotStrategy, "NoSpot"),
            spotPriceLimit: request.spotPriceLimit ?? 0,
            metadata: {
                tokens: request.httpTokens === "required" ? "required" : "optional",
                endpoint: request.httpEndpoint === "disabled" ? "disabled" : "enabled",
                hopLimit: request.httpPutResponseHopLimit ?? 0,
            },
            securityEnhancement: valueOr(request.securityEnhancementStrategy, "Deactive"),
            extra: extraOf(request, type),
        };
        store.state.instances[id] = instance;
        const nic = addInterface(context, vswitch, {
            kind: "Primary",
            primaryIp,
            instanceId: id,
            ipv6Addresses: ipv6Addresses[i]!,
            securityGroupIds: [...securityGroupIds],
            tags: { ...instance.tags },
            queueNumber: primary?.queueNumber ?? request.networkInterfaceQueueNumber ?? type.queues,
            secondaryIps: secondaryIps[i]!,
            ...hardware,
            ...(primary?.networkInterfaceName && { name: primary.networkInterfaceName }),
            ...(primary?.description && { description: primary.description }),
            ...(primary?.sourceDestCheck !== undefined && { sourceDestCheck: primary.sourceDestCheck }),
        });
        instance.primaryNetworkInterfaceId = nic.id;
        const { tags, resourceGroupId } = instance;
        const place = { zoneId: vswitch.zoneId, instance, tags, resourceGroupId };
        addDisk(context, systemDisk, { ...place, imageId: image.id });
        for (const spec of dataDisks) addDisk(context, spec, place);
        for (const secondary of secondaries) addSecondary(context, instance, secondary);
        if (publicAddresses[i] !== undefined) addPublicIp(context, instance, publicAddresses[i]);
        return instance;
    };
    return () => addresses.map(make);
}

function addSecondary(context: ActionContext, instance: Instance, secondary: Secondary): void {
    if (secondary.existing) {
        attachInterface(context, secondary.existing, instance);
        return;
    }
    addInterface(context, secondary.vswitch, {
        ...secondary.spec,
        kind: "Secondary",
        primaryIp: secondary.addresses.shift()!,
        secondaryIps: secondary.secondaryIps.shift()!,
        instanceId: instance.id,
    });
}

function amountsOf(request: Wish): { readonly amount: number; readonly minAmount: number } {
    const { amount = 1, minAmount = amount } = request;
    if (!Number.isInteger(amount) || amount < 1 || amount > quotas.instancesPerRequest)
        refuse("InvalidAmount.Malformed", "The specified parameter Amount is not valid.", 403);
    if (!Number.isInteger(minAmount) || minAmount < 1 || minAmount > amount)
        refuse("InvalidMinAmount.Malformed", "The specified parameter MinAmount is not valid.");
    return { amount, minAmount };
}

function imageOf(request: Wish): Image {
    if (request.launchTemplateId || request.launchTemplateName)
        refuse(
            "InvalidLaunchTemplate.NotFound",
            "The specified launch template does not exist: the lab has none.",
            404,
        );
    if (!request.imageId && !request.imageFamily) throw missingParameter("ImageId");
    const image = request.imageId ? findImage(request.imageId) : findImageFamily(request.imageFamily ?? "");
    if (!image) return refuse("InvalidImageId.NotFound", "The specified ImageId does not exist.", 404);
    return bootable(image);
}

/** Refuses an image that the lab lists but has no machine for. */
export function bootable(image: Image): Image {
    if (image.machine === "none")
        refuse("OperationDenied.ImageNotValid", `The lab can't boot the image ${image.id}: it boots Linux only.`, 403);
    return image;
}

function typeOf(request: Wish, image: Image): InstanceType {
    if (!request.instanceType) throw missingParameter("InstanceType");
    const type = instanceTypeOf(request.instanceType);
    if ((image.architecture === "arm64") !== (type.architecture === "ARM"))
        refuse(
            "InvalidInstanceType.NotSupported",
            "The specified instanceType is not supported by the image architecture.",
        );
    if (ownsKernel(type.id) && process.arch !== "x64")
        refuse(
            "UnsupportedOperation",
            `The lab boots bare metal types such as ${type.id} on x86-64 machines only, and this one is ${process.arch}: use another type.`,
        );
    return type;
}

/** An instance type by its name. */
export function instanceTypeOf(id: string | undefined): InstanceType {
    return (
        findInstanceType(id) ??
        refuse(
            "InvalidInstanceType.ValueNotSupported",
            "The specified InstanceType does not exist or beyond the permitted range.",
        )
    );
}

type InterfaceWish = NonNullable<Wish["networkInterface"]>[number];

function primaryOf(request: Wish): InterfaceWish | undefined {
    const wishes = request.networkInterface ?? [];
    for (const { instanceType } of wishes)
        if (instanceType && instanceType !== "Primary" && instanceType !== "Secondary")
            refuse("InvalidParam.NetworkInterface", "NetworkInterface.N.InstanceType must be Primary or Secondary.");
    const [primary, ...more] = wishes.filter(({ instanceType }) => instanceType === "Primary");
    if (more.length > 0) refuse("InvalidParam.NetworkInterface", "An instance has one primary network interface.");
    if (primary?.networkInterfaceId)
        refuse(
            "UnsupportedOperation",
            "NetworkInterface.N.NetworkInterfaceId names a secondary network interface: the lab makes the primary one.",
        );
    const conflicts = [request.vSwitchId, request.securityGroupId, ...(request.securityGroupIds ?? [])];
    if (primary && (conflicts.some((value) => value) || request.privateIpAddress))
        refuse(
            "InvalidParam.NetworkInterface",
            "VSwitchId, SecurityGroupId and PrivateIpAddress can't be specified beside a primary NetworkInterface.N.",
        );
    return primary;
}

function secondariesOf(request: Wish, context: ActionContext, launch: Launch): Secondary[] {
    const wishes = (request.networkInterface ?? []).filter(({ instanceType }) => instanceType !== "Primary");
    if (wishes.length + 1 > launch.type.enis)
        refuse("InvalidParam.NetworkInterface", "The instance type does not support so many network interfaces.");
    return wishes.map((wish): Secondary => {
        if (wish.networkInterfaceId) {
            const existing = networkInterfaceOf(context, wish.networkInterfaceId);
            if (existing.instanceId !== "" || launch.amount > 1)
                refuse("InvalidOperation.InvalidEniState", "The network interface is not available.", 403);
            if (existing.zoneId !== launch.vswitch.zoneId || existing.vpcId !== launch.vswitch.vpcId)
                refuse("InvalidOperation.AvailabilityZoneMismatch", "The zones of interface and instance differ.", 403);
            const spec = { securityGroupIds: existing.securityGroupIds };
            return { existing, vswitch: launch.vswitch, addresses: [], secondaryIps: [], spec };
        }
        const vswitch = wish.vSwitchId ? vswitchOf(context, wish.vSwitchId) : launch.vswitch;
        if (vswitch.zoneId !== launch.vswitch.zoneId)
            refuse("InvalidParameter.Mismatch", "Specified virtual switch is not in the specified zone.");
        if (wish.primaryIpAddress && launch.amount > 1)
            refuse("InvalidParam.NetworkInterface", "Several instances can't have the same PrimaryIpAddress.");
        const hasGroups = [wish.securityGroupId, ...(wish.securityGroupIds ?? [])].some((id) => id);
        const securityGroupIds = hasGroups
            ? securityGroupsFor(context, vswitch.vpcId, wish.securityGroupId, wish.securityGroupIds)
            : launch.securityGroupIds;
        return {
            vswitch,
            addresses: wish.primaryIpAddress ? launch.take(vswitch, wish.primaryIpAddress) : [],
            secondaryIps: [],
            wish,
            spec: {
                name: wish.networkInterfaceName ?? "",
                description: wish.description ?? "",
                securityGroupIds: [...securityGroupIds],
                deleteOnRelease: wish.deleteOnRelease ?? true,
                sourceDestCheck: wish.sourceDestCheck ?? false,
                queueNumber: wish.queueNumber ?? launch.type.queues,
                ...hardwareOf(wish),
            },
        };
    });
}

/** The secondary addresses that an interface is to have, for each instance. */
function secondaryIpsOf(wish: InterfaceWish | undefined, vswitch: VSwitch, { amount, type, take }: Launch): string[][] {
    const count = wish?.secondaryPrivateIpAddressCount ?? 0;
    if (!Number.isInteger(count) || count < 0)
        refuse("InvalidParameter.SecondaryPrivateIpAddressCount", "The number of secondary addresses is not valid.");
    if (1 + count > type.ipsPerEni)
        refuse("PrivateIpLimitExceeded", "The number of private IPs exceeds the limit of the instance type.", 403);
    const taken = Array.from({ length: count }, () => take(vswitch));
    return Array.from({ length: amount }, (_, i) => taken.map((addresses) => addresses[i]!));
}

function checkZone(request: Wish, { regionId }: ActionContext, vswitch: VSwitch): void {
    const zoneId = request.zoneId ?? "";
    // Some clients send `random` for "any zone".
    if (zoneId === "" || zoneId === "random") return;
    if (regionOfZone(zoneId)?.id !== regionId)
        refuse("InvalidZoneId.NotFound", "The specified zoneId does not exist.", 404);
    if (zoneId !== vswitch.zoneId)
        refuse("InvalidParameter.Mismatch", "Specified virtual switch is not in the specified zone.");
}

function checkLogin(request: Wish, context: ActionContext): void {
    checkPassword(request.password);
    if (request.password && request.passwordInherit === true)
        refuse("InvalidPasswordParam.Mismatch", "The input password should be null when passwdInherit is true.");
    if (request.keyPairName && !findKeyPair(context, request.keyPairName))
        refuse(
            "InvalidKeyPairName.NotFound",
            'The specified parameter "KeyPairName" does not exist in our records.',
            404,
        );
}

function checkMetadata(request: Pick<Wish, "httpEndpoint" | "httpTokens">): void {
    checkOneOf(request.httpEndpoint, ["enabled", "disabled"], "HttpEndpoint", "InvalidHttpEndpoint.NotSupported");
    checkOneOf(request.httpTokens, ["optional", "required"], "HttpTokens", "InvalidHttpTokens.NotSupported");
}

/** Bandwidths of a public address in Mbit/s, with the defaults of the cloud. */
function bandwidthOf(request: Wish): { readonly in: number; readonly out: number } {
    checkOneOf(request.internetChargeType, ["PayByTraffic", "PayByBandwidth"], "InternetChargeType");
    const out = request.internetMaxBandwidthOut ?? 0;
    checkBandwidthOut(out);
    const most = Math.max(10, out);
    const given = request.internetMaxBandwidthIn;
    if (given !== undefined && given !== -1 && (!Number.isInteger(given) || given < 0 || given > 200))
        refuse(
            "InvalidInternetMaxBandwidthIn.Malformed",
            "The specified parameter internetMaxBandwidthIn is not valid.",
        );
    return { out, in: given === undefined || given <= 0 ? (out > 0 ? most : 0) : given };
}

/** Refuses a bandwidth that the cloud does not sell. */
export function checkBandwidthOut(out: number): void {
    if (!Number.isInteger(out) || out < 0 || out > 200)
        refuse(
            "InvalidInternetMaxBandwidthOut.Malformed",
            "The specified parameter internetMaxBandwidthOut is not valid.",
        );
}

function creditOf(request: Wish, type: InstanceType): string {
    checkOneOf(
        request.creditSpecification,
        ["Standard", "Unlimited"],
        "CreditSpecification",
        "InvalidParameter.CreditSpecification",
    );
    // The cloud ignores it where nothing is bursted.
    return type.credits ? valueOr(request.creditSpecification, "Standard") : "";
}

const NEVER = "2099-12-31T15:59:59Z";

function chargeOf(
    request: Wish,
    { now }: ActionContext,
): { readonly type: Instance["instanceChargeType"]; readonly expiredAt: string } {
    const type = valueOr(request.instanceChargeType, "PostPaid");
    if (type !== "PostPaid" && type !== "PrePaid")
        return refuse(
            "InvalidInstanceChargeType.NotFound",
            "The InstanceChargeType does not exist in our records.",
            404,
        );
    checkOneOf(
        request.spotStrategy,
        ["NoSpot", "SpotWithPriceLimit", "SpotAsPriceGo"],
        "SpotStrategy",
        "InvalidSpotStrategy",
    );
    if (type === "PostPaid") return { type, expiredAt: NEVER };
    if (request.spotStrategy && request.spotStrategy !== "NoSpot")
        refuse("InvalidSpotPrepaid", "The specified Spot type is not support PrePay Instance.");
    return { type, expiredAt: expiryAfter(now, request.period, request.periodUnit) };
}

/** When a subscription of a number of weeks, months or years ends. */
export function expiryAfter(now: string, period: number | undefined, unit: string | undefined): string {
    const allowed: ReadonlyMap<string, readonly number[]> = new Map([
        ["Week", [1, 2, 3, 4]],
        ["Month", [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 24, 36, 48, 60]],
        ["Year", [1, 2, 3, 4, 5]],
    ]);
    const periods = allowed.get(valueOr(unit, "Month"));
    if (!periods)
        return refuse("InvalidPeriodUnit.ValueNotSupported", "The specified parameter PeriodUnit is not valid.");
    if (period === undefined || !periods.includes(period))
        return refuse("InvalidPeriod", "The specified period is not valid.");
    const end = new Date(now);
    if (unit === "Week") end.setUTCDate(end.getUTCDate() + 7 * period);
    else end.setUTCMonth(end.getUTCMonth() + (unit === "Year" ? 12 : 1) * period);
    return end.toISOString().replace(/\.\d+Z$/, "Z");
}

/** The time of an automatic release, on the minute; empty for none. */
export function autoReleaseTimeOf(time: string | undefined, { now }: ActionContext): string {
    if (time === undefined || time === "") return "";
    const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?Z$/.exec(time);
    const at = match ? Date.parse(`${match[1]!}:00Z`) : NaN;
    const ahead = at - Date.parse(now);
    if (Number.isNaN(at) || ahead < 29 * 60_000 || ahead > 3 * 366 * 24 * 3600_000)
        refuse("InvalidAutoReleaseTime.Malformed", "The specified parameter AutoReleaseTime is not valid.");
    return `${match![1]!}:00Z`;
}

/** Attributes that are only kept and answered. */
function extraOf(request: Wish, type: InstanceType): Instance["extra"] {
    const given: Record<string, string | number | boolean | undefined> = {
        serialNumber: randomUUID(),
        ioOptimized: request.ioOptimized !== "none",
        hpcClusterId: request.hpcClusterId,
        dedicatedHostId: request.dedicatedHostId,
        deploymentSetGroupNo: request.deploymentSetGroupNo,
        spotDuration: request.spotStrategy && request.spotStrategy !== "NoSpot" ? (request.spotDuration ?? 1) : 0,
        spotInterruptionBehavior:
            request.spotStrategy && request.spotStrategy !== "NoSpot"
                ? valueOr(request.spotInterruptionBehavior, "Terminate")
                : "",
        privatePoolMatch: valueOr(request.privatePoolOptions?.matchCriteria, "None"),
        privatePoolId: request.privatePoolOptions?.id,
        loginAsNonRoot: request.imageOptions?.loginAsNonRoot,
        cpuCores: request.cpuOptions?.core ?? Math.max(1, type.vcpus / 2),
        threadsPerCore: request.cpuOptions?.threadsPerCore ?? (type.vcpus > 1 ? 2 : 1),
        topologyType: request.cpuOptions?.topologyType,
        enableHighDensityMode: request.additionalInfo?.enableHighDensityMode,
        enableJumboFrame: request.networkOptions?.enableJumboFrame ?? false,
        ...(request.autoRenew === true && {
            renewalStatus: "AutoRenewal",
            renewDuration: request.autoRenewPeriod ?? 1,
            renewPeriodUnit: valueOr(request.periodUnit, "Month"),
        }),
    };
    return Object.fromEntries(
        Object.entries(given).filter((entry): entry is [string, string | number | boolean] => entry[1] !== undefined),
    );
}

export const launchActions: readonly Action[] = [runInstances, createInstance];
