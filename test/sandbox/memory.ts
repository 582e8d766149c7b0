import type { World } from "./world";

/** Memory of the running containers in MiB: their limits, and what they use. */
export interface ContainerMemory {
  readonly limits: readonly number[];
  readonly used: number;
}

/** Asks Docker, and shows its table. */
export async function containerMemory(world: Pick<World, "onHost">): Promise<ContainerMemory> {
  const limits = await world.onHost("docker ps --quiet | xargs docker inspect --format '{{.HostConfig.Memory}}'");
  const stats = await world.onHost("docker stats --no-stream --format '{{.Name}} {{.MemUsage}}'");
  process.stderr.write(`${stats}\n`);
  return {
    limits: limits.split("\n").map((bytes) => Number(bytes) / 2 ** 20),
    used: sum(stats.split("\n").map((line) => mebibytes(line.split(" ")[1] ?? ""))),
  };
}

export const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

/** `38.2MiB` or `1.1GiB`, as Docker writes it. */
function mebibytes(text: string): number {
  const [, value = "", unit = ""] = /^([\d.]+)([KMG])iB$/.exec(text) ?? [];
  const factor: Readonly<Record<string, number>> = { K: 1 / 1024, M: 1, G: 1024 };
  return Number(value) * (factor[unit] ?? NaN);
}
