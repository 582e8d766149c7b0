import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Acme, pebbleImage, startAcme, stopAcme } from "./acme/pebble";
import { cacheDir } from "../cli/cache";
import { openExisting, type ExistingGround } from "./existing";
import { openAlicloud, type AlicloudGround } from "./alicloud";
import { folderOf } from "./folder";
import { type SandboxHost, stopHost } from "./host/host";
import { removeCloud } from "./cloud/remove";
import { stopEmulator } from "./cloud/process";
import { ensureDocker } from "./host/docker";
import { officialRegistryAnswers, publishersAnswer } from "./host/official";
import type { Output, RunOptions, Say } from "../cli/run";
import { type ImageName, defaultImages, imageNames } from "../components/images";
import { type StandIns, makeImages } from "./images/images";
import { pushImages } from "./images/push";
import { registryImage, startRegistry, stopRegistry } from "./images/registry";
import { Stack, once, sandboxSource } from "./stack";
import { bundleGateway } from "@cloudcode/offline-kit/stand-ins/authelia/bundle";
import { type Program, bundleProgram } from "@cloudcode/offline-kit/stand-ins/bundle";
import { type PreparedPulumi, preparePulumi } from "@cloudcode/offline-kit/toolchain";

export { projectRoot } from "./folder";

const registryPort = 5000;

/** The images by tag alone: one made here cannot have the official digest. */
const tagged = Object.fromEntries(imageNames.map((name) => [name, defaultImages[name].replace(/@.*/, "")])) as Record<
  ImageName,
  string
>;

/** What a target gives to the rest of the sandbox. */
export interface Ground {
  readonly host: SandboxHost;
  /** Added to the environment of the CLI. */
  readonly env: Readonly<Record<string, string>>;
  /** First configuration of the stack. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Runs a command as root in the host, past SSH. */
  exec(command: readonly string[], options?: RunOptions): Promise<Output>;
}

/** Whose images, repositories and k3s the host runs: their publishers', or the replacements made here. */
export type Origin = "official" | "stand-in";

/**
 * The publishers' where all that is wanted can be had from here, unless the environment says `CLOUDCODE_STAND_INS=1`
 * (docs/testing.md).
 *
 * @param allApps whether also the parts of the Apps that are off by default are wanted
 */
export async function originOfParts(allApps: boolean): Promise<Origin> {
  if (process.env["CLOUDCODE_STAND_INS"] === "1") return "stand-in";
  return (await (allApps ? publishersAnswer() : officialRegistryAnswers())) ? "official" : "stand-in";
}

/** A throw-away host with everything around it, and the real program on it. */
export interface Sandbox extends Pick<Ground, "host" | "exec"> {
  readonly name: string;
  readonly origin: Origin;
  readonly acme: Acme;
  /** Where state, keys and the stack's configuration are. */
  readonly folder: string;
  readonly domain: string;
  readonly stack: string;
  readonly stackFile: string;
  readonly engine: PreparedPulumi;
  /** Environment of the CLI: local state backend, passphrase, plugins. */
  readonly env: Record<string, string>;
  /** Runs the Pulumi CLI in the project, non-interactive. */
  pulumi(args: readonly string[], options?: RunOptions): Promise<Output>;
  /** Sets plain configuration; undefined removes a key. */
  configure(values: Readonly<Record<string, unknown>>): void;
}

/** Its host is there before the first `up`, with a login key and a host key of the sandbox's own. */
export type ExistingSandbox = Sandbox & Pick<ExistingGround, "loginKey" | "hostKey">;

/** Its host is what the program creates at the emulated cloud; until then its address is only reserved. */
export type AlicloudSandbox = Sandbox & Pick<AlicloudGround, "controlUrl" | "container">;

export interface SandboxOptions {
  /** Provides the images of the Apps that are off by default, too. @default false */
  readonly allApps?: boolean;
  /** Name of the Pulumi stack; several may share the sandbox's backend. @default "sandbox" */
  readonly stack?: string;
  /** Called for each of {@link sandboxParts} when it begins and when it is done. @default nobody */
  readonly track?: <T>(part: string, work: Promise<T>) => Promise<T>;
}

/** What opening a sandbox consists of. */
export const sandboxParts = ["Docker", "Pulumi CLI", "images", "host", "services"];

