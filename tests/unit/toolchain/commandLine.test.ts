import { type CommandLine, perform } from "../../../toolchain/commandLine";

const command = (run = jest.fn().mockResolvedValue(7)): CommandLine<readonly string[]> => ({
    help: "Usage: …\n",
    misused: 2,
    parse: (words) => {
        if (words.includes("--wrong")) throw new Error("--wrong: there is none.");
        return words;
    },
    run,
});

const written = (stream: NodeJS.WriteStream): jest.SpyInstance => jest.spyOn(stream, "write").mockReturnValue(true);

afterEach(() => jest.restoreAllMocks());

test("the code is that of the command, which gets what was parsed", async () => {
    const run = jest.fn().mockResolvedValue(7);
    expect(await perform(command(run), ["--stack", "dev"])).toBe(7);
    expect(run).toHaveBeenCalledWith(["--stack", "dev"]);
});

test.each(["help", "--help", "-h"])("%s is answered on standard output, whatever else is said", async (word) => {
    const [output, run] = [written(process.stdout), jest.fn()];
    expect(await perform(command(run), ["--wrong", word])).toBe(0);
    expect(output).toHaveBeenCalledWith("Usage: …\n");
    expect(run).not.toHaveBeenCalled();
});

test("words that are refused are answered on standard error, by the reason and the help", async () => {
    const [output, errors, run] = [written(process.stdout), written(process.stderr), jest.fn()];
    expect(await perform(command(run), ["--wrong"])).toBe(2);
    expect(errors).toHaveBeenCalledWith("--wrong: there is none.\n\nUsage: …\n");
    expect(output).not.toHaveBeenCalled();
    expect(run).not.toHaveBeenCalled();
});

test("what fails while it runs is not taken for a wrong word", async () => {
    await expect(perform(command(jest.fn().mockRejectedValue(new Error("no host"))), [])).rejects.toThrow("no host");
});
