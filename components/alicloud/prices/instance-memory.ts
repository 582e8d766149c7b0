/** GiB of memory for each vCPU, by the first letter of an instance family. */
const gibPerCpu: Readonly<Partial<Record<string, number>>> = { c: 2, g: 4, r: 8 };

/**
 * Memory of an instance type, in GiB, as far as its name tells; undefined where it does not.
 * https://www.alibabacloud.com/help/en/ecs/user-guide/instance-family#naming
 */
export function instanceMemoryGiB(instanceType: string): number | undefined {
  const [, family = "", cpusOfRatio, gibOfRatio, size = ""] =
    /^ecs\.([a-z]+\d*[a-z]*)(?:-c(\d+)m(\d+))?\.(\w+)$/.exec(instanceType) ?? [];
  const cpus = cpusOf(size);
  const ratio =
    gibOfRatio === undefined
      ? gibPerCpu[/^([cgr])\d/.exec(family)?.[1] ?? ""]
      : Number(gibOfRatio) / Number(cpusOfRatio);
  return cpus === undefined || ratio === undefined ? undefined : cpus * ratio;
}

/** `large` has two, `xlarge` four, `2xlarge` eight and so on. */
function cpusOf(size: string): number | undefined {
  if (size === "large") return 2;
  const [, times] = /^(\d*)xlarge$/.exec(size) ?? [];
  return times === undefined ? undefined : 4 * Number(times || 1);
}
