import { createHash } from "node:crypto";
import { run, succeeds, until } from "../../cli/run";

/** A helper of the sandbox that runs as a container on the outer machine's own network. */
export interface Service {
  readonly container: string;
  readonly image: string;
  /** More `docker run` options. */
  readonly options: readonly string[];
  readonly command: readonly string[];
  /** Whether it answers; an error counts as no. */
  readonly ready: () => Promise<boolean>;
}

const RECIPE = "cloudcode.recipe";

/** Starts the service, or keeps it if it runs with these very options, and waits until it answers. */
export async function startService(service: Service): Promise<void> {
  const { container, image, options, command } = service;
  const recipe = createHash("sha256")
    .update(JSON.stringify([image, options, command]))
    .digest("hex");
  const format = `{{index .Config.Labels "${RECIPE}"}} {{.State.Running}}`;
  const current = await run("docker", ["container", "inspect", "--format", format, container]).then(
    ({ stdout }) => stdout.trim(),
    () => "",
  );
  if (current !== `${recipe} true`) {
    await removeService(container);
    await run("docker", [
      "run",
      "--detach",
      "--name",
      container,
      "--label",
      `${RECIPE}=${recipe}`,
      "--network",
      "host",
      "--init",
      "--restart",
      "unless-stopped",
      "--cap-drop",
      "ALL",
      "--security-opt",
      "no-new-privileges",
      ...asMyself(),
      ...options,
      image,
      ...command,
    ]);
  }
  await serviceAnswers(service);
}

/** Waits until the service answers, for half a minute at most. */
export async function serviceAnswers({ container, ready }: Pick<Service, "container" | "ready">): Promise<void> {
  let fault = "";
  const attempt = () =>
    ready().catch((error: unknown) => {
      fault = String(error);
      return false;
    });
  await until(
    30,
    async () => (await attempt()) || undefined,
    async () => {
      const { stdout, stderr } = await run("docker", ["logs", "--tail", "15", container]);
      return `${container} does not answer (${fault}); its last words:\n${stdout}${stderr}`;
    },
  );
}

/** Removes the service if it is there. */
export async function removeService(container: string): Promise<void> {
  if (!(await succeeds("docker", ["container", "inspect", container]))) return;
  await run("docker", ["rm", "--force", "--volumes", container]);
}

/** `docker run` options: what a container writes into the cache belongs to the user who runs the sandbox. */
export const asMyself = () => ["--user", `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`];
