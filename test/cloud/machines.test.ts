import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machinesOf } from "../../sandbox/cloud/machines";
import { containerOf } from "../../sandbox/cloud/names";
import { newKeyPair } from "../../sandbox/host/keys";
import { run, until } from "../../cli/run";
import { removeSandbox } from "../../sandbox/sandbox";
import type { Output } from "../../cli/run";
import { say } from "../../cli/say";
import type { Machines } from "@cloudcode/alicloud-emulator/machine";

jest.setTimeout(5 * 60_000);

const name = process.env["CLOUDCODE_SANDBOX"] ?? "test-machines";
const login = newKeyPair();
const hostKey = newKeyPair();
const folder = mkdtempSync(join(tmpdir(), "machines-"));
let machines: Machines;
let address = "";

/** As a program gives it to an instance that shall prove who it is from the first connection on. */
const userData = `#cloud-config
ssh_deletekeys: true
ssh_keys:
  ed25519_private: |
${hostKey.privateKey.trimEnd().replace(/^/gm, "    ")}
  ed25519_public: ${hostKey.publicKey}
`;

const request = (id: string) => ({
  id,
  hostName: `host-${id}`,
  userData,
  publicKeys: [login.publicKey],
  imageId: "any",
  memoryMiB: 1024,
});

/** Logs in as root at the public address, which must show the host key, and runs a script there. */
function ssh(script: string): Promise<Output> {
  const keyFile = join(folder, "key");
  const known = join(folder, "known_hosts");
  writeFileSync(keyFile, login.privateKey, { mode: 0o600 });
  writeFileSync(known, `${address} ${hostKey.publicKey}\n`);
  const options = ["BatchMode=yes", "StrictHostKeyChecking=yes", `UserKnownHostsFile=${known}`, "ConnectTimeout=2"];
  return run("ssh", ["-i", keyFile, ...options.flatMap((one) => ["-o", one]), `root@${address}`, "sh -eu"], {
    input: script,
    timeoutMs: 120_000,
  });
}

const read = async (script: string) => (await ssh(script)).stdout.trim();

/** Until the machine has booted and lets us in. */
async function reachable(): Promise<void> {
  let words = "";
  const attempt = () =>
    ssh("true").then(
      () => true,
      (error: unknown) => {
        words = String(error);
        return undefined;
      },
    );
  await until(60, attempt, () => Promise.resolve(words));
}

async function loopDevices(): Promise<string> {
  return (await run("losetup", ["--all"])).stdout
    .split("\n")
    .filter((line) => line.includes(`/${name}/`))
    .join("\n");
}

beforeAll(async () => {
  await removeSandbox(name, say);
  machines = machinesOf(name, say);
});

afterAll(async () => {
  await removeSandbox(name, say);
  rmSync(folder, { recursive: true });
});

test("a machine boots with its user data and answers at a public address", async () => {
  address = await machines.allocateAddress();
  const { privateAddress } = await machines.create(request("i-one"));
  expect(privateAddress).not.toBe(address);
  await machines.bindAddress(address, "i-one");
  await reachable();
  // cloud-init has nothing to complain about: 0 is neither an error nor "degraded".
  expect(await read("cloud-init status --wait >/dev/null; echo $?; hostname; cloud-init query instance_id")).toBe(
    "0\nhost-i-one\ni-one",
  );
  expect(await read("ls /etc/ssh/ssh_host_*_key; systemctl --failed --no-legend")).toBe(
    "/etc/ssh/ssh_host_ed25519_key",
  );
  await ssh("apt-get -qq update");
});

test("no other address than the stack's next one is given", async () => {
  const second = await machines.allocateAddress();
  expect(second).toBe(address.replace(/\d+$/, (last) => String(Number(last) + 1)));
  await machines.releaseAddress(second);
  expect(await machines.allocateAddress()).toBe(second);
  await machines.releaseAddress(second);
});

test("a data disk shows by its serial number, and Docker uses its file system", async () => {
  await machines.createDisk("d-data", 8);
  expect(await machines.attachDisk("d-data", "i-one")).toEqual({ device: "/dev/vdb" });
  await ssh(`disk=/dev/disk/by-id/virtio-data
mkfs.ext4 -q $disk
echo "UUID=$(blkid -s UUID -o value $disk) /var/lib/docker ext4 defaults,nofail 0 2" >>/etc/fstab
mkdir -p /var/lib/docker && mount /var/lib/docker && echo kept >/var/lib/docker/note
systemctl daemon-reload
DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends docker.io docker-cli >/dev/null`);
  expect(await read("docker info --format '{{.Driver}}'")).toBe("overlay2");
});

