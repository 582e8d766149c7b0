/** As `docker stats` writes an amount of memory. */
export function mebibytes(text: string): number {
  const units: Record<string, number> = { KiB: 1 / 1024, MiB: 1, GiB: 1024 };
  const [, number = "0", unit = "MiB"] = /^([\d.]+)(\w+)$/.exec(text) ?? [];
  return Number(number) * (units[unit] ?? 1);
}
