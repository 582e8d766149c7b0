// Stand-in for Authelia 4.39.20: log lines in the real one's text format.
import type { Config } from "./config/schema";

type Level = Config["log"]["level"];
export type Log = (level: Level, message: string, fields?: Readonly<Record<string, string | number>>) => void;

const order: readonly Level[] = ["error", "warn", "info", "debug", "trace"];

export function createLog(least: Level): Log {
  return (level, message, fields = {}) => {
    if (order.indexOf(level) > order.indexOf(least)) return;
    const stamp = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    const extra = Object.entries(fields).map(
      ([key, value]) => ` ${key}=${typeof value === "number" ? value : JSON.stringify(value)}`,
    );
    const named = level === "warn" ? "warning" : level;
    process.stdout.write(`time="${stamp}" level=${named} msg=${JSON.stringify(message)}${extra.join("")}\n`);
  };
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
