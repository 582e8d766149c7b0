import { succeeds } from "../../cli/run";

/**
 * The `docker create` options under which systemd and a second Docker run inside a container made from `image`.
 * `--privileged` is the plain way; where this machine itself lacks a capability that it asks for (CAP_SYS_RESOURCE in
 * some CI machines), the same is given piece by piece without that one.
 */
export async function isolation(image: string): Promise<string[]> {
  const privileged = await succeeds("docker", [
    "run",
    "--rm",
    "--privileged",
    "--network",
    "none",
    "--entrypoint",
    "true",
    image,
  ]);
  // A control group tree of its own keeps all that runs inside within the host's memory limit, and goes with the host.
  return ["--cgroupns", "private", ...(privileged ? ["--privileged"] : PIECE_BY_PIECE)];
}

const PIECE_BY_PIECE = [
  "--cap-add",
  "ALL",
  "--cap-drop",
  "SYS_RESOURCE",
  "--device-cgroup-rule",
  "a *:* rwm",
  ...["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"].flatMap((option) => [
    "--security-opt",
    option,
  ]),
];
