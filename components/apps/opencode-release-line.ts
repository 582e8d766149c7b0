import { z } from "zod";
import type { RouteHealth } from "../routes";
import type { TemplateValues } from "../stack/template";

/** What of OpenCode's server follows from its major version. */
export interface ReleaseLine {
  /** The major version itself. */
  readonly major: 1 | 2;
  /** Format of its data. The second major migrates that of the first once, in place; nothing migrates it back. */
  readonly dataFormat: number;
  /** Its npm package. */
  readonly package: string;
  /** Variable that its server reads its password from. */
  readonly passwordVariable: string;
  /** The request asks for the password. Its expression is no page, and grep -z -E and RE2 read it alike. */
  readonly health: RouteHealth;
  /** RE2 of path and query of its pages, which no path of its API is: some of those act on a GET. */
  readonly pages: string;
  /** RE2 of the paths of WebSockets that a ticket opens, which is good once and for a minute. */
  readonly tickets: string;
  /** The part `mcp` of its configuration with one server, a program that it speaks to by standard input and output. */
  readonly mcp: (name: string, command: readonly string[]) => TemplateValues;
}

/** Longest time that a tool may take, in milliseconds; one that runs a command ends it before. */
const toolPatience = 3_700_000;

const lines: Readonly<Record<string, ReleaseLine>> = {
  "1": {
    major: 1,
    dataFormat: 1,
    package: "opencode-ai",
    passwordVariable: "OPENCODE_SERVER_PASSWORD",
    health: { path: "/global/health", body: '^[^<]*"healthy":true' },
    pages: "/|/new-session|/server/[^/?]+/session/[^/?]+|/L[A-Za-z0-9_-]+(/session(/[A-Za-z0-9_]+)?)?|/terminal/?",
    tickets: "/pty/[A-Za-z0-9_-]+/connect",
    // https://opencode.ai/docs/mcp-servers
    mcp: (name, command) => ({ [name]: { type: "local", command, enabled: true, timeout: toolPatience } }),
  },
  // Read in anomalyco/opencode, not run: its package cannot be had from every registry.
  "2": {
    major: 2,
    dataFormat: 2,
    package: "@opencode/cli",
    passwordVariable: "OPENCODE_PASSWORD",
    // /global/health, as every path but those of the API, answers the page with 200 and without a password.
    health: { path: "/api/info", body: '^[^<]*"version":' },
    // The API is /api, /auth and /openapi.json: every first letter but theirs.
    pages: "/([b-np-zA-Z0-9_-][^?]*(\\?.*)?)?",
    tickets: "/api/(experimental/persistent-)?pty/[A-Za-z0-9_-]+/connect",
    // https://opencode.ai/v2/docs/mcp-servers
    mcp: (name, command) => ({ servers: { [name]: { type: "local", command, timeout: { request: toolPatience } } } }),
  },
};

export const version = z.string("is not a string").regex(/^[12]\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/, {
  error: "is not a version 1.x.y or 2.x.y",
});

/** The packages of later majors. */
export function laterPackages(version: string): string[] {
  return Object.entries(lines).flatMap(([major, line]) => (major > version.charAt(0) ? [line.package] : []));
}

/** @param version as the setting `opencodeVersion` holds it */
export function releaseLine(version: string): ReleaseLine {
  const line = lines[version.charAt(0)];
  if (line === undefined) throw new Error(`OpenCode ${version} is not known`);
  return line;
}
