import { measureApi } from "../../../bench/api";

jest.mock("../../../bench/api", () => ({ measureApi: jest.fn() }));
jest.mock("../../../bench/lab", () => ({}));

const saved = [...process.argv];
afterEach(() => {
    jest.restoreAllMocks();
    process.argv = saved;
});

test("the API's calls show how they scatter and how many there were", async () => {
    jest.mocked(measureApi).mockResolvedValue([{ call: "DescribeVpcs", times: [4, 2, 3], p95: 4 }]);
    jest.spyOn(console, "error").mockReturnValue();
    process.argv = [process.execPath, "bench/run.ts", "api"];
    const printed = await new Promise((told) => {
        jest.spyOn(console, "log").mockImplementation(told);
        jest.requireActual("../../../bench/run");
    });
    expect(printed).toMatch(/^\| DescribeVpcs, 100 instances \(95 %: 4\.0 ms\) \| 3\.00 ms \| 2\.00–4\.00 \| 3 /m);
});
