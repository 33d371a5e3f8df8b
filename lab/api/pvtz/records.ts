import { isIPv4, isIPv6 } from "node:net";
import { type PrivateRecord, type PrivateZone, type RecordType, recordTypes } from "../../model/privateZone";
import type { Action, ActionContext } from "../action";
import { model } from "../common/model";
import { CloudError } from "../errors";
import { matches } from "../listing";
import { pvtzAction } from "./action";
import { recordOf, zoneOf } from "./lookup";
import { hasKeyword, pageFields, pageOf } from "./pages";

const MAX_RECORDS = 10_000;
/** Seconds; the cloud takes no others. */
const validTtls = [5, 30, 60, 3600, 43_200, 86_400];
const label = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?";
const hostName = new RegExp(`^${label}(\\.${label})*\\.?$`, "i");
const rrPattern = new RegExp(`^(@|\\*|(\\*\\.)?${label}(\\.${label})*)$`, "i");

const validValue: Readonly<Record<RecordType, (value: string) => boolean>> = {
    A: isIPv4,
    AAAA: isIPv6,
    CNAME: (value) => hostName.test(value),
    MX: (value) => hostName.test(value),
    PTR: (value) => hostName.test(value),
    SRV: isService,
    TXT: (value) => value.length <= 512,
};

/** Priority, weight, port and name of a service. */
function isService(value: string): boolean {
    const [, priority, weight, port, name = ""] = /^(\d{1,5}) (\d{1,5}) (\d{1,5}) (\S+)$/.exec(value) ?? [];
    return [priority, weight, port].every((number) => Number(number) <= 65_535) && hostName.test(name);
}

interface Asked {
    readonly rr?: string;
    readonly type?: string;
    readonly value?: string;
    readonly ttl?: number;
    readonly priority?: number;
    readonly line?: string;
    readonly weight?: number;
}

/** The one source of questions that records answer, and the share of the answers that each one has. */
const plain = { line: "default", weight: 1 } as const;

/** What a record is to be. @throws CloudError for one that can't stand beside those that are there */
function checkedRecord(zone: PrivateZone, asked: Asked, id?: number) {
    const rr = (asked.rr ?? "@").toLowerCase();
    if (!rrPattern.test(rr)) throw new CloudError("Record.Invalid.Rr", "The specified Rr is invalid.");
    const type = recordTypes.find((candidate) => candidate === asked.type?.toUpperCase());
    if (!type) throw new CloudError("Record.Invalid.Type", "The specified Type is invalid.");
    const value = asked.value!;
    if (!validValue[type](value)) throw new CloudError("Record.Invalid.Value", "The specified Value is invalid.");
    const ttl = asked.ttl ?? 60;
    if (!validTtls.includes(ttl))
        throw new CloudError("Record.Invalid.TTL", `The specified Ttl is invalid: ${validTtls.join(", ")} seconds.`);
    const priority = asked.priority ?? 1;
    if (!Number.isInteger(priority) || priority < 1 || priority > 99)
        throw new CloudError("Record.Invalid.Priority", "The specified Priority is invalid: 1 to 99.");
    if (!matches(asked.line, plain.line))
        throw new CloudError(
            "UnsupportedOperation",
            "The lab's records answer everybody alike: Line can be default only.",
        );
    if (!matches(asked.weight, plain.weight))
        throw new CloudError("UnsupportedOperation", "The lab's records have no weights: Weight can be 1 only.");
    const others = zone.records.filter((other) => other.id !== id && other.rr === rr);
    if (others.some((other) => other.type === type && other.value === value))
        throw new CloudError("Record.Exists", "The record exists already.");
    if (
        others.some((other) => (other.type === "CNAME") !== (type === "CNAME")) ||
        (type === "CNAME" && others.length > 0)
    )
        throw new CloudError("Record.Invalid.Conflict", "A CNAME can't stand beside other records of its name.");
    return { rr, type, value, ttl, priority };
}

const recordFields = {
    Rr: "string",
    Type: "string",
    Value: "string",
    Ttl: "number",
    Priority: "number",
    Line: "string",
    Weight: "number",
} as const;

/** A number that no record of the account has. */
function newRecordId(context: ActionContext): number {
    const taken = new Set(
        Object.values(context.store.state.privateZones).flatMap(({ records }) => records.map(({ id }) => id)),
    );
    let id: number;
    do id = 100_000_000 + Math.floor(Math.random() * 900_000_000);
    while (taken.has(id));
    return id;
}

