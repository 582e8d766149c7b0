import { spawnSync } from "node:child_process";

/** What the tests with real tools run next to Node: each command, and the package of Debian and Ubuntu that holds it. */
const commands: Readonly<Record<string, string>> = {
  "apt-get": "apt",
  busybox: "busybox",
  chromium: "chromium",
  curl: "curl",
  gcc: "gcc libc6-dev",
  go: "golang-go",
  ip: "iproute2",
  iptables: "iptables",
  jq: "jq",
  mawk: "mawk",
  openssl: "openssl",
  pg_ctlcluster: "postgresql",
  pip3: "python3-pip",
  python3: "python3",
  "redis-server": "redis-server",
  shellcheck: "shellcheck",
  ssh: "openssh-client",
  tar: "tar",
  tmux: "tmux",
};

/** Jest's global setup: one error that lists all that is missing, before the first test. */
export default function checkNeeds(): void {
  const missing = Object.keys(commands).filter(
    (command) => spawnSync("sh", ["-c", `command -v ${command}`]).status !== 0,
  );
  const problems = [
    ...(process.getuid?.() === 0 ? [] : ["They run as root, as the scripts on a host do."]),
    ...(missing.length === 0
      ? []
      : [
          `Missing: ${missing.join(", ")}. On Debian and Ubuntu: apt-get install ${missing.map((command) => commands[command] ?? command).join(" ")}`,
        ]),
  ];
  if (problems.length > 0)
    throw new Error(`These tests need more than Node and git (npm test needs no more).\n${problems.join("\n")}`);
}