test("a stop and a start bring back mounts, Docker and the public address; cloud-init does not begin again", async () => {
  await ssh("echo changed >/etc/hostname-note && rm /etc/ssh/ssh_host_ed25519_key.pub");
  await machines.stop("i-one", false);
  await expect(ssh("true")).rejects.toThrow();
  await machines.start("i-one");
  await reachable();
  expect(await read("cat /var/lib/docker/note; findmnt -no SOURCE /var/lib/docker")).toBe("kept\n/dev/vdb");
  expect(await read("docker info --format '{{.Driver}}'; systemctl --failed --no-legend; ls /etc/ssh")).not.toContain(
    "ssh_host_ed25519_key.pub",
  );
  expect(await read("cat /etc/hostname-note; ls -l /dev/disk/by-id/")).toContain("virtio-data -> /dev/vdb");
});

test("a power cut ends a machine, too", async () => {
  await machines.stop("i-one", true);
  await machines.start("i-one");
  await reachable();
  expect(await read("cat /var/lib/docker/note")).toBe("kept");
});

test("a disk grows while it is in use", async () => {
  await machines.resizeDisk("d-data", 9);
  // Growing the mounted file system needs CAP_SYS_RESOURCE, which some outer machines do not have.
  expect(await read("blockdev --getsize64 /dev/vdb")).toBe(String(9 * 2 ** 30));
});

test("a snapshot holds what was written before it", async () => {
  await ssh("echo unsynced >/var/lib/docker/late");
  await machines.createSnapshot("s-one", "d-data");
  await ssh("rm /var/lib/docker/late");
});

test("disk and public address move to another machine at once", async () => {
  await machines.create(request("i-two"));
  await machines.stop("i-one", false);
  await machines.detachDisk("d-data", "i-one");
  await machines.attachDisk("d-data", "i-two");
  await machines.unbindAddress(address, "i-one");
  await machines.bindAddress(address, "i-two");
  await reachable();
  expect(
    await read("hostname; mount /dev/disk/by-id/virtio-data /mnt; cat /mnt/note; ls /mnt/late 2>&1 || true"),
  ).toMatch(/^host-i-two\nkept\nls: cannot access/);
  await machines.remove("i-one");
});

test("a disk from a snapshot has what was there then", async () => {
  await machines.createDisk("d-restored", 10, "s-one");
  expect(await machines.attachDisk("d-restored", "i-two")).toEqual({ device: "/dev/vdc" });
  expect(await read("mkdir /old; mount /dev/disk/by-id/virtio-restored /old; cat /old/late")).toBe("unsynced");
});

test("a disk that is mounted can be taken away", async () => {
  await machines.detachDisk("d-restored", "i-two");
  expect(await read("ls /dev/disk/by-id; ls /dev/vdc 2>&1 || true; ls /old")).toBe(
    "virtio-data\nls: cannot access '/dev/vdc': No such file or directory",
  );
  await machines.removeDisk("d-restored");
  await machines.removeSnapshot("s-one");
});

test("a disk that is in use is cut off: what was on it by then is what the next machine finds", async () => {
  await machines.createDisk("d-busy", 1);
  await machines.attachDisk("d-busy", "i-two");
  // The writer has a mount of its own, as containers have, so that no unmounting takes the file system from it.
  await ssh(`disk=/dev/disk/by-id/virtio-busy
mkfs.ext4 -q $disk && mkdir /busy && mount $disk /busy && echo synced >/busy/note && sync
nohup unshare -m sh -c 'while sleep 0.1; do date >>/busy/log; done' >/dev/null 2>&1 &`);
  await until(
    20,
    async () => ((await read("ls /busy")).includes("log") ? true : undefined),
    () => Promise.resolve("nothing was written"),
  );
  await machines.detachDisk("d-busy", "i-two");
  await machines.attachDisk("d-busy", "i-two");
  expect(await read("mkdir /again; mount /dev/disk/by-id/virtio-busy /again; cat /again/note")).toBe("synced");
  const log = () => read("cat /again/log 2>/dev/null | wc -c");
  const before = await log();
  await ssh("sleep 1");
  expect(await log()).toBe(before);
  await machines.detachDisk("d-busy", "i-two");
  await machines.removeDisk("d-busy");
});

test("a new system disk has nothing of the old one, but the machine's disks and addresses", async () => {
  await ssh("touch /root/old");
  await machines.stop("i-two", true);
  await machines.reimage("i-two");
  await machines.start("i-two");
  await reachable();
  expect(await read("ls /root; ls /dev/disk/by-id")).toBe("virtio-data");
});

test("a reboot from inside comes back", async () => {
  await ssh(
    "touch /run/before; systemd-run --on-active=1 --timer-property=AccuracySec=100ms systemctl reboot 2>/dev/null",
  );
  const gone = async () => ((await read("ls /run/before 2>/dev/null || echo gone")) === "gone" ? true : undefined);
  await until(
    60,
    () => gone().catch(() => undefined),
    () => Promise.resolve("the machine did not boot again"),
  );
});

test("nothing is left after removal", async () => {
  await removeSandbox(name, say);
  expect(await loopDevices()).toBe("");
  const { stdout } = await run("docker", ["ps", "--all", "--format", "{{.Names}}"]);
  expect(stdout).not.toContain(containerOf(name, "i-"));
  expect((await run("docker", ["network", "ls", "--format", "{{.Name}}"])).stdout).not.toContain(`cloudcode-${name}`);
});
