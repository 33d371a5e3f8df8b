/**
 * Products by the version that their requests name, also of those without actions here: what the log and errors call
 * them.
 */
const products: ReadonlyMap<string, string> = new Map([
    ["2014-05-15", "Slb"],
    ["2014-05-26", "Ecs"],
    ["2014-08-15", "Rds"],
    ["2014-08-28", "Ess"],
    ["2015-01-01", "R-kvstore"],
    ["2015-01-09", "Alidns"],
    ["2015-04-01", "Sts"],
    ["2015-05-01", "Ram"],
    ["2015-06-12", "Location"],
    ["2015-12-01", "Dds"],
    ["2015-12-15", "CS"],
    ["2016-01-20", "Kms"],
    ["2016-04-28", "Vpc"],
    ["2017-06-26", "NAS"],
    ["2017-09-12", "Cbn"],
    ["2017-12-14", "BssOpenApi"],
    ["2018-01-01", "pvtz"],
    ["2018-07-13", "cas"],
    ["2018-08-13", "cas"],
    ["2018-08-28", "Tag"],
    ["2019-01-01", "Cms"],
    ["2019-08-15", "Ims"],
    ["2020-03-31", "ResourceManager"],
    ["2020-04-07", "cas"],
    ["2020-06-16", "Alb"],
    ["2022-04-30", "Nlb"],
]);

/** Products whose `RegionId` says where something is; others take any. */
const regional: ReadonlySet<string> = new Set(["Ecs", "Vpc", "Slb", "Alb", "Nlb", "NAS"]);

/** The product of a version, or undefined when the lab has no name for it. */
export function productOfVersion(version: string): string | undefined {
    return products.get(version);
}

/** Whether an unknown `RegionId` is an error of this product. */
export function isRegional(product: string): boolean {
    return regional.has(product);
}
