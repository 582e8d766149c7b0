import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { text } from "node:stream/consumers";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { CommandError, run } from "../../cli/run";
import { bundles } from "../support/bundles";
import { projectRoot } from "../support/project-root";

jest.setTimeout(60_000);

// Without the Pulumi CLI.
const env = { PATH: dirname(process.execPath), CLOUDCODE_BUNDLES: bundles };
let client: Client;
beforeAll(async () => {
  client = new Client({ name: "test", version: "1" });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: ["ops/bin.mjs", "mcp", "--stack", "home"],
      cwd: projectRoot,
      env,
    }),
  );
});
afterAll(async () => {
  await client.close();
});

const call = (name: string, words: Record<string, unknown> = {}) => client.callTool({ name, arguments: words });

describe("the tools of an agent", () => {
  it("look, restart and back up, and there is no other", async () => {
    const { tools } = await client.listTools();
    const names = (changes: boolean) =>
      tools.filter(({ annotations }) => annotations?.readOnlyHint === !changes).map(({ name }) => name);
    expect(names(false)).toEqual([
      "status",
      "doctor",
      "cost",
      "outdated",
      "ps",
      "traffic",
      "logs",
      "history",
      "snapshots",
      "devices",
      "bans",
      "guests",
      "notify-status",
    ]);
    expect(names(true)).toEqual(["restart", "backup"]);
  });

  it.each([
    ["logs", {}],
    ["logs", { app: "opencode; id" }],
    ["logs", { app: "-f" }],
    ["logs", { app: "opencode", lines: 100_000 }],
    ["restart", {}],
    ["restart", { app: "opencode", service: "--help" }],
    ["backup", { app: "../x" }],
    ["status", { stack: "another" }],
  ])("%s refuses %j before anything is asked", async (name, words) => {
    const refused = await call(name, words).then(
      ({ isError, content }) => (isError ? JSON.stringify(content) : ""),
      String,
    );
    expect(refused).toMatch(/[Ii]nvalid|validation/);
    expect(refused).not.toContain("Pulumi");
  });

  it("takes a service by every name that an App of one's own may give it", async () => {
    for (const service of ["my_db", "0.web", "a-name-of-more-than-32-characters-x"])
      expect(await call("restart", { app: "memos", service })).toMatchObject({
        content: [{ text: expect.stringContaining("the Pulumi CLI is not on PATH") as unknown }],
      });
  });

  it.each(["otp", "rollback", "stop", "exec", "restore"])("%s is none", async (name) => {
    await expect(
      call(name).then(({ isError }) => (isError ? Promise.reject(new Error("no such tool")) : 1)),
    ).rejects.toThrow();
  });

  it("say what is wrong as every command does", async () => {
    expect(await call("history")).toMatchObject({
      isError: true,
      content: [{ type: "text", text: "the Pulumi CLI is not on PATH: https://www.pulumi.com/docs/install/" }],
    });
  });
});

describe("exit codes", () => {
  const ended = async (...words: readonly string[]): Promise<[code: number, stdout: string]> => {
    try {
      const { stdout } = await run(process.execPath, ["ops/bin.mjs", ...words], { cwd: projectRoot, env });
      return [0, stdout];
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return [Number(/exit code (\d+)/.exec(error.message)?.[1]), error.output.stdout];
    }
  };

  it("is that of the signal where the reader of a pipe has enough, and nothing is said", async () => {
    const child = spawn(process.execPath, ["ops/bin.mjs", "history", "--json"], { cwd: projectRoot, env });
    child.stdout.destroy();
    const code = new Promise((resolve) => child.once("close", resolve));
    expect([await text(child.stderr), await code]).toEqual([
      "the Pulumi CLI is not on PATH: https://www.pulumi.com/docs/install/\n",
      141,
    ]);
  });

  it("are 0 for help, 1 for a failure, with its words as JSON where asked, and 2 for wrong words", async () => {
    const fault = "the Pulumi CLI is not on PATH: https://www.pulumi.com/docs/install/";
    const cases: readonly [words: string, code: number, error: unknown][] = [
      ["--help", 0, undefined],
      ["history", 1, undefined],
      ["history --json", 1, fault],
      // Before the command, as the options that choose a stack.
      ["--json history", 1, fault],
      ["bogus", 2, undefined],
      ["history --bogus", 2, undefined],
      ["rollback --json", 2, expect.stringMatching(/^error: .+/)],
      ["history -n 0 --json", 2, expect.stringMatching(/^error: .+/)],
    ];
    const seen = await Promise.all(
      cases.map(async ([words]) => {
        const [code, stdout] = await ended(...words.split(" "));
        return [words, code, words === "--help" || stdout === "" ? {} : (JSON.parse(stdout) as unknown)];
      }),
    );
    expect(seen).toEqual(cases.map(([words, code, error]) => [words, code, error === undefined ? {} : { error }]));
  });
});