const addZoneRecord = pvtzAction({
    name: "AddZoneRecord",
    request: model({ ZoneId: "string", ...recordFields, Remark: "string", ClientToken: "string" }),
    response: model({ RequestId: "string", RecordId: "number", Success: "boolean" }),
    required: ["ZoneId", "Rr", "Type", "Value"],
    writes: true,
    handle: async (request, context) => {
        const zone = zoneOf(context, request.zoneId);
        const fields = checkedRecord(zone, request);
        if (zone.records.length >= MAX_RECORDS)
            throw new CloudError("QuotaExceeded.Record", "The maximum number of records is exceeded.");
        context.checked();
        const record: PrivateRecord = {
            id: newRecordId(context),
            ...fields,
            remark: request.remark ?? "",
            status: "ENABLE",
        };
        zone.records.push(record);
        await context.applied();
        return { recordId: record.id, success: true };
    },
});

const updateZoneRecord = pvtzAction({
    name: "UpdateZoneRecord",
    request: model({ RecordId: "number", ...recordFields, ClientToken: "string" }),
    response: model({ RequestId: "string", RecordId: "number" }),
    required: ["RecordId", "Rr", "Type", "Value"],
    writes: true,
    handle: async (request, context) => {
        const { zone, record } = recordOf(context, request.recordId);
        // What a client leaves out stays as it is: the provider sends a time to live only when it changes.
        const { ttl = record.ttl, priority = record.priority } = request;
        const fields = checkedRecord(zone, { ...request, ttl, priority }, record.id);
        context.checked();
        Object.assign(record, fields);
        await context.applied();
        return { recordId: record.id };
    },
});

const updateRecordRemark = pvtzAction({
    name: "UpdateRecordRemark",
    request: model({ RecordId: "number", Remark: "string" }),
    response: model({ RequestId: "string", RecordId: "number" }),
    required: ["RecordId"],
    writes: true,
    handle: ({ recordId, remark }, context) => {
        const { record } = recordOf(context, recordId);
        context.checked();
        record.remark = remark ?? "";
        return { recordId: record.id };
    },
});

const setZoneRecordStatus = pvtzAction({
    name: "SetZoneRecordStatus",
    request: model({ RecordId: "number", Status: "string" }),
    response: model({ RequestId: "string", RecordId: "number", Status: "string" }),
    required: ["RecordId", "Status"],
    writes: true,
    handle: async ({ recordId, status }, context) => {
        const { record } = recordOf(context, recordId);
        if (status !== "ENABLE" && status !== "DISABLE")
            throw new CloudError("Record.Invalid.Status", "The specified Status is invalid: ENABLE or DISABLE.");
        context.checked();
        record.status = status;
        await context.applied();
        return { recordId: record.id, status };
    },
});

const deleteZoneRecord = pvtzAction({
    name: "DeleteZoneRecord",
    request: model({ RecordId: "number" }),
    response: model({ RequestId: "string", RecordId: "number" }),
    required: ["RecordId"],
    writes: true,
    handle: async ({ recordId }, context) => {
        const { zone, record } = recordOf(context, recordId);
        context.checked();
        zone.records = zone.records.filter((other) => other !== record);
        await context.applied();
        return { recordId: record.id };
    },
});

const describeZoneRecords = pvtzAction({
    name: "DescribeZoneRecords",
    request: model({
        ZoneId: "string",
        Keyword: "string",
        SearchMode: "string",
        Tag: "string",
        PageNumber: "number",
        PageSize: "number",
    }),
    response: model({
        ...pageFields,
        Records: {
            Record: [{ RecordId: "number", ZoneId: "string", ...recordFields, Remark: "string", Status: "string" }],
        },
    }),
    required: ["ZoneId"],
    writes: false,
    handle: (request, context) => {
        const zone = zoneOf(context, request.zoneId);
        const found = zone.records.filter(({ rr, value }) => hasKeyword(request, rr, value));
        const { items, numbers } = pageOf(found, request);
        return {
            ...numbers,
            records: {
                record: items.map(({ id, ...record }) => ({ recordId: id, zoneId: zone.id, ...record, ...plain })),
            },
        };
    },
});

export const recordActions: readonly Action[] = [
    addZoneRecord,
    updateZoneRecord,
    updateRecordRemark,
    setZoneRecordStatus,
    deleteZoneRecord,
    describeZoneRecords,
];
