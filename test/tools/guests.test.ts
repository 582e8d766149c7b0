// Guests of a preview: the host's own program, and the rendered Caddy that lets them in.
import { execFile } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { listen } from "@cloudcode/offline-kit/toolchain/ports";
import { guestTable, guestsIn } from "../../ops/commands/share";
import { startLocalhost } from "../support/localhost";
import { RenderedCaddy } from "../support/rendered-caddy";
import { siteOf } from "../support/routes";

const run = promisify(execFile);
const domain = "home.example.com";
const route = siteOf({
  subdomain: "3000-app",
  upstream: "app-web:1080",
  localPort: 3000,
});

let folder: string;
let caddy: RenderedCaddy;
let dev: Server;
let gate: Server;
let localhost: Awaited<ReturnType<typeof startLocalhost>>;

beforeAll(async () => {
  dev = createServer((_request, answer) => answer.end("dev"));
  gate = createServer((_request, answer) => answer.writeHead(302, { location: "/" }).end());
  localhost = await startLocalhost();
  const ports: Readonly<Record<string, number>> = {
    "localhost:3000": await listen(dev),
    "app-web:1080": localhost.port,
    "auth-portal:9091": await listen(gate),
  };
  caddy = await RenderedCaddy.start({
    domain,
    routes: [route],
    portOf: (upstream) => Promise.resolve(ports[upstream] ?? 1),
  });
  folder = mkdtempSync(join(tmpdir(), "guests-"));
  mkdirSync(join(folder, "bin"));
  copyFileSync(join(__dirname, "../../stack-templates/host/cloudcode-guest"), join(folder, "bin/cloudcode-guest"));
  // A container that is this machine; what systemd and cloudcode-host are asked for is written down.
  const programs = {
    docker: `shift 3; XDG_CONFIG_HOME=${join(caddy.guests, "..")} exec "$@"`,
    "systemd-run": "exit ${FAILS:-0}",
    systemctl: "",
    "cloudcode-host": `echo "by $CLOUDCODE_OPERATOR" >>${folder}/calls`,
  };
  for (const [name, script] of Object.entries(programs))
    writeFileSync(join(folder, "bin", name), `#!/bin/sh\necho "${name} $*" >>${folder}/calls\n${script}\n`);
  for (const name of readdirSync(join(folder, "bin"))) chmodSync(join(folder, "bin", name), 0o755);
});
afterAll(() => {
  caddy.stop();
  localhost.stop();
  for (const server of [dev, gate]) server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  writeFileSync(join(folder, "calls"), "");
});

const calls = () => readFileSync(join(folder, "calls"), "utf8");
const keys = () => readdirSync(caddy.guests, { recursive: true, encoding: "utf8" }).filter((one) => one.includes("/"));

async function guest(words: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<string> {
  const env = { PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`, CLOUDCODE_ROOT: folder, ...more };
  return (await run(join(folder, "bin/cloudcode-guest"), words, { env })).stdout.trim();
}

async function status(path: string, cookie: string): Promise<number> {
  const host = `${route.subdomain}.${domain}`;
  const { stdout } = await run("curl", [
    "-s",
    "-o",
    "/dev/null",
    "-w",
    "%{http_code}",
    "-H",
    `Host: ${host}`,
    "-H",
    `Cookie: ${cookie}`,
    `http://127.0.0.1:${caddy.port}${path}`,
  ]);
  return Number(stdout);
}

test("one who is let in comes in at once, is listed, and ends for good", async () => {
  const from = Math.floor(Date.now() / 1000);
  const key = await guest(["add", "3000", "3600"]);
  const other = await guest(["add", "3000", "7200"]);
  expect(key).toMatch(/^[0-9a-f]{64}-\d{10}$/);
  const end = Number(key.slice(65));
  expect(end - from).toBeGreaterThanOrEqual(3600);
  expect(end - from).toBeLessThan(3620);
  expect([await status(`/.guest/${key}`, ""), await status("/", `__Host-guest=${key}`)]).toEqual([303, 200]);
  // Its timer, and no key where other users of the machine see it.
  const id = key.slice(0, 8);
  expect(calls()).toContain(
    `systemd-run --quiet --collect --unit cloudcode-guest-${id} --on-calendar @${end} --timer-property AccuracySec=1s ${folder}/bin/cloudcode-guest end ${id}\n`,
  );
  expect(calls()).not.toContain(key.slice(0, 16));
  const guests = guestsIn(await guest(["list"]));
  expect(guests).toEqual([
    { id, port: 3000, end },
    { id: other.slice(0, 8), port: 3000, end: Number(other.slice(65)) },
  ]);
  expect(guestTable(guests)).toMatch(new RegExp(`^${id}  port 3000  until \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC\n`));

  await guest(["end", id]);
  expect(calls()).toContain(`systemctl stop cloudcode-guest-${id}.timer\ncloudcode-host disconnect edge\nby timer\n`);
  expect([await status(`/.guest/${key}`, ""), await status("/", `__Host-guest=${key}`)]).toEqual([410, 410]);
  expect(await status("/", `__Host-guest=${other}`)).toBe(200);
  await guest(["end", other.slice(0, 8)]);
  expect(await guest(["list"])).toBe("");
});

test("one without a timer is not let in", async () => {
  await expect(guest(["add", "3000", "3600"], { FAILS: "1" })).rejects.toThrow("Command failed");
  expect(keys()).toEqual([]);
});

test("one whose time has passed while the machine was off is listed no more, and forgotten", async () => {
  const key = await guest(["add", "3000", "1"]);
  while (Date.now() / 1000 < Number(key.slice(65))) await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await status("/", `__Host-guest=${key}`)).toBe(410);
  expect(keys()).toHaveLength(1);
  expect(await guest(["list"])).toBe("");
  expect(keys()).toEqual([]);
});
