// `npm run ops -- move` with the system's ssh, and the real scripts of two hosts on a docker and a Pulumi CLI that only play.
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { move } from "../../ops/commands/move";
import { OpsError } from "../../ops/stack";
import { HomeHost } from "../support/home-host";

jest.mock("../../ops/status/outside", () => ({ visit: () => Promise.resolve({ status: 200, headers: {} }) }));
jest.setTimeout(120_000);

const stacks = ["auth", "edge", "tg-signer", "casecheck"];
const config = (more: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries({
      target: "existing",
      hostAddress: "192.0.2.1",
      hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP6EyXTbGNhwwWaLlb18EZWpMGcMx2ioZ3wmeVQ3q9aB",
      domain: "home.example.com",
      backupRepository: "s3:https://example.com/bkt",
      backupAccessKeyId: "LTAI5t0a1b2c3d4e5f6g7h8",
      ...more,
    }).map(([key, value]) => [`cloudcode:${key}`, { value }] as const),
  );

let folder: string;
let former: HomeHost;
let next: HomeHost;
let said: string[];
const path = process.env["PATH"];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "move-command-"));
  [former, next] = [
    new HomeHost("former", join(folder, "store"), stacks),
    new HomeHost("next", join(folder, "store"), stacks),
  ];
  await Promise.all([former.start(), next.start()]);
  former.runAll();
  next.standBy();
  for (const stack of stacks) former.data(stack, `of ${stack}\n`);
  said = [];
  cli({});
  process.env["PATH"] = [folder, path].join(delimiter);
});
afterEach(async () => {
  process.env["PATH"] = path;
  await Promise.all([former.stop(), next.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** A Pulumi CLI that prints both stacks, and notes what it is to change; then it runs this. */
function cli(settings: Readonly<Record<string, string>>, onUp = ""): void {
  const outputsOf = (host: HomeHost) => ({
    url: "https://home.example.com",
    urls: {},
    backupPassword: "of the backups",
    operations: {
      connection: host.connection,
      awake: true,
      domain: "home.example.com",
      publicAddress: "127.0.0.1",
      operator: "admin",
      stacks,
      onlyOnce: ["tg-signer"],
      sites: [],
    },
  });
  const secret = { backupSecretAccessKey: "secret-of-the-store", hostPrivateKey: former.connection.privateKey };
  const sealed = Object.fromEntries(
    Object.entries(secret).map(([key, value]) => [`cloudcode:${key}`, { value, secret: true }] as const),
  );
  const known = {
    former: { outputs: outputsOf(former), config: { ...config({}), ...sealed } },
    next: { outputs: outputsOf(next), config: { ...config({ hostAddress: "192.0.2.2", ...settings }), ...sealed } },
  };
  const file = join(folder, "pulumi");
  writeFileSync(
    file,
    `#!${process.execPath}
const [known, args] = [${JSON.stringify(known)}, process.argv.slice(2)];
const stack = args[args.indexOf("--stack") + 1];
const words = args.slice(0, args.findIndex((one) => one.startsWith("--"))).join(" ");
if (words === "stack output") console.log(JSON.stringify(known[stack].outputs));
else if (words === "stack export") console.log(JSON.stringify({ deployment: {} }));
else if (words === "config") console.log(JSON.stringify(known[stack].config));
else {
  require("node:fs").appendFileSync(${JSON.stringify(join(folder, "changes"))}, words + " " + stack + "\\n");
  if (words === "up") require("node:child_process").execFileSync("sh", ["-c", ${JSON.stringify(onUp)}], { env: { ...process.env, STACK: stack } });
}
`,
  );
  chmodSync(file, 0o755);
}

const run = (back = false) => move({ stack: "former" }, { to: "next", back }, (line) => said.push(line));
const changes = () => readFileSync(join(folder, "changes"), "utf8").trim().split("\n");
const isWhole = (host: HomeHost) => {
  expect(host.running).toEqual([...stacks].sort());
  for (const stack of stacks) expect(host.data(stack)).toBe(`of ${stack}\n`);
};

test("a home moves: what ran here runs there with its data, and nothing runs here but the edge, which says so", async () => {
  const { text } = await run();
  isWhole(next);
  // Nothing listens at the other address in this test, so that nothing is passed on.
  expect(former.running).toEqual(["edge"]);
  expect(former.has("stacks/edge/page/moving")).toBe(true);
  expect(text).toContain("https://home.example.com is served by the host of next");
  expect(text).toContain("answers 503");
  expect(said.join("\n")).toContain("this host does not reach port 443 of 127.0.0.1");
  expect(changes()).toEqual([
    "config set standby true next",
    "up next",
    "config rm standby next",
    "up next",
    "config set standby true former",
    "up former",
  ]);
  expect(former.has("stacks/.move")).toBe(false);
  // The last backups: of each App once more than the full ones, and none of the edge.
  expect(said.filter((line) => line.includes(": yield ")).map((line) => line.split(" ").at(-1))).toEqual([
    "auth",
    "casecheck",
    "tg-signer",
  ]);
  await expect(run()).rejects.toThrow("- auth does not run on the host of former: its data went to another stack");
});

test("an App that does not become healthy there brings all back, and says where it was", async () => {
  next.write("docker/sick/tg-signer", "");
  await expect(run()).rejects.toThrow(
    /^bringing the last changes over failed: cloudcode: tg-signer did not become healthy[^]*The former host serves again, and nothing was moved\.$/,
  );
  isWhole(former);
  expect(next.running).toEqual([]);
  expect([former.has("stacks/edge/page/moving"), former.has("stacks/.move")]).toEqual([false, false]);
  rmSync(join(next.folder, "docker/sick"), { recursive: true });
  await run();
  isWhole(next);
});

test("everything that is in the way is said at once, and nothing is begun", async () => {
  cli({ domain: "else.example.com", timeZone: "Asia/Tokyo" });
  former.write("stacks/casecheck/stopped/all", "by a person\n");
  const failure = await run().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(OpsError);
  expect(String(failure)).toMatch(
    /the move cannot begin:\n- domain: "home.example.com" and "else.example.com"[^\n]*\n- timeZone: "UTC" and "Asia\/Tokyo"[^\n]*\n- casecheck is stopped: npm run ops -- start casecheck --stack former$/,
  );
  isWhole(former);
  expect([former.has("stacks/.move"), former.has("docker/store")]).toEqual([false, false]);
});

test("of two runs at once one goes on, and the other touches nothing more", async () => {
  cli({}, `[ "$STACK" != next ] || printf '1\\tnext\\tmade\\n' >>${former.folder}/stacks/.move`);
  await expect(run()).rejects.toThrow("another run of this move is at work");
  isWhole(former);
  expect(said.some((line) => line.includes(": yield "))).toBe(false);
  appendFileSync(join(folder, "changes"), "");
  cli({});
  await expect(run(true)).resolves.toMatchObject({
    data: { message: "The host of former serves again, and nothing was moved." },
  });
  isWhole(former);
  expect(next.running).toEqual([]);
});

test("another way is refused while one is not finished", async () => {
  former.write("stacks/.move", "1\telsewhere\tcopied\n");
  await expect(run()).rejects.toThrow(
    "a move to elsewhere is not finished: npm run ops -- move --to elsewhere goes on",
  );
  isWhole(former);
});
