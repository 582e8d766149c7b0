import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { type Acme, startAcme, stopAcme } from "./acme/pebble";
import { cacheDir } from "./cache";
import { folderOf, projectRoot } from "./folder";
import { ensureDocker } from "./host/docker";
import { type SandboxHost, type SshKeyPair, startHost, stopHost } from "./host/host";
import { newKeyPair } from "./host/keys";
import { type Output, type RunOptions, type Say, run } from "./host/run";
import { type ImageName, defaultImages, imageNames } from "../components/images";
import { provideImages } from "./images/images";
import { startRegistry, stopRegistry } from "./images/registry";
import { bundleGateway } from "./stand-ins/authelia/bundle";
import { bundleTerminal } from "./stand-ins/ttyd/bundle";
import { type PreparedPulumi, preparePulumi } from "./toolchain";

export { projectRoot } from "./folder";

const registryPort = 5000;

/** The images by tag alone: one made here cannot have the official digest. */
const tagged = Object.fromEntries(imageNames.map((name) => [name, defaultImages[name].replace(/@.*/, "")])) as Record<
  ImageName,
  string
>;

/** A throw-away host with everything around it, and the real program on it. */
export interface Sandbox {
  readonly name: string;
  readonly host: SandboxHost;
  readonly acme: Acme;
  /** Where state, keys and the stack's configuration are. */
  readonly folder: string;
  readonly domain: string;
  readonly stackFile: string;
  /** Login key of the host. */
  readonly loginKey: SshKeyPair;
  readonly hostKey: SshKeyPair;
  readonly engine: PreparedPulumi;
  /** Environment of the CLI: local state backend, passphrase, plugins. */
  readonly env: Record<string, string>;
  /** Runs the Pulumi CLI in the project, non-interactive. */
  pulumi(args: readonly string[], options?: RunOptions): Promise<Output>;
  /** Sets plain configuration; undefined removes a key. */
  configure(values: Readonly<Record<string, unknown>>): void;
}

/** Brings up host, registry and ACME authority, and a stack that points to them; finds what runs already. */
export async function openSandbox(name: string, say: Say): Promise<Sandbox> {
  if (process.platform !== "linux")
    throw new Error(
      "The sandbox runs containers with systemd inside and needs Linux; on other systems use a Linux VM.",
    );
  const folder = folderOf(name);
  mkdirSync(join(folder, "state"), { recursive: true, mode: 0o700 });
  mkdirSync(cacheDir, { recursive: true });
  const loginKey = keyPair(join(folder, "login-key.json"));
  const hostKey = keyPair(join(folder, "host-key.json"));

  const [engine] = await Promise.all([preparePulumi({ cacheDir, say }), ensureDocker(say)]);
  const host = await startHost({ name, cacheDir, authorizedKey: loginKey.publicKey, hostKeyPair: hostKey, say });
  const common = { name, bindAddress: host.gateway, cacheDir, say };
  const registry = await startRegistry({ ...common, port: registryPort });
  const gatewayBundle = join(folder, "authelia.cjs");
  const terminalBundle = join(folder, "ttyd");
  await Promise.all([bundleGateway(gatewayBundle), bundleTerminal(terminalBundle)]);
  const { origin } = await provideImages({
    registryUrl: registry.url,
    images: tagged,
    cacheDir,
    gatewayBundle,
    terminalBundle,
    say,
  });
  const acme = await startAcme({ ...common, resolveTo: host.address });

  const passphrase = once(join(folder, "passphrase"), () => randomBytes(24).toString("base64url"));
  const stackFile = join(folder, "Pulumi.sandbox.yaml");
  const env = {
    ...engine.env,
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: passphrase,
  };
  const pulumi = async (args: readonly string[], options: RunOptions = {}) => {
    // What only looks at the stack runs beside its file; Pulumi would write into the committed one otherwise.
    const place =
      args[0] === "stack"
        ? ["--cwd", folder]
        : ["--cwd", projectRoot, "--stack", "sandbox", "--config-file", stackFile];
    return run(engine.pulumi, [...args, "--non-interactive", ...place], {
      ...options,
      env: { ...env, ...options.env },
    });
  };
  const configure = (values: Readonly<Record<string, unknown>>) => {
    writeConfig(stackFile, values);
  };
  const sandbox: Sandbox = {
    ...{ name, host, acme, folder, stackFile, loginKey, hostKey, engine, env, pulumi, configure },
    domain: `${host.address.replaceAll(".", "-")}.sslip.io`,
  };
  if (!existsSync(stackFile)) {
    for (const file of ["Pulumi.yaml", "Pulumi.sandbox.yaml"])
      copyFileSync(join(projectRoot, file), join(folder, file));
    await pulumi(["stack", "select", "--create", "sandbox"]);
    configure({
      hostAddress: host.address,
      hostKey: hostKey.publicKey.split(" ").slice(0, 2).join(" "),
      acmeDirectories: [acme.directoryUrl],
      acmeTrustedRoot: acme.caPem,
      ...(origin === "stand-in" && { registryMirrors: [registry.url], images: tagged }),
    });
    await pulumi(["config", "set", "--secret", "hostPrivateKey"], { input: loginKey.privateKey });
  }
  return sandbox;
}

/** Removes all that {@link openSandbox} made, but for the cache. */
export async function removeSandbox(name: string): Promise<void> {
  await stopAcme(name);
  await stopRegistry(name);
  await stopHost(name);
  rmSync(folderOf(name), { recursive: true, force: true });
}

function keyPair(file: string): SshKeyPair {
  return JSON.parse(once(file, () => JSON.stringify(newKeyPair()))) as SshKeyPair;
}

/** Content of a private file that is made at first use. */
function once(file: string, make: () => string): string {
  if (!existsSync(file)) writeFileSync(file, make(), { mode: 0o600 });
  return readFileSync(file, "utf8");
}

function writeConfig(stackFile: string, values: Readonly<Record<string, unknown>>): void {
  const stack = parse(readFileSync(stackFile, "utf8")) as { config: Record<string, unknown> };
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) Reflect.deleteProperty(stack.config, `cloudcode:${key}`);
    else stack.config[`cloudcode:${key}`] = value;
  }
  writeFileSync(stackFile, stringify(stack), { mode: 0o600 });
}
