import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { newKeyPair } from "../../sandbox/host/keys";
import type { ValueMap } from "../../sandbox/toolchain/stand-ins/plugin/values";
import { Secret } from "../../sandbox/toolchain/stand-ins/plugin/values";
import type { Plugin } from "./plugin";
import { startPlugin } from "./plugin";
import type { SshServer } from "./ssh-server";
import { startSshServer } from "./ssh-server";

jest.setTimeout(30_000);

const REMOTE = "command:remote:Command";

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
    const hostKey = newKeyPair().publicKey;
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

  it("says which signal ended it", async () => {
    const create = plugin.create(REMOTE, remote({ create: "kill -TERM $$" }));
    await expect(create).rejects.toThrow('Process exited with status 143 from signal TERM: running "kill -TERM $$":\n');
  });

  it("fails when the connection breaks while it runs", async () => {
    const create = plugin.create(REMOTE, remote({ create: "echo begun; exec sleep 20" }));
    const outcome = expect(create).rejects.toThrow(
      'wait: remote command exited without exit status or exit signal: running "echo begun; exec sleep 20":\nbegun\n',
    );
    while (plugin.logged.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    server.cut();
    await outcome;
  });

  it("is not let in with a key that the host does not know", async () => {
    const privateKey = newKeyPair().privateKey;
    await expect(plugin.create(REMOTE, remote({ create: "true" }, { privateKey }))).rejects.toThrow(
      "after 0 failed attempts: ssh: handshake failed: ssh: unable to authenticate, " +
        "attempted methods [none publickey], no supported methods remain",
    );
    await expect(plugin.create(REMOTE, remote({ create: "true" }, { privateKey: "no key" }))).rejects.toThrow(
      /^ssh: no key found$/,
    );
  });

  it("runs on past its custom timeout, which bounds the dialling only", async () => {
    const state = await plugin.create(REMOTE, remote({ create: "sleep 1.5; echo late" }), 1);
    expect(state["stdout"]).toBe("late");
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
    await expect(create).rejects.toThrow(/^context deadline exceeded$/);
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

it("closes the connection when the user interrupts", async () => {
  const create = plugin.create(REMOTE, remote({ create: "exec sleep 20" }));
  const outcome = expect(create).rejects.toThrow('context canceled: running "exec sleep 20":\n');
  while (server.commands.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await plugin.cancel();
  await outcome;
  while (server.open() > 0) await new Promise((resolve) => setTimeout(resolve, 20));
});
