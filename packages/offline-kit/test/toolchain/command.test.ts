import { createHash } from "node:crypto";
import type { ValueMap } from "../../toolchain/stand-ins/plugin/values";
import { reveal, Secret, Unknown } from "../../toolchain/stand-ins/plugin/values";
import type { Plugin } from "../../compare/plugin";
import { startPlugin } from "../../compare/plugin";

jest.setTimeout(30_000);

const LOCAL = "command:local:Command";

let plugin: Plugin;
beforeAll(async () => {
  plugin = await startPlugin("command");
});
afterAll(() => {
  plugin.stop();
});
beforeEach(() => {
  plugin.logged.length = 0;
});

describe("inputs", () => {
  it("may be unknown in a preview", async () => {
    const { inputs, failures } = await plugin.check(LOCAL, { create: "true", stdin: new Unknown() });
    expect(failures).toEqual([]);
    const outputs = await plugin.preview(LOCAL, inputs);
    expect(outputs["stdout"]).toBeInstanceOf(Unknown);
    expect(outputs["stdin"]).toBeInstanceOf(Unknown);
  });

  it("are refused when misspelt or of the wrong type, without their values", async () => {
    const { failures } = await plugin.check(LOCAL, { craete: "hidden", create: 3, dir: new Secret({ a: "hidden" }) });
    expect(failures.sort()).toEqual([
      "craete: Unrecognized field 'craete' on 'local.CommandInputs'",
      "create: Field 'create' on 'local.CommandInputs' must be a 'string'; got 'float64' instead",
      "dir: An error occurred decoding 'CommandInputs.dir': Cannot decode Object{} to type string; it isn't a struct, and no custom decoder exists",
    ]);
  });

  it("differ property by property, a secret as a whole", async () => {
    const old = { create: "a", triggers: ["1", "2"], stdin: new Secret("x"), dir: new Secret("a") };
    const same = await plugin.diff(LOCAL, old, { ...old });
    expect(same).toEqual({ changed: false, kinds: {}, replaces: [] });
    const changed = await plugin.diff(LOCAL, old, {
      create: "b",
      triggers: ["1", "3"],
      stdin: new Secret("y"),
      dir: "a",
      update: "u",
    });
    expect(changed.kinds).toEqual({
      create: "update",
      "triggers[1]": "update",
      stdin: "update",
      dir: "update",
      update: "add",
    });
    const first = await plugin.diff(LOCAL, { create: "a" }, { create: "a", triggers: ["1"] });
    expect(first).toEqual({ changed: true, kinds: { triggers: "add-replace" }, replaces: ["triggers"] });
  });
});

describe("a local command", () => {
  it("runs in the project's folder through the shell, with its environment and input", async () => {
    const state = await plugin.create(LOCAL, {
      create: 'cat; echo "$A $(pwd)"; echo err >&2',
      environment: { A: "b" },
      stdin: "in\n",
    });
    expect(reveal(state["stdout"] ?? "")).toMatch(/^in\nb .*plugin-/);
    expect(state["stderr"]).toBe("err");
  });

  it("carries half a megabyte of standard input whole", async () => {
    const stdin = "0123456789abcdef".repeat(32_000);
    const state = await plugin.create(LOCAL, { create: "sha256sum; echo done", stdin: new Secret(stdin) });
    expect(state["stdout"]).toBe(`${createHash("sha256").update(stdin).digest("hex")}  -\ndone`);
    expect(state["stdin"]).toEqual(new Secret(stdin));
  });

  it("obeys interpreter and dir, and gets what it printed before unless told not to", async () => {
    const inputs = { create: "process.stdout.write(process.cwd())", interpreter: ["node", "-e"], dir: "/" };
    expect((await plugin.create(LOCAL, inputs))["stdout"]).toBe("/");
    const state = { stdout: "old", stderr: "" };
    const create = "echo $PULUMI_COMMAND_STDOUT";
    expect((await plugin.update(LOCAL, state, { create }))["stdout"]).toBe("old");
    expect((await plugin.update(LOCAL, state, { create, addPreviousOutputInEnv: false }))["stdout"]).toBe("");
  });

  it("fails where what it printed is no text", async () => {
    await expect(plugin.create(LOCAL, { create: "printf '\\377'" })).rejects.toThrow(
      "grpc: error while marshaling: string field contains invalid UTF-8",
    );
  });

  it("names the command, how it ended and all it printed when it fails", async () => {
    await expect(plugin.create(LOCAL, { create: 'echo "a"; echo b >&2; exit 3' })).rejects.toThrow(
      /^exit status 3: running "echo \\"a\\"; echo b >&2; exit 3":\n(a\nb|b\na)\n$/,
    );
    await expect(plugin.create(LOCAL, { create: "kill -TERM $$" })).rejects.toThrow(
      'signal: terminated: running "kill -TERM $$":\n',
    );
  });

  it("runs update, or else create, when inputs change, and delete at the end", async () => {
    const inputs = { create: "echo c", dir: "/" };
    const state = await plugin.create(LOCAL, inputs);
    expect((await plugin.update(LOCAL, state, { ...inputs, stdin: "new" }))["stdout"]).toBe("c");
    const updated = await plugin.update(LOCAL, state, { ...inputs, update: "echo u", delete: "echo d; exit 9" });
    expect(updated["stdout"]).toBe("u");
    await expect(plugin.delete(LOCAL, updated)).rejects.toThrow('exit status 9: running "echo d; exit 9":\nd\n');
    await plugin.delete(LOCAL, state);
  });

  it("logs lines as asked", async () => {
    const create = "echo out; echo err >&2";
    const linesFor = async (more: ValueMap): Promise<string[]> => {
      plugin.logged.length = 0;
      await plugin.create(LOCAL, { create, ...more });
      return plugin.logged.map(({ message }) => message).sort();
    };
    expect(await linesFor({})).toEqual(["err", "out"]);
    expect(await linesFor({ logging: "stdoutAndStderr" })).toEqual(["err", "out"]);
    expect(await linesFor({ logging: "stdout" })).toEqual(["out"]);
    expect(await linesFor({ logging: "stderr" })).toEqual(["err"]);
    expect(await linesFor({ logging: "none" })).toEqual([]);
  });
});

it("refuses remote commands by name, which the program does not use", async () => {
  // The official plugin has them.
  if (process.env["CLOUDCODE_TEST_PLUGIN_DIR"] !== undefined) return;
  await expect(plugin.check("command:remote:Command", { create: "true" })).rejects.toThrow(
    "The stand-in has no resource type command:remote:Command; the official plugin has.",
  );
});

it("ends a command when the user interrupts", async () => {
  const outcome = expect(plugin.create(LOCAL, { create: "echo begun; exec sleep 20" })).rejects.toThrow(
    'signal: killed: running "echo begun; exec sleep 20":\nbegun\n',
  );
  while (plugin.logged.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await plugin.cancel();
  await outcome;
});
