import { succeeds, run } from "./run";

/**
 * The `docker create` options under which systemd and a second Docker run inside a container made from `image`.
 * `--privileged` is the plain way; where this machine itself lacks a capability that it asks for (CAP_SYS_RESOURCE in
 * some CI machines), the same is given piece by piece without that one.
 */
export async function isolation(image: string): Promise<string[]> {
  const privileged = await succeeds("docker", ["run", "--rm", "--privileged", "--entrypoint", "true", image]);
  const version = (await run("docker", ["info", "--format", "{{.CgroupVersion}}"])).stdout.trim();
  return [...(privileged ? ["--privileged"] : PIECE_BY_PIECE), ...controlGroups(privileged, version)];
}

const PIECE_BY_PIECE = [
  ...["--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--device-cgroup-rule", "a *:* rwm"],
  ...["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"].flatMap((option) => ["--security-opt", option]),
];

/**
 * With version 2 a privileged container gets a control group tree of its own. Version 1 has no such thing that systemd
 * would accept, and without `--privileged` the own tree is read-only: there the host uses the outer machine's tree.
 */
function controlGroups(privileged: boolean, version: string): string[] {
  if (privileged && version === "2") return ["--cgroupns", "private"];
  return ["--cgroupns", "host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw"];
}
