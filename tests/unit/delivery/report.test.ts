import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { markerOf } from "../../../delivery/comment";
import { postComment, type PullRequest } from "../../../delivery/github";
import { planOf, readEvents } from "../../../delivery/plan";
import { absentReport, failedReport, stackReport } from "../../../delivery/previewPullRequest";
import { main as postPreview } from "../../../delivery/postPreview";
import { pullRequestOf } from "../../../delivery/pullRequest";
import {
    exitCode,
    fromFork,
    postMissing,
    postReport,
    readReport,
    writeReport,
    type StackReport,
} from "../../../delivery/report";
import { projectName } from "../../../toolchain/stacks";
import { diagnostic, log, outputs, resource, summary } from "./events";

jest.mock("../../../toolchain/stacks", () => ({
    ...jest.requireActual<object>("../../../toolchain/stacks"),
    projectName: jest.fn(() => "platform"),
}));

interface Stored {
    id: number;
    body: string;
    user: { login: string };
}

/** Answers as GitHub does for a pull request's comments. */
class FakeGitHub {
    comments: Stored[] = [];
    refuse = false;
    readonly requests: string[] = [];
    #next = 1;
    readonly #server: Server = createServer((request, response) => {
        let text = "";
        request.on("data", (chunk: Buffer) => (text += chunk.toString()));
        request.on("end", () => {
            const url = new URL(request.url ?? "/", "http://127.0.0.1");
            this.requests.push(`${request.method ?? ""} ${url.pathname}`);
            const answer = (status: number, body?: unknown): void => {
                response.writeHead(status, { "content-type": "application/json" });
                response.end(body === undefined ? "" : JSON.stringify(body));
            };
            if (this.refuse || request.headers.authorization !== "Bearer t0ken") {
                answer(403, { message: "Resource not accessible by integration" });
                return;
            }
            const body = text === "" ? "" : (JSON.parse(text) as { body: string }).body;
            const id = Number(url.pathname.split("/").at(-1));
            const found = this.comments.find((comment) => comment.id === id);
            if (request.method === "GET") {
                const page = Number(url.searchParams.get("page"));
                const size = Number(url.searchParams.get("per_page"));
                answer(200, this.comments.slice((page - 1) * size, page * size));
            } else if (request.method === "POST") answer(201, this.add(body, "github-actions[bot]"));
            else if (found === undefined) answer(404, { message: "Not Found" });
            else if (request.method === "PATCH") {
                found.body = body;
                answer(200, found);
            } else {
                this.comments = this.comments.filter((comment) => comment !== found);
                answer(204);
            }
        });
    });

    add(body: string, login: string): Stored {
        const comment = { id: this.#next, body, user: { login } };
        this.#next += 1;
        this.comments.push(comment);
        return comment;
    }

    async open(): Promise<PullRequest> {
        await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
        const { port } = this.#server.address() as AddressInfo;
        return { api: `http://127.0.0.1:${port}`, repository: "team/platform", number: 7, token: "t0ken" };
    }

    async close(): Promise<void> {
        await new Promise((done) => this.#server.close(done));
    }
}

let github: FakeGitHub;
let target: PullRequest;

beforeEach(async () => {
    github = new FakeGitHub();
    target = await github.open();
});

afterEach(async () => github.close());

const marker = markerOf("dev");
const bodies = (): string[] => github.comments.map(({ body }) => body);

test("a comment is made once, updated in place, and removed when there is nothing to say", async () => {
    expect(await postComment(target, marker, undefined)).toBe("nothing");
    expect(await postComment(target, marker, `${marker}\none`)).toBe("created");
    expect(await postComment(target, marker, `${marker}\none`)).toBe("unchanged");
    expect(await postComment(target, marker, `${marker}\ntwo`)).toBe("updated");
    expect(bodies()).toEqual([`${marker}\ntwo`]);
    expect(await postComment(target, marker, undefined)).toBe("removed");
    expect(bodies()).toEqual([]);
});

test("what others write stays, also when it looks the same, and another stack's comment too", async () => {
    github.add(`${marker}\nquoted`, "someone");
    github.add(`${markerOf("prod")}\nprod`, "github-actions[bot]");
    expect(await postComment(target, marker, `${marker}\ndev`)).toBe("created");
    expect(bodies()).toEqual([`${marker}\nquoted`, `${markerOf("prod")}\nprod`, `${marker}\ndev`]);
});

test("the comment is found on a later page, and one that two runs made twice becomes one", async () => {
    for (let index = 0; index < 120; index += 1) github.add(`word ${index}`, "someone");
    github.add(`${marker}\nfirst`, "github-actions[bot]");
    github.add(`${marker}\nsecond`, "github-actions[bot]");
    expect(await postComment(target, marker, `${marker}\nnew`)).toBe("updated");
    expect(bodies().filter((body) => body.startsWith(marker))).toEqual([`${marker}\nnew`]);
});

test("a refusal says what to look at", async () => {
    github.refuse = true;
    await expect(postComment(target, marker, "x")).rejects.toThrow(/403.*write access.*not accessible by integration/);
});

describe("a report", () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "multihost-report-"))));
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    const of = (events: object[], messages: string[] = []): StackReport =>
        stackReport("dev", planOf(readEvents(log(...events, summary()))), { commit: "abc", messages, labels: [] });
    const code = (...stacks: StackReport[]): number => exitCode({ commit: "abc", stacks });

    test("tells harmless, risky and failed apart, and the worst stack decides the exit code", () => {
        const unchanged = of([resource({ op: "same", name: "node-1" })]);
        const harmless = of([resource({ op: "create", name: "node-2" })]);
        expect(of([outputs({}, { url: "http://a" })]).outcome).toBe("harmless");
        const announced = of([resource({ op: "delete", name: "node-2" })], ["Deletes: node-2"]);
        const risky = of([resource({ op: "delete", name: "node-2" })]);
        const failed = of([diagnostic("error", "no")]);
        const refused = of([
            { policyEvent: { message: "open", policyName: "p", enforcementLevel: "mandatory", resourceUrn: "" } },
        ]);
        expect([unchanged, harmless, announced, risky, failed, refused].map(({ outcome }) => outcome)).toEqual([
            "unchanged",
            "harmless",
            "harmless",
            "risky",
            "failed",
            "failed",
        ]);
        expect(unchanged.comment).toBeUndefined();
        expect(risky.losses).toEqual([
            { name: "node-2", type: "alicloud:ecs/instance:Instance", operation: "delete", announced: false },
        ]);
        expect(code(unchanged, harmless, announced)).toBe(0);
        expect(code(harmless, risky)).toBe(2);
        expect(code(risky, failed)).toBe(1);
    });

    test("is written, read again in another place and posted: comments of stacks with nothing to say go", async () => {
        github.add(`${markerOf("prod")}\nold`, "github-actions[bot]");
        const prod: StackReport = { stack: "prod", outcome: "untouched", counts: {}, losses: [] };
        writeReport(folder, { commit: "abc", stacks: [of([resource({ op: "create", name: "node-2" })]), prod] });
        const posted = await postReport(target, readReport(folder));
        expect([...posted]).toEqual([
            ["dev", "created"],
            ["prod", "removed"],
        ]);
        expect(bodies()).toHaveLength(1);
        expect(bodies()[0]).toContain("1 to create");
    });

    test("on all stacks takes away the comments of those that are gone, and nothing else", async () => {
        const others = ["gone", "lab"].map((stack) => `${markerOf(stack)}\nold`);
        for (const body of [...others, "no preview"]) github.add(body, "github-actions[bot]");
        github.add(others[0]!, "someone");
        const stacks = [of([resource({ op: "same", name: "node-1" })])];
        await postReport(target, { commit: "abc", stacks });
        expect(github.comments).toHaveLength(4);
        expect([...(await postReport(target, { commit: "abc", all: true, stacks }))]).toEqual([
            ["dev", "nothing"],
            ["gone", "removed"],
        ]);
        expect(bodies()).toEqual([others[1], "no preview", others[0]]);
    });

    test("leaves the comments of another project in the repository, whose stacks have the same names", async () => {
        const stacks = (): StackReport[] => [of([resource({ op: "create", name: "node-2" })])];
        jest.mocked(projectName).mockReturnValue("platform-cn");
        await postReport(target, { commit: "abc", stacks: [...stacks(), { ...stacks()[0]!, stack: "gone" }] });
        const others = bodies();
        expect(others).toHaveLength(2);
        jest.mocked(projectName).mockReturnValue("platform-eu");
        const own = stacks();
        await postReport(target, { commit: "abc", all: true, stacks: own });
        expect(bodies()).toEqual([...others, own[0]!.comment]);
        await postMissing(target, "abc");
        expect(bodies()).toEqual([...others, expect.stringContaining("didn't come to a result")]);
        jest.mocked(projectName).mockReturnValue("platform");
    });

    test("of a stack that couldn't be previewed takes the place of what an earlier commit had", async () => {
        const failed = failedReport("dev", new Error("no login"));
        expect(failed.outcome).toBe("failed");
        expect(failed.comment).toMatch(/Preview of `dev` failed\n[^]*no login/);
        github.add(`${marker}\nharmless`, "github-actions[bot]");
        await postReport(target, { commit: "", stacks: [failed] });
        expect(bodies()).toEqual([failed.comment]);
        expect(code(failed)).toBe(1);
    });

    test("of a stack that the backend doesn't know yet speaks up for whoever changes its settings only", () => {
        expect(absentReport("prod", ["index.ts"])).toEqual({
            stack: "prod",
            outcome: "absent",
            counts: {},
            losses: [],
        });
        const said = absentReport("prod", ["Pulumi.prod.yaml"]);
        expect(said.comment).toContain("`npm run pulumi -- stack init prod`");
        expect(code(said)).toBe(0);
    });

    describe("that another run wrote", () => {
        const environment = { ...process.env };
        beforeEach(() =>
            Object.assign(process.env, {
                GITHUB_TOKEN: target.token,
                GITHUB_REPOSITORY: target.repository,
                GITHUB_API_URL: target.api,
            }),
        );
        afterEach(() => (process.env = environment));
        const written = (stack: string, text: string): StackReport => ({
            stack,
            outcome: "harmless",
            counts: {},
            losses: [],
            comment: `${markerOf(stack)}\n\n${text}`,
        });

        test("is posted as it is, if it isn't a fork's", async () => {
            writeReport(folder, { commit: "abc", stacks: [written("prod", "@team")] });
            expect(await postPreview(["--from", folder, "--pull-request", "7"])).toBe(0);
            expect(bodies()).toEqual([`${markerOf("prod")}\n\n@team`]);
        });

        test("is a fork's word on the lab, and on nothing else", async () => {
            github.add(`${marker}\nof a member`, "github-actions[bot]");
            const comment = 'see ![](http://x) <img src="y"> @team/all';
            writeReport(folder, {
                commit: "abc",
                all: true,
                stacks: [written("prod", "0 to replace"), written("lab", comment), written("lab-2", "more")],
            });
            expect(await postPreview(["--from", folder, "--pull-request", "7", "--commit", "abc", "--fork"])).toBe(0);
            expect(bodies()).toEqual([
                `${marker}\nof a member`,
                `${markerOf("lab")}\n\n> [!NOTE]\n> A fork's run wrote this. Nobody has verified it.\n\nsee !\u200b[](http://x) &lt;img src="y"> @\u200bteam/all`,
            ]);
            const long = fromFork({ commit: "", stacks: [written("lab", "x".repeat(100_000))] });
            expect(long.stacks[0]!.comment!.length).toBeLessThan(65_536);
        });

        test("of a fork can't go on in the notice that it is one", () => {
            const notice = fromFork({ commit: "", stacks: [written("lab", "x")] }).stacks[0]!.comment!;
            for (const between of ["", "\n", " ", "\n> "]) {
                const report = { ...written("lab", ""), comment: `${markerOf("lab")}${between}But we have.` };
                expect(fromFork({ commit: "", stacks: [report] }).stacks[0]!.comment).toBe(
                    notice.replace(/x$/, `${between.trimStart()}But we have.`),
                );
            }
        });

        test("of a fork mentions nobody and shows no picture, however that is written", () => {
            const said = (text: string): string =>
                fromFork({ commit: "", stacks: [written("lab", text)] })
                    .stacks[0]!.comment!.split("\n\n")
                    .slice(2)
                    .join("");
            for (const at of ["&#64;", "&#x40;", "&#X40;", "&commat;"])
                expect(said(`${at}org/team`)).toBe(`&\u200b${at.slice(1)}org/team`);
            expect(said("@&#116;eam @&fjlig;ord")).toBe("@\u200b&\u200b#116;eam @\u200b&fjlig;ord");
            expect(said("a &amp; b &lt; c")).toBe("a &amp; b &lt; c");
            for (const tag of ["img", "IMAGE", "picture", "video", "source", "a"])
                expect(said(`x <${tag} src="http://x">`)).toBe(`x &lt;${tag} src="http://x">`);
        });

        test("is missing: what earlier commits came to gives way to that", async () => {
            github.add(`${marker}\nharmless`, "github-actions[bot]");
            github.add("no preview", "github-actions[bot]");
            const words = ["--from", join(folder, "none"), "--pull-request", "7"];
            const before = bodies();
            expect(await postPreview([...words, "--commit", "0123456789", "--stack", "prod"])).toBe(0);
            expect(bodies()).toEqual(before);
            expect(await postPreview([...words, "--commit", "0123456789"])).toBe(0);
            expect(bodies()).toEqual([
                expect.stringMatching(
                    /Preview of `dev` didn't come to a result\n\nThe run for `0123456` ended before it/,
                ),
                "no preview",
            ]);
            await expect(postPreview(words)).rejects.toThrow("no report");
        });

        test("goes to the pull request that it names, if that has the commit", () => {
            expect(pullRequestOf([], 3)).toBeUndefined();
            expect(pullRequestOf(["7"], 3)).toBe("7");
            expect(pullRequestOf(["7", "8"], 8)).toBe("8");
            expect(() => pullRequestOf(["7", "8"], 3)).toThrow("which of the pull requests 7, 8");
        });

        test("needs a folder", async () => {
            const said = jest.spyOn(process.stderr, "write").mockReturnValue(true);
            expect(await postPreview([])).toBe(1);
            expect(said).toHaveBeenCalledWith(expect.stringContaining("--from is missing"));
            said.mockRestore();
        });
    });

    test("that is none, or was made to look like one, is refused", () => {
        expect(() => readReport(folder)).toThrow(/no report/);
        const forged = [
            "[]",
            '{"stacks":[{"stack":"../../etc","outcome":"harmless"}]}',
            '{"stacks":[{"stack":"dev","comment":"no marker"}]}',
            '{"stacks":[null]}',
            '{"stacks":[{}]}',
        ];
        for (const text of forged) {
            writeFileSync(join(folder, "report.json"), text);
            expect(() => readReport(folder)).toThrow(/no report/);
        }
    });
});
