// Stand-in for Authelia 4.39.20: its short duration syntax ("300", "5m", "1h30m", "1M") in milliseconds; its long words are refused.
const second = 1000;
const day = 24 * 3600 * second;
const units: Readonly<Record<string, number>> = {
  s: second,
  m: 60 * second,
  h: 3600 * second,
  d: day,
  w: 7 * day,
  M: 30 * day,
  y: 365 * day,
};

export function parseDuration(value: string | number): number | undefined {
  if (/^\d+$/.test(String(value))) return Number(value) * second;
  if (!/^(?:[1-9]\d*[smhdwMy])+$/.test(String(value))) return undefined;
  const parts = [...String(value).matchAll(/(\d+)(\D)/g)];
  return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (units[unit] ?? NaN), 0);
}
