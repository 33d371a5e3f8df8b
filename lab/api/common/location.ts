import { Action, defineAction } from "../action";
import { notFound } from "../errors";
import { findRegion } from "../regions";
import { model } from "./model";

/** Location service: every product of every region is at the lab's own address. */
export function locationActions(endpoint: () => string): readonly Action[] {
    return [
        defineAction({
            product: "Location",
            version: "2015-06-12",
            name: "DescribeEndpoints",
            request: model({ Id: "string", ServiceCode: "string", Type: "string" }),
            response: model({
                RequestId: "string",
                Success: "boolean",
                Endpoints: {
                    Endpoint: [
                        {
                            Protocols: { Protocols: ["string"] },
                            Type: "string",
                            Namespace: "string",
                            Id: "string",
                            // The cloud spells it like this.
                            SerivceCode: "string",
                            Endpoint: "string",
                        },
                    ],
                },
            }),
            required: ["Id", "ServiceCode"],
            writes: false,
            handle: ({ id = "", serviceCode = "", type = "" }) => {
                if (!findRegion(id)) throw notFound("InvalidRegionId", "The specified region does not exist.");
                return {
                    success: true,
                    endpoints: {
                        endpoint: [
                            {
                                protocols: { protocols: ["HTTP", "HTTPS"] },
                                type: type === "" ? "openAPI" : type,
                                namespace: "",
                                id,
                                serivceCode: serviceCode,
                                endpoint: endpoint(),
                            },
                        ],
                    },
                };
            },
        }),
    ];
}
