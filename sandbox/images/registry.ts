import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type BaseArgs, baseImage } from "../host/base";
import { aptInstallStep, buildImage } from "../host/build";
import { removeService, startService } from "../host/service";
import type { Say } from "../../cli/run";

/** Where a registry listens, and where it keeps what is pushed to it. */
export interface RegistryArgs {
  readonly name: string;
  /** The outer machine's address on the sandbox's network. */
  readonly bindAddress: string;
  readonly port: number;
  /** Its blobs are shared by all registries with this cache, so a second sandbox finds its images pushed already. */
  readonly cacheDir: string;
  readonly say: Say;
}

/**
 * Starts an image registry that the host's Docker can use as a mirror of Docker Hub, over plain HTTP. It is Debian's
 * docker-registry, because its package installs in seconds on any outer machine; building the newer distribution 3 from
 * its Go module takes minutes and adds nothing that a mirror needs.
 */
export async function startRegistry(args: RegistryArgs): Promise<{ url: string }> {
  const image = await registryImage(args);
  const storage = join(args.cacheDir, "registry");
  mkdirSync(storage, { recursive: true });
  const url = `http://${args.bindAddress}:${args.port}`;
  args.say(`Starting the image registry at ${url}`);
  await startService({
    container: containerOf(args.name),
    image,
    options: [
      "--volume",
      `${storage}:/var/lib/registry`,
      "--env",
      `REGISTRY_HTTP_ADDR=${args.bindAddress}:${args.port}`,
    ],
    command: [],
    ready: async () => (await fetch(`${url}/v2/`)).ok,
  });
  return { url };
}

/** Its image, which can be built before its address is known. */
export async function registryImage(args: BaseArgs): Promise<string> {
  const dockerfile = `FROM ${await baseImage(args)}
RUN ${aptInstallStep(["docker-registry"])}
COPY config.yml /etc/sandbox-registry.yml
CMD ["docker-registry", "serve", "/etc/sandbox-registry.yml"]
`;
  return buildImage({ name: "registry", dockerfile, files: { "config.yml": CONFIG } }, args.say);
}

/** Removes the registry; the blobs stay in the cache. */
export async function stopRegistry(name: string): Promise<void> {
  await removeService(containerOf(name));
}

const containerOf = (name: string) => `cloudcode-${name}-registry`;

const CONFIG = `version: 0.1
log:
  level: warn
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: 127.0.0.1:5000
`;
