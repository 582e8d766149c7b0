import { run, succeeds, until } from "./run";

/** A helper of the sandbox that runs as a container on the outer machine's own network. */
export interface Service {
  readonly container: string;
  readonly image: string;
  /** More `docker run` options. */
  readonly options: readonly string[];
  readonly command?: readonly string[];
  /** Whether it answers; an error counts as no. */
  readonly ready: () => Promise<boolean>;
}

/** Starts the service anew, in place of one of that name, and waits until it answers. */
export async function startService(service: Service): Promise<void> {
  await removeService(service.container);
  await run("docker", [
    ...["run", "--detach", "--name", service.container, "--network", "host", "--restart", "unless-stopped", "--init"],
    ...["--cap-drop", "ALL", "--security-opt", "no-new-privileges", ...service.options, service.image, ...(service.command ?? [])],
  ]);
  await serviceAnswers(service);
}

/** Waits until the service answers, for half a minute at most. */
export async function serviceAnswers({ container, ready }: Pick<Service, "container" | "ready">): Promise<void> {
  await until(
    30,
    async () => (await ready().catch(() => false)) || undefined,
    async () => {
      const { stdout, stderr } = await run("docker", ["logs", "--tail", "15", container]);
      return `${container} does not answer; its last words:\n${stdout}${stderr}`;
    },
  );
}

/** Removes the service if it is there. */
export async function removeService(container: string): Promise<void> {
  if (!(await succeeds("docker", ["container", "inspect", container]))) return;
  await run("docker", ["rm", "--force", "--volumes", container]);
}
