import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { utils } from "ssh2";
import type { ValueMap } from "../../sandbox/toolchain/stand-ins/plugin/values";
import { reveal, Secret, Unknown } from "../../sandbox/toolchain/stand-ins/plugin/values";
import type { Plugin } from "./plugin";
import { startPlugin } from "./plugin";
import type { SshServer } from "./ssh-server";
import { startSshServer } from "./ssh-server";

jest.setTimeout(30_000);

const REMOTE = "command:remote:Command";
const LOCAL = "command:local:Command";

let plugin: Plugin;
let server: SshServer;

beforeAll(async () => {
  [plugin, server] = await Promise.all([startPlugin("command"), startSshServer()]);
});
afterAll(async () => {
  plugin.stop();
  await server.stop();
});
beforeEach(() => {
  plugin.logged.length = 0;
  server.commands.length = 0;
  server.refusedVariables.length = 0;
});

function connection(more: ValueMap = {}): ValueMap {
  const { port, clientKey, hostKey } = server;
  return {
    host: "127.0.0.1",
    port,
    user: "root",
    privateKey: clientKey,
    hostKey,
    dialErrorLimit: 0,
    perDialTimeout: 5,
    ...more,
  };
}

function remote(more: ValueMap, connectionMore: ValueMap = {}): ValueMap {
  return { connection: new Secret(connection(connectionMore)), addPreviousOutputInEnv: false, ...more };
}

describe("a remote command", () => {
  it("uses one connection and closes it", async () => {
    const before = server.connections();
    const state = await plugin.create(REMOTE, remote({ create: "echo out; echo err >&2" }));
    expect(state["stdout"]).toBe("out");
    expect(state["stderr"]).toBe("err");
    expect(server.connections() - before).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.open()).toBe(0);
  });

  it("carries half a megabyte of standard input whole", async () => {
    const stdin = "0123456789abcdef".repeat(32_000);
    const state = await plugin.create(REMOTE, remote({ create: "sha256sum; echo done", stdin: new Secret(stdin) }));
    const { createHash } = await import("node:crypto");
    expect(state["stdout"]).toBe(`${createHash("sha256").update(stdin).digest("hex")}  -\ndone`);
    expect(state["stdin"]).toEqual(new Secret(stdin));
  });

  it("refuses a host whose key is not the pinned one, before anything is sent", async () => {
    const hostKey = utils.generateKeyPairSync("ed25519").public;
    const create = plugin.create(REMOTE, remote({ create: "cat", stdin: "secret" }, { hostKey }));
    await expect(create).rejects.toThrow("after 0 failed attempts: ssh: handshake failed: ssh: host key mismatch");
    expect(server.commands).toEqual([]);
  });

  it("names the command and all it printed when it fails", async () => {
    const create = plugin.create(REMOTE, remote({ create: 'echo "a"; echo b >&2; exit 3' }));
    await expect(create).rejects.toThrow(
      /^Process exited with status 3: running "echo \\"a\\"; echo b >&2; exit 3":\n(a\nb|b\na)\n$/,
    );
  });

  it("gives up after the limit of failed dials, one more than it counts", async () => {
    let dials = 0;
    const deaf = createServer((socket) => {
      dials++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => deaf.listen(0, "127.0.0.1", resolve));
    const address: AddressInfo | string | null = deaf.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const create = plugin.create(REMOTE, remote({ create: "true" }, { port, dialErrorLimit: 3 }));
    await expect(create).rejects.toThrow(/^after 3 failed attempts: ssh: handshake failed: /);
    expect(dials).toBe(4);
    expect(plugin.logged.map(({ message }) => message)).toEqual([1, 2, 3].map((n) => `Dial ${n}/3 failed: retrying`));
    await new Promise((resolve) => deaf.close(resolve));
  });

  it("dials without end until its custom timeout", async () => {
    const create = plugin.create(REMOTE, remote({ create: "true" }, { port: 1, dialErrorLimit: -1 }), 1);
    await expect(create).rejects.toThrow("context deadline exceeded");
    expect(plugin.logged[0]?.message).toBe("Dial 1/inf failed: retrying");
  });

  it("does not run when the server refuses its environment", async () => {
    const create = plugin.create(REMOTE, remote({ create: "true", environment: { NAME: "value" } }));
    await expect(create).rejects.toThrow('could not set environment variable "NAME": ssh: setenv failed');
    expect(server.commands).toEqual([]);
    expect(plugin.logged).toMatchObject([{ severity: "error", ephemeral: false }]);
  });

  it("only warns when the server refuses the previous output, and does not send it when told not to", async () => {
    const inputs = remote({ create: "echo again" });
    const state = { ...inputs, stdout: "before", stderr: "" };
    await plugin.update(REMOTE, state, inputs);
    expect(server.refusedVariables).toEqual([]);
    await plugin.update(REMOTE, state, { ...inputs, addPreviousOutputInEnv: true });
    expect(server.refusedVariables).toEqual(["PULUMI_COMMAND_STDOUT"]);
    expect(server.commands).toEqual(["echo again", "echo again"]);
    expect(plugin.logged.map(({ severity }) => severity)).toContain("warning");
  });

  it("runs update, or else create, when inputs change, and delete at the end", async () => {
    const inputs = remote({ create: "echo c" });
    const state = await plugin.create(REMOTE, inputs);
    await plugin.update(REMOTE, state, { ...inputs, stdin: "new" });
    const updated = await plugin.update(REMOTE, state, { ...inputs, update: "echo u", delete: "echo d" });
    expect(updated["stdout"]).toBe("u");
    await plugin.delete(REMOTE, updated);
    await plugin.delete(REMOTE, state);
    expect(server.commands).toEqual(["echo c", "echo c", "echo u", "echo d"]);
  });

  it("logs lines as asked", async () => {
    const create = "echo out; echo err >&2";
    const linesFor = async (more: ValueMap): Promise<string[]> => {
      plugin.logged.length = 0;
      await plugin.create(REMOTE, remote({ create, ...more }));
      return plugin.logged.map(({ message }) => message).sort();
    };
    expect(await linesFor({})).toEqual(["err", "out"]);
    expect(await linesFor({ logging: "stdoutAndStderr" })).toEqual(["err", "out"]);
    expect(await linesFor({ logging: "stdout" })).toEqual(["out"]);
    expect(await linesFor({ logging: "stderr" })).toEqual(["err"]);
    expect(await linesFor({ logging: "none" })).toEqual([]);
  });
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

it("closes the connection when the user interrupts", async () => {
  const create = plugin.create(REMOTE, remote({ create: "exec sleep 20" }));
  const outcome = expect(create).rejects.toThrow('context canceled: running "exec sleep 20":\n');
  while (server.commands.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await plugin.cancel();
  await outcome;
  while (server.open() > 0) await new Promise((resolve) => setTimeout(resolve, 20));
});
