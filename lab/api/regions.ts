/** The public regions and zones of the cloud. The lab has them all: they cost nothing until something lives in them. */
export interface Region {
    readonly id: string;
    /** As `DescribeRegions` shows it with `AcceptLanguage=en-US`. */
    readonly englishName: string;
    /** As `DescribeRegions` shows it without `AcceptLanguage`. */
    readonly chineseName: string;
    readonly zones: readonly Zone[];
}

export interface Zone {
    readonly id: string;
    readonly englishName: string;
    readonly chineseName: string;
}

/** How a product that speaks Chinese unless it is asked for English calls a region or a zone. */
export function localName({ englishName, chineseName }: Region | Zone, acceptLanguage: string | undefined): string {
    return acceptLanguage === "en-US" ? englishName : chineseName;
}

/** Region of requests that name none, neither in a parameter nor in the endpoint's host name. */
export const DEFAULT_REGION = "cn-hangzhou";

const table: readonly (readonly [id: string, english: string, chinese: string, zones: string])[] = [
    ["cn-qingdao", "China (Qingdao)", "华北1（青岛）", "bc"],
    ["cn-beijing", "China (Beijing)", "华北2（北京）", "abcdefghijkl"],
    ["cn-zhangjiakou", "China (Zhangjiakou)", "华北3（张家口）", "abc"],
    ["cn-huhehaote", "China (Hohhot)", "华北5（呼和浩特）", "ab"],
    ["cn-wulanchabu", "China (Ulanqab)", "华北6（乌兰察布）", "abc"],
    ["cn-hangzhou", "China (Hangzhou)", "华东1（杭州）", "befghijk"],
    ["cn-shanghai", "China (Shanghai)", "华东2（上海）", "abefglmn"],
    ["cn-nanjing", "China (Nanjing - Local Region)", "华东5（南京-本地地域）", "a"],
    ["cn-fuzhou", "China (Fuzhou - Local Region)", "华东6（福州-本地地域）", "a"],
    ["cn-wuhan-lr", "China (Wuhan - Local Region)", "华中1（武汉-本地地域）", "a"],
    ["cn-shenzhen", "China (Shenzhen)", "华南1（深圳）", "acdef"],
    ["cn-heyuan", "China (Heyuan)", "华南2（河源）", "ab"],
    ["cn-guangzhou", "China (Guangzhou)", "华南3（广州）", "ab"],
    ["cn-chengdu", "China (Chengdu)", "西南1（成都）", "ab"],
    ["cn-hongkong", "China (Hong Kong)", "中国香港", "bcd"],
    ["ap-northeast-1", "Japan (Tokyo)", "日本（东京）", "abc"],
    ["ap-northeast-2", "South Korea (Seoul)", "韩国（首尔）", "ab"],
    ["ap-southeast-1", "Singapore", "新加坡", "abc"],
    ["ap-southeast-3", "Malaysia (Kuala Lumpur)", "马来西亚（吉隆坡）", "abc"],
    ["ap-southeast-5", "Indonesia (Jakarta)", "印度尼西亚（雅加达）", "abc"],
    ["ap-southeast-6", "Philippines (Manila)", "菲律宾（马尼拉）", "ab"],
    ["ap-southeast-7", "Thailand (Bangkok)", "泰国（曼谷）", "ab"],
    ["us-east-1", "US (Virginia)", "美国（弗吉尼亚）", "ab"],
    ["us-west-1", "US (Silicon Valley)", "美国（硅谷）", "ab"],
    ["na-south-1", "Mexico", "墨西哥", "a"],
    ["eu-west-1", "UK (London)", "英国（伦敦）", "ab"],
    ["eu-central-1", "Germany (Frankfurt)", "德国（法兰克福）", "abc"],
    ["me-east-1", "UAE (Dubai)", "阿联酋（迪拜）", "a"],
    ["me-central-1", "SAU (Riyadh - Partner Region)", "沙特（利雅得）- 合作伙伴运营", "ab"],
];

/** All regions, in the order in which `DescribeRegions` lists them. */
export const regions: readonly Region[] = table.map(([id, englishName, chineseName, letters]) => ({
    id,
    englishName,
    chineseName,
    zones: Array.from(letters, (letter) => ({
        // Regions in China put a hyphen before the letter, those with a number at the end do not.
        id: /\d$/.test(id) ? `${id}${letter}` : `${id}-${letter}`,
        englishName: `${englishName.replace(/^.*\((.*?)( - .*)?\)$/, "$1")} Zone ${letter.toUpperCase()}`,
        chineseName: `${chineseName.replace(/^.*（(.*?)(-.*)?）.*$/, "$1")} 可用区${letter.toUpperCase()}`,
    })),
}));

const byId = new Map(regions.map((region) => [region.id, region]));

/** The region, or undefined when the cloud has none of this id. */
export function findRegion(id: string): Region | undefined {
    return byId.get(id);
}

/** The region that a zone belongs to, or undefined when there is no such zone. */
export function regionOfZone(zoneId: string): Region | undefined {
    return regions.find((region) => region.zones.some((zone) => zone.id === zoneId));
}

/** The region that an endpoint's host name holds: `ecs.cn-beijing.aliyuncs.com`, `cn-beijing.localhost:8070`. */
export function regionOfHost(host: string): string | undefined {
    return host
        .toLowerCase()
        .replace(/:\d+$/, "")
        .split(".")
        .find((label) => byId.has(label));
}
