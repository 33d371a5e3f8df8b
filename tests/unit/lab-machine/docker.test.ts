import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { Docker } from "../../../lab/hosts/docker";

let folder: string;
let docker: Docker;
beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "lab-docker-"));
    docker = new Docker(path.join(folder, "docker.sock"));
});
afterEach(() => {
    docker.close();
    rmSync(folder, { recursive: true, force: true });
});

test("a run of the engine is known by its process", () => {
    const seen = (pid: number): string | undefined => {
        writeFileSync(path.join(folder, "docker.pid"), `${pid}\n`);
        return docker.engineRun();
    };
    expect(docker.engineRun()).toBeUndefined();
    const own = seen(process.pid);
    expect(own).toMatch(/^[-0-9a-f]{36} \d+ \d+$/);
    expect(seen(process.ppid)).not.toBe(own);
    expect(seen(process.pid)).toBe(own);
    // What a process that was killed leaves behind.
    expect(seen(2 ** 22 + 1)).toBeUndefined();
});

test("an engine that has closed its door is not taken for one that goes on by a connection that it still serves", async () => {
    const server = http.createServer((request, response) => {
        response.setHeader("api-version", "1.41");
        response.end(request.url === "/_ping" ? "OK" : "{}");
    });
    await new Promise<void>((resolve) => server.listen(docker.socketPath, resolve));
    await docker.info();
    expect(await docker.isListening()).toBe(true);
    const closed = new Promise((resolve) => server.close(resolve));
    expect(await docker.isListening()).toBe(false);
    docker.close();
    await closed;
});
