// liteboxd's own Python SDK and CLI (which is made of its Go SDK), as their users have them: from outside, over TLS through the real Caddy,
// to the stand-in of liteboxd. LITEBOXD_CLI=FILE is the CLI, LITEBOXD_PYTHON=FOLDER where Python finds the package `liteboxd`.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LiteboxdHome, fileIn } from "../support/liteboxd";

const { LITEBOXD_CLI: cli = "", LITEBOXD_PYTHON: pythonPath = "" } = process.env;
const asUsersHave = cli !== "" && pythonPath !== "" ? test : test.skip;

let home: LiteboxdHome;
beforeAll(async () => {
  home = await LiteboxdHome.open();
});
afterAll(() => {
  home.close();
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
}

/** Runs a program that finds the home by its name and trusts its certificate. */
function run(words: readonly string[], env: Readonly<Record<string, string>> = {}, input = ""): Promise<Ended> {
  const hosts = fileIn(home, "hosts", `127.0.0.1 localhost ${new URL(home.url).hostname}\n`);
  const certificate = fileIn(home, "authority.pem", home.authority);
  const script = 'mount --bind "$0" /etc/hosts && exec "$@"';
  return new Promise((resolve) => {
    const child = spawn("unshare", ["--mount", "sh", "-c", script, hosts, ...words], {
      cwd: home.cluster.folder,
      env: { PATH: process.env["PATH"], HOME: home.cluster.folder, SSL_CERT_FILE: certificate, ...env },
    });
    let out = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => {
        out += data.toString();
      });
    child.on("close", (code) => {
      resolve({ code, out });
    });
    child.stdin.end(input);
  });
}

const template = `apiVersion: liteboxd/v1
kind: SandboxTemplate
metadata: { name: py, displayName: Python }
spec: { image: "python:3.12-slim", ttl: 3600, resources: { cpu: 500m, memory: 512Mi } }
`;

asUsersHave("the CLI: status, templates, a sandbox, its commands, files, logs and terminal", async () => {
  const liteboxd = (words: readonly string[], input?: string, env: Readonly<Record<string, string>> = {}) =>
    run([cli, "--api-server", `${home.url}/api/v1`, ...words], { LITEBOXD_TOKEN: home.key, ...env }, input);
  const says = async (words: readonly string[], input?: string) => {
    const { code, out } = await liteboxd(words, input);
    expect([words, code, out]).toEqual([words, 0, expect.any(String)]);
    return out;
  };
  expect(await says(["auth", "status"])).toContain("Authenticated via api_key");
  expect(await says(["import", "--file", fileIn(home, "py.yaml", template)])).toContain("Created: 1");
  expect(await says(["template", "list"])).toContain("py");
  const created = await says(["sandbox", "create", "--template", "py", "--ttl", "600", "--env", "A=1", "--quiet"]);
  const id = created.trim();
  expect(await says(["sandbox", "wait", id])).toContain("Status: running");
  expect(await says(["sandbox", "list", "--output", "json"])).toContain(id);
  expect(await says(["sandbox", "exec", id, "--", "sh", "-c", "echo $((6 * 7))"])).toBe("42\n");
  const file = join(home.cluster.workspace, "main.py");
  await says(["sandbox", "upload", id, fileIn(home, "local.py", "print(1)\n"), file]);
  expect(await says(["sandbox", "download", id, file])).toBe("print(1)\n");
  expect(await says(["sandbox", "logs", id, "--events"])).toContain(`sandbox-${id}`);
  const typed = await liteboxd(
    ["sandbox", "exec", "--stdin", id, "--", "sh", "-c", "read a; echo got $a; exit 4"],
    "hi\n",
  );
  expect(typed).toEqual({ code: 4, out: "got hi\n" });
  // Its own --timeout is for the command alone.
  const late = await liteboxd(["sandbox", "exec", id, "--timeout", "9", "--", "sleep", "3"], "", {
    LITEBOXD_TIMEOUT: "1s",
  });
  expect(late.out).toContain("deadline exceeded");
  await says(["sandbox", "delete", id, "--force"]);

  const wide = template.replace("ttl: 3600", "network: { allowInternetAccess: true, allowedDomains: [pypi.org] }");
  const refused = await liteboxd(["import", "--file", fileIn(home, "wide.yaml", wide)]);
  expect([refused.code, refused.out]).toEqual([1, expect.stringContaining("allowedDomains does not work here")]);
  expect((await liteboxd(["sandbox", "list"], "", { LITEBOXD_TOKEN: "lbxk_0123" })).out).toContain(
    "invalid or expired API key",
  );
  expect((await liteboxd(["auth", "status"], "", { LITEBOXD_TOKEN: "of another kind" })).out).toContain(
    "Token is invalid",
  );
});

asUsersHave("the CLI's login says where a key comes from", async () => {
  // It reads the password from a terminal alone, which util-linux's `script` gives it.
  const command = `${cli} --api-server ${home.url}/api/v1 auth login`;
  const { out } = await run(["script", "-qec", command, "/dev/null"], {}, "admin\nany password\n");
  expect(out).toContain("login failed: The password alone does not sign in from outside.");
});

const script = `import os, sys, urllib.request
from liteboxd import Client
from liteboxd.exceptions import APIError, UnauthorizedError
url, folder = sys.argv[1:]
with Client(url, auth_token=os.environ["LITEBOXD_TOKEN"]) as client:
    client.import_export.import_templates(open("sdk.yaml").read())
    print([one.name for one in client.template.list().items if one.name == "sdk"])
    sandbox = client.sandbox.create(template="sdk")
    print(client.sandbox.wait_for_ready(sandbox.id).status.value)
    result = client.sandbox.execute(sandbox.id, ["sh", "-c", "echo out; echo err >&2; exit 3"])
    print(result.exit_code, repr(result.stdout), repr(result.stderr))
    content = bytes(range(256)) * 4096
    client.sandbox.upload_file(sandbox.id, folder + "/bytes", content)
    print(client.sandbox.download_file(sandbox.id, folder + "/bytes") == content)
    print(client.sandbox.get_logs(sandbox.id).events)
    client.sandbox.delete(sandbox.id)
    try:
        client.import_export.import_templates(open("wide.yaml").read())
    except APIError as error:
        print(error)
for token in "lbxk_0123", "of another kind", None:
    try:
        Client(url, auth_token=token).sandbox.list()
    except UnauthorizedError as error:
        print("refused", error)
`;

asUsersHave("the Python SDK: templates, a sandbox, its commands, files and logs, and refusals", async () => {
  fileIn(home, "sdk.yaml", template.replaceAll("py,", "sdk,"));
  fileIn(home, "wide.yaml", template.replace("ttl: 3600", "persistence: { enabled: true }"));
  const words = ["python3", fileIn(home, "sdk.py", script), `${home.url}/api/v1`, home.cluster.workspace];
  const { code, out } = await run(words, { LITEBOXD_TOKEN: home.key, PYTHONPATH: pythonPath });
  const [listed, status, ended, same, events, persistent, ...refused] = out.trimEnd().split("\n");
  expect([code, listed, status, ended, same]).toEqual([0, "['sdk']", "running", String.raw`3 'out\n' 'err\n'`, "True"]);
  expect([events, persistent]).toEqual([
    expect.stringContaining("Started"),
    expect.stringContaining("Persistent sandboxes do not work here"),
  ]);
  const none: unknown = expect.stringMatching(/^refused \[401\]/);
  expect(refused).toEqual([expect.stringContaining("invalid or expired API key"), none, none]);
  expect(readFileSync(join(home.cluster.workspace, "bytes")).length).toBe(256 * 4096);
});
