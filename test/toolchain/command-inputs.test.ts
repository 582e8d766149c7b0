import { reveal, Secret, Unknown } from "../../sandbox/toolchain/stand-ins/plugin/values";
import type { Plugin } from "./plugin";
import { startPlugin } from "./plugin";

jest.setTimeout(30_000);

const REMOTE = "command:remote:Command";
const LOCAL = "command:local:Command";

let plugin: Plugin;
beforeAll(async () => {
  plugin = await startPlugin("command");
});
afterAll(() => {
  plugin.stop();
});

describe("inputs of a remote command", () => {
  it("get their defaults, and the connection becomes secret", async () => {
    const { inputs, failures } = await plugin.check(REMOTE, {
      connection: { host: "h", privateKey: "k" },
      create: "true",
    });
    expect(failures).toEqual([]);
    expect(inputs["connection"]).toEqual(
      new Secret({
        host: "h",
        privateKey: new Secret("k"),
        user: "root",
        port: 22,
        dialErrorLimit: 10,
        perDialTimeout: 15,
      }),
    );
  });

  it("may be unknown in a preview", async () => {
    const { inputs, failures } = await plugin.check(REMOTE, {
      connection: { host: new Unknown() },
      stdin: new Unknown(),
    });
    expect(failures).toEqual([]);
    const outputs = await plugin.preview(REMOTE, inputs);
    expect(outputs["stdout"]).toBeInstanceOf(Unknown);
    expect(outputs["stdin"]).toBeInstanceOf(Unknown);
  });

  it("are refused when misspelt, missing or of the wrong type, without their values", async () => {
    const { failures } = await plugin.check(REMOTE, { connection: { hots: "hidden" }, create: 3 });
    expect(failures.sort()).toEqual([
      "connection: An error occurred decoding 'CommandInputs.connection': 2 failures decoding:\n" +
        "\thost: Missing required field 'host' on 'remote.Connection'\n" +
        "\thots: Unrecognized field 'hots' on 'remote.Connection'",
      "create: Field 'create' on 'remote.CommandInputs' must be a 'string'; got 'float64' instead",
    ]);
  });

  it("differ property by property, a secret as a whole", async () => {
    const old = { create: "a", triggers: ["1", "2"], stdin: new Secret("x"), connection: new Secret({ host: "a" }) };
    const same = await plugin.diff(REMOTE, old, { ...old });
    expect(same).toEqual({ changed: false, kinds: {}, replaces: [] });
    const changed = await plugin.diff(REMOTE, old, {
      create: "b",
      triggers: ["1", "3"],
      stdin: new Secret("y"),
      connection: { host: "a" },
      update: "u",
    });
    expect(changed.kinds).toEqual({
      create: "update",
      "triggers[1]": "update",
      stdin: "update",
      connection: "update",
      update: "add",
    });
    const first = await plugin.diff(REMOTE, { create: "a" }, { create: "a", triggers: ["1"] });
    expect(first).toEqual({ changed: true, kinds: { triggers: "add-replace" }, replaces: ["triggers"] });
  });
});

describe("a local command", () => {
  it("runs in the project's folder through the shell, with its environment and input", async () => {
    const state = await plugin.create(LOCAL, {
      create: 'cat; echo "$A $(pwd)"',
      environment: { A: "b" },
      stdin: "in\n",
    });
    expect(reveal(state["stdout"] ?? "")).toMatch(/^in\nb .*plugin-/);
  });

  it("obeys interpreter and dir, and gets what it printed before", async () => {
    const inputs = { create: "process.stdout.write(process.cwd())", interpreter: ["node", "-e"], dir: "/" };
    expect((await plugin.create(LOCAL, inputs))["stdout"]).toBe("/");
    const again = await plugin.update(LOCAL, { stdout: "old", stderr: "" }, { create: "echo $PULUMI_COMMAND_STDOUT" });
    expect(again["stdout"]).toBe("old");
  });

  it("fails in the real provider's words", async () => {
    await expect(plugin.create(LOCAL, { create: "echo x; exit 2" })).rejects.toThrow(
      'exit status 2: running "echo x; exit 2":\nx\n',
    );
  });
});
