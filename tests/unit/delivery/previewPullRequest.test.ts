/** The course of a preview for a pull request, with Pulumi, git and GitHub made up. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { existingStacks, preview } from "../../../delivery/engine";
import { changeSince } from "../../../delivery/git";
import { main } from "../../../delivery/previewPullRequest";
import { planOf, readEvents } from "../../../delivery/plan";
import { log, resource, summary } from "./events";

jest.mock("../../../delivery/engine", () => ({ existingStacks: jest.fn(), preview: jest.fn() }));
jest.mock("../../../delivery/git", () => ({ changeSince: jest.fn() }));

const environment = { ...process.env };
let labels: string[];
/** What GitHub was asked for, and what was posted. */
let requests: string[];

beforeEach(() => {
    labels = [];
    requests = [];
    jest.spyOn(process.stdout, "write").mockReturnValue(true);
    jest.spyOn(process.stderr, "write").mockReturnValue(true);
    Object.assign(process.env, {
        GITHUB_EVENT_PATH: "",
        GITHUB_TOKEN: "t0ken",
        GITHUB_REPOSITORY: "team/platform",
        GITHUB_API_URL: "http://127.0.0.1",
    });
    jest.spyOn(globalThis, "fetch").mockImplementation((url, { method = "" } = {}) => {
        const { pathname } = new URL(url);
        requests.push(`${method} ${pathname}`);
        const answer = pathname.endsWith("/labels") ? labels.map((name) => ({ name })) : [];
        return Promise.resolve(new Response(JSON.stringify(answer)));
    });
    jest.mocked(existingStacks).mockResolvedValue(new Set(["prod"]));
    jest.mocked(changeSince).mockResolvedValue({ commit: "abc1234", messages: [], files: [] });
    jest.mocked(preview).mockImplementation(() => {
        const plan = planOf(readEvents(log(resource({ op: "delete", name: "node-1" }), summary())));
        return Promise.resolve({ plan, states: { before: [], after: [] } });
    });
});
afterEach(() => {
    process.env = { ...environment };
    jest.restoreAllMocks();
});

test("a label of the pull request announces losses where no workflow tells of it", async () => {
    const words = ["--stack", "prod", "--post", "--pull-request", "7"];
    expect(await main(words)).toBe(2);
    labels = ["stateful-change"];
    expect(await main(words)).toBe(0);
    expect(requests).toContain("GET /repos/team/platform/issues/7/labels");
    requests = [];
    expect(await main([...words, "--label", "other"])).toBe(2);
    expect(await main(["--stack", "prod"])).toBe(2);
    expect(requests.filter((request) => request.endsWith("/labels"))).toEqual([]);
});

test("no file of an earlier run stays that this one doesn't write", async () => {
    const folder = mkdtempSync(join(tmpdir(), "multihost-previews-"));
    const words = ["--stack", "prod", "--stack", "staging", "--output", folder];
    try {
        expect(await main(words)).toBe(2);
        const written = readdirSync(folder);
        expect(written).toEqual(["prod.md", "report.json", "staging.md"]);
        for (const file of ["prod.svg", "staging.svg", "dev.md", "dev.svg"]) writeFileSync(join(folder, file), "old");
        const nothing = { plan: planOf(readEvents(log(summary()))), states: { before: [], after: [] } };
        jest.mocked(preview).mockResolvedValueOnce(nothing).mockRejectedValueOnce(new Error("no login"));
        expect(await main(words)).toBe(1);
        // What another run has left of other stacks isn't this one's.
        expect(readdirSync(folder)).toEqual(["dev.md", "dev.svg", "report.json", "staging.md"]);
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
});
