/** Seconds that an action takes. */
export async function seconds(action: () => Promise<unknown>): Promise<number> {
  const start = process.hrtime.bigint();
  await action();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** `1.23 (2.46 s / 2.00 s)`: the ratio of two medians and what it is made of. */
export function ratio(ours: readonly number[], measure: readonly number[]): string {
  const [a, b] = [median(ours), median(measure)];
  return `${(a / b).toFixed(2)} (${a.toFixed(2)} s / ${b.toFixed(2)} s, medians of ${ours.length})`;
}
