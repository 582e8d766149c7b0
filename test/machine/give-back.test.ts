import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { cacheDir } from "../../cli/cache";
import { run } from "../../cli/run";
import { say } from "../../cli/say";
import { ensureDocker } from "../../sandbox/host/docker";
import { isolation } from "../../sandbox/host/isolation";
import { hostImage } from "../../sandbox/host/recipe";

// `npm run sandbox` on a machine without Docker: what it starts and changes there, and what `destroy` gives back. The machine is a
// container without systemd, where dockerd is started by hand.
jest.setTimeout(15 * 60_000);

const name = "cloudcode-give-back";
const inside = (script: string) =>
  run("docker", ["exec", name, "sh", "-euc", script]).then(({ stdout }) => stdout.trim());

/** What a Docker that is started changes, in the words of the machine's own tools. */
const state = () =>
  inside(`for tool in iptables ip6tables; do $tool-save | grep -v '^#' | sed 's/ \\[[0-9:]*\\]//'; done
    cat /proc/sys/net/ipv4/ip_forward; ls /sys/class/net; update-alternatives --query iptables | grep ^Value
    pgrep -cx --runstates DRSI dockerd || true`);

beforeAll(async () => {
  await ensureDocker(say);
  await remove();
  const image = await hostImage({ cacheDir, say });
  const options = [
    "--detach",
    "--init",
    "--name",
    name,
    "--volume",
    `${name}:/var/lib/docker`,
    "--entrypoint",
    "sleep",
  ];
  await run("docker", ["run", ...options, ...(await isolation(image)), image, "infinity"]);
  const folder = mkdtempSync(join(tmpdir(), "give-back-"));
  try {
    const entry = join(folder, "entry.ts");
    const of = (file: string) => JSON.stringify(join(__dirname, "../../sandbox/host", file));
    writeFileSync(
      entry,
      `import { ensureDocker } from ${of("docker")};
       import { giveBack } from ${of("machine-changes")};
       void (process.argv[2] === "start" ? ensureDocker : giveBack)(console.log);`,
    );
    const outfile = join(folder, "sandbox.js");
    await build({ entryPoints: [entry], bundle: true, platform: "node", outfile, logLevel: "silent" });
    await run("docker", ["cp", outfile, `${name}:/sandbox.js`]);
  } finally {
    rmSync(folder, { recursive: true });
  }
  // The control groups are mounted read-only without --privileged.
  await inside(`grep -E '^[^ ]+ /sys/fs/cgroup' /proc/mounts | cut -d' ' -f2 | while read -r tree; do mount -o remount,bind,rw "$tree"; done
    apt-get update -qq && apt-get install -qq -y --no-install-recommends nodejs >/dev/null`);
});

afterAll(() => remove());

async function remove(): Promise<void> {
  await run("docker", ["rm", "--force", name]);
  await run("docker", ["volume", "rm", "--force", name]);
}

test("a Docker that a sandbox started is ended, and the packet filter is as it was; others' rules stay", async () => {
  await inside(
    "iptables -A INPUT -p tcp --dport 9999 -j ACCEPT; iptables -t nat -A POSTROUTING -s 10.9.0.0/16 -j MASQUERADE",
  );
  const before = await state();
  await inside("node /sandbox.js start; docker network create one; iptables -A INPUT -p tcp --dport 8888 -j ACCEPT");
  const during = await state();
  expect(during).toContain("DOCKER");
  expect(during).toContain("docker0");
  await inside("docker network rm one");
  const said = await inside("node /sandbox.js back");
  expect(said).toMatch(/Still installed, only for the sandbox: .*docker\.io/);
  await inside("iptables -D INPUT -p tcp --dport 8888 -j ACCEPT");
  expect(await state()).toBe(before);
});

test("with somebody's container in it, it runs on, until that is gone", async () => {
  const before = await state();
  await inside(
    "node /sandbox.js start; tar -C /bin -c true | docker import - tiny; docker create --name theirs tiny /true",
  );
  expect(await inside("node /sandbox.js back")).toContain("keeps running: it has 1 containers");
  expect(await state()).toContain("docker0");
  await inside("docker rm theirs; node /sandbox.js back");
  expect(await state()).toBe(before);
});
