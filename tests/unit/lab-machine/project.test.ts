import { inLabProject } from "../../../lab/stack";

const project = "/labs/lab/project";

test.each([
    [["up", "--stack", "lab"], true],
    [["preview"], true],
    [["config", "set", "a", "b"], true],
    [["stack", "select", "--create", "lab"], true],
    [["stack", "export", "--file", "state.json"], false],
    [["stack", "output"], false],
    [["version"], false],
    [["up", "--config-file", "mine.yaml"], false],
    [["up", "-C", "elsewhere"], false],
    [["--cwd=elsewhere", "up"], false],
])("%j runs in the lab's project: %s", (args, led) => {
    expect(inLabProject(args, project)).toEqual(led ? ["--cwd", project, ...args] : args);
});
