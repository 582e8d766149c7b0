// Stand-in for Authelia 4.39.20: log lines in the real one's two formats.
import { appendFileSync } from "node:fs";
import type { LogConfig } from "./config/types";

export type Level = LogConfig["level"];
export type Log = (level: Level, message: string, fields?: Readonly<Record<string, string | number>>) => void;

const order: readonly Level[] = ["error", "warn", "info", "debug", "trace"];

export function createLog(config: LogConfig): Log {
  return (level, message, fields = {}) => {
    if (order.indexOf(level) > order.indexOf(config.level)) return;
    const line = formatLine(config.format, level, message, fields, new Date());
    if (config.filePath !== "") appendFileSync(config.filePath, line, { mode: 0o600 });
    if (config.filePath === "" || config.keepStdout) process.stdout.write(line);
  };
}

function formatLine(
  format: LogConfig["format"],
  level: string,
  message: string,
  fields: Readonly<Record<string, string | number>>,
  time: Date,
): string {
  const named = level === "warn" ? "warning" : level;
  const stamp = time.toISOString().replace(/\.\d+Z$/, "Z");
  if (format === "json") return `${JSON.stringify({ ...fields, level: named, msg: message, time: stamp })}\n`;
  const extra = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === "number" ? value : JSON.stringify(value)}`,
  );
  return `time="${stamp}" level=${named} msg=${JSON.stringify(message)}${extra.join("")}\n`;
}
