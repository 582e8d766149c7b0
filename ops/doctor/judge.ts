import { type Check, none, ok, red } from "../status/check";

/** The oldest CLI that the SDK of package.json is made for. */
const oldestCli = [3, 200] as const;
const oldestNode = 20;

/** What a program printed, or that it could not do it. */
export type Answer = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly fault: string };

export function judgeNode(version: string): Check {
  const major = Number(/^v(\d+)\./.exec(version)?.[1] ?? 0);
  return major >= oldestNode
    ? ok("node", version)
    : red("node", version, `install Node ${oldestNode} or newer: https://nodejs.org`);
}

export function judgeCli(answer: Answer): Check {
  if (!answer.ok) return red("pulumi", answer.fault, "install the Pulumi CLI: https://www.pulumi.com/docs/install/");
  const [, major = 0, minor = 0] = /v?(\d+)\.(\d+)\./.exec(answer.text)?.map(Number) ?? [];
  const fits = major > oldestCli[0] || (major === oldestCli[0] && minor >= oldestCli[1]);
  return fits
    ? ok("pulumi", answer.text.trim())
    : red(
        "pulumi",
        answer.text.trim(),
        `update it to v${oldestCli.join(".")} or newer: https://www.pulumi.com/docs/install/`,
      );
}

/** @param answer of `pulumi whoami --verbose --json` */
export function judgeBackend(answer: Answer): Check {
  if (!answer.ok)
    return red(
      "backend",
      answer.fault,
      "pulumi login --local stores the state in a file, pulumi login in Pulumi Cloud, pulumi login 's3://…' in a bucket: docs/state-and-ci.md",
    );
  const { url } = JSON.parse(answer.text) as { url: string };
  if (url.startsWith("file://")) return ok("backend", `${url}: a file that only this computer has; back it up`);
  if (url.startsWith("s3://")) return ok("backend", `${url}: a bucket; keep versioning on`);
  return ok("backend", url);
}

/** @param answer of `pulumi stack --show-name` */
export function judgeStack(answer: Answer): Check {
  if (answer.ok) return ok("stack", answer.text.trim());
  return red("stack", answer.fault, "pulumi stack select NAME, or --stack NAME; pulumi stack init NAME creates one");
}

/**
 * @param answer of `pulumi config --show-secrets`, which decrypts everything
 * @param file text of Pulumi.STACK.yaml; undefined where there is none
 */
export function judgeSecrets(answer: Answer, file: string | undefined): Check {
  const provider = /^secretsprovider: *(\S+)/m.exec(file ?? "")?.[1];
  const kind = provider ?? (file?.includes("encryptionsalt:") === true ? "passphrase" : "the backend's own");
  if (answer.ok) return ok("secrets", `${kind}: the configuration can be decrypted`);
  const fix =
    provider !== undefined && provider !== "passphrase"
      ? `the key ${provider} must be reachable with the credentials of this shell`
      : "set PULUMI_CONFIG_PASSPHRASE_FILE to a file with the passphrase of this stack; without the passphrase its secrets are lost";
  return red("secrets", answer.fault, fix);
}

/** @param answer of `pulumi stack export` */
export function judgeState(answer: Answer): Check {
  if (!answer.ok)
    return red("state", answer.fault, "pulumi up creates it; pulumi cancel releases the lock of a run that was killed");
  const { deployment } = JSON.parse(answer.text) as {
    deployment: { resources?: unknown[]; pending_operations?: unknown[] | null };
  };
  const pending = deployment.pending_operations?.length ?? 0;
  if (pending > 0)
    return red(
      "state",
      `${pending} operations were interrupted`,
      "pulumi refresh --yes --clear-pending-creates, then pulumi up; until then every up warns about them",
    );
  const count = deployment.resources?.length ?? 0;
  return ok(
    "state",
    count === 0
      ? "empty: this stack was never deployed, or is destroyed"
      : `${count} resources, none of them incomplete`,
  );
}

/**
 * @param answer of `pulumi plugin ls --json`
 * @param needed version by plugin
 * @param automatic whether the CLI may fetch what is missing
 */
export function judgePlugins(answer: Answer, needed: Readonly<Record<string, string>>, automatic: boolean): Check {
  if (!answer.ok) return red("plugins", answer.fault, "run pulumi plugin ls and read its error");
  const installed = JSON.parse(answer.text) as { name: string; version?: string }[];
  const missing = Object.entries(needed).filter(
    ([name, version]) => !installed.some((one) => one.name === name && one.version === version),
  );
  const list = missing.map(([name, version]) => `${name} ${version}`).join(", ");
  if (missing.length === 0)
    return ok(
      "plugins",
      Object.entries(needed)
        .map(([name, version]) => `${name} ${version}`)
        .join(", "),
    );
  if (automatic) return none("plugins", `${list} will be downloaded by the next preview`);
  return red(
    "plugins",
    `${list} missing, and PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION is set`,
    `pulumi plugin install resource ${missing[0]?.join(" ") ?? ""}`,
  );
}

/** Variables that hold credentials of Alibaba Cloud, key id and secret, in the order the provider looks. */
const alicloudVariables = [
  ["ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
  ["ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY"],
] as const;

export function judgeCredentials(target: string, env: Readonly<Record<string, string | undefined>>): Check {
  if (target === "existing") return none("credentials", "an existing host needs none");
  const found = alicloudVariables.find(([id, secret]) => env[id] && env[secret]);
  if (found) return ok("credentials", `${found[0]} and ${found[1]} are set`);
  if (env["ALICLOUD_PROFILE"] ?? env["ALIBABA_CLOUD_PROFILE"]) return ok("credentials", "a profile is set");
  const half = alicloudVariables.flat().filter((name) => env[name]);
  return red(
    "credentials",
    half.length > 0 ? `only ${half.join(" and ")} is set` : "none are set",
    "export ALICLOUD_ACCESS_KEY=… ALICLOUD_SECRET_KEY=… of the RAM user of docs/ram-policy.json",
  );
}

export function judgeSsh(programs: Readonly<Record<string, boolean>>): Check {
  const missing = Object.entries(programs).flatMap(([name, there]) => (there ? [] : [name]));
  if (missing.length === 0) return ok("ssh", `${Object.keys(programs).join(", ")} are installed`);
  return red("ssh", `${missing.join(", ")} missing`, "install OpenSSH's client (openssh-client)");
}