/** Brings up a host, registry and ACME authority, and a stack that points to them; finds what runs already. */
export async function openSandbox(name: string, say: Say, options: SandboxOptions = {}): Promise<ExistingSandbox> {
  const { sandbox, ground } = await open({ ...options, name, say, target: "existing" }, () => openExisting(name, say));
  return { ...sandbox, loginKey: ground.loginKey, hostKey: ground.hostKey };
}

/** The same with an emulated cloud in place of the host. */
export async function openAlicloudSandbox(
  name: string,
  say: Say,
  options: SandboxOptions = {},
): Promise<AlicloudSandbox> {
  const { sandbox, ground } = await open({ ...options, name, say, target: "alicloud" }, () => openAlicloud(name, say));
  return { ...sandbox, controlUrl: ground.controlUrl, container: () => ground.container() };
}

interface Opening extends SandboxOptions {
  readonly name: string;
  readonly say: Say;
  readonly target: "existing" | "alicloud";
}

async function open<G extends Ground>(
  { name, say, target, allApps = false, stack: stackName, track = (_part, work) => work }: Opening,
  prepare: () => Promise<G>,
) {
  if (process.platform !== "linux")
    throw new Error(
      "The sandbox runs containers with systemd inside and needs Linux; on other systems use a Linux VM.",
    );
  const folder = folderOf(name);
  mkdirSync(join(folder, "state"), { recursive: true, mode: 0o700 });
  mkdirSync(cacheDir, { recursive: true });
  const kept = once(join(folder, "target"), () => target);
  if (kept !== target)
    throw new Error(`The sandbox ${name} has the target ${kept}: destroy it first, or choose another name.`);
  const bundle = async (program: Program | "authelia") => {
    const file = join(folder, program);
    await (program === "authelia" ? bundleGateway(file) : bundleProgram(program, file));
    return file;
  };
  const origin = await originOfParts(allApps);
  const docker = track("Docker", ensureDocker(say));
  const images = async () => {
    await docker;
    await pebbleImage({ cacheDir, say });
    // Nobody asks for a registry where the host pulls from the publishers.
    if (origin === "official") return undefined;
    const [made] = await Promise.all([
      makeImages({ images: tagged, allApps, cacheDir, bundle, say }),
      registryImage({ cacheDir, say }),
    ]);
    return made;
  };
  const [engine, standIns, ground] = await Promise.all([
    track("Pulumi CLI", preparePulumi({ cacheDir, say, alicloud: target === "alicloud" })),
    track("images", images()),
    track("host", docker.then(prepare)),
  ]);
  const { host } = ground;
  const common = { name, bindAddress: host.gateway, cacheDir, say };
  const registry = async ({ pushed }: StandIns) => {
    const { url } = await startRegistry({ ...common, port: registryPort });
    say("Putting the images into the local registry");
    await pushImages(url, pushed, cacheDir);
    return [url];
  };
  const [acme, mirrors] = await track(
    "services",
    Promise.all([startAcme({ ...common, resolveTo: host.address }), standIns && registry(standIns)]),
  );

  const stack = new Stack(folder, engine, ground.env, sandboxSource(stackName));
  const settings = {
    ...ground.settings,
    acmeDirectories: [acme.directoryUrl],
    acmeTrustedRoot: acme.caPem,
    ...(standIns && { registryMirrors: mirrors, images: standIns.images }),
  };
  await stack.create(settings, ground.secrets);
  // Also where the stack was made without them.
  if (allApps && standIns) stack.configure({ images: standIns.images, sources: standIns.sources });
  const sandbox: Sandbox = {
    name,
    origin,
    host,
    acme,
    folder,
    engine,
    stack: stack.name,
    stackFile: stack.file,
    env: stack.env,
    domain: `${host.address.replaceAll(".", "-")}.sslip.io`,
    exec: (command, options) => ground.exec(command, options),
    pulumi: (args, options) => stack.pulumi(args, options),
    configure: (values) => {
      stack.configure(values);
    },
  };
  return { sandbox, ground };
}

/**
 * Removes all that was opened under this name, whatever its target, but for the cache and for what was changed on this machine.
 * Pulumi is not asked. Docker is started for it: its containers outlive a restart of this machine.
 */
export async function removeSandbox(name: string, say: Say): Promise<void> {
  await ensureDocker(say);
  await stopAcme(name);
  await stopRegistry(name);
  await stopEmulator(name);
  await removeCloud(name);
  await stopHost(name);
  rmSync(folderOf(name), { recursive: true, force: true });
}
