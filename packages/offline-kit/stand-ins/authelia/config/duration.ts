// Stand-in for Authelia 4.39.20: its duration syntax ("300", "5m", "1h30m", "12 hours", "1M") in milliseconds.
const second = 1000;
const day = 24 * 3600 * second;
const units: Readonly<Record<string, number>> = {
  ms: 1,
  millisecond: 1,
  milliseconds: 1,
  s: second,
  second,
  seconds: second,
  m: 60 * second,
  minute: 60 * second,
  minutes: 60 * second,
  h: 3600 * second,
  hour: 3600 * second,
  hours: 3600 * second,
  d: day,
  day,
  days: day,
  w: 7 * day,
  week: 7 * day,
  weeks: 7 * day,
  M: 30 * day,
  month: 30 * day,
  months: 30 * day,
  y: 365 * day,
  year: 365 * day,
  years: 365 * day,
};

export function parseDuration(value: string | number): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value * second : undefined;
  if (/^\d+$/.test(value)) return Number(value) * second;
  const compact = value.replaceAll("and", "").replaceAll(" ", "");
  if (!/^(?:[1-9]\d*[A-Za-z]+)+$/.test(compact)) return undefined;
  let total = 0;
  for (const [, quantity, unit] of compact.matchAll(/(\d+)([A-Za-z]+)/g)) {
    const factor = units[unit ?? ""];
    if (factor === undefined) return undefined;
    total += Number(quantity) * factor;
  }
  return total;
}
