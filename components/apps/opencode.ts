import { edgeNetwork } from "../routes";
import * as check from "../settings/checks";
import { bool, secret, text, integer } from "../settings/setting";
import { appKind } from "./app";

/** Pinned: 2.x drops `opencode web` and always asks for a password of its own (anomalyco/opencode#50370). */
const version = "1.18.33";

const name = "opencode";
const uid = 1000;

/** The routes of its web UI, which no path of its API is: some of those act on a GET, such as /tui/control/next. */
const pages = "/|/new-session|/server/[^/?]+/session/[^/?]+|/L[A-Za-z0-9_-]+(/session(/[A-Za-z0-9_]+)?)?|/terminal/?";

const settings = {
  opencodeEnabled: bool({ description: "OpenCode: AI coding in the browser.", example: "true", default: true }),
  opencodeSubdomain: text(check.label, { description: "Subdomain of OpenCode.", example: "code", default: "code" }),
  opencodeTerminal: bool({
    description: "Web terminal of OpenCode's workspace at /terminal.",
    example: "true",
    default: true,
  }),
  opencodeMemoryMiB: integer(512, 262144, {
    description: "Memory limit of OpenCode, in MiB.",
    example: "2048",
    default: 2048,
  }),
  opencodeTerminalMemoryMiB: integer(128, 262144, {
    description: "Memory limit of OpenCode's web terminal and all that runs in it, in MiB.",
    example: "512",
    default: 1024,
  }),
  opencodeAnthropicApiKey: secret(check.oneLine, {
    description: "Key of Anthropic's API, for OpenCode.",
    example: "sk-ant-…",
  }),
  opencodeOpenaiApiKey: secret(check.oneLine, {
    description: "Key of OpenAI's API, for OpenCode.",
    example: "sk-…",
  }),
  opencodeOpenaiBaseUrl: text(check.secretBase, {
    description: "Address of an API that speaks OpenAI's protocol, for OpenCode.",
    example: "https://api.example.com/v1",
  }),
};

/**
 * OpenCode (https://opencode.ai): an agent that runs commands, so all of it is two_factor and nothing bypasses login
 * (CVE-2026-22812). It has a host of its own, since it knows no base path.
 */
export const opencode = appKind({
  name,
  settings,
  enabled: "opencodeEnabled",
  subdomains: ["opencodeSubdomain"],
  problems: () => [],
  app(values, { images, timeZone }) {
    const network = edgeNetwork(name);
    const { opencodeAnthropicApiKey: anthropicApiKey, opencodeOpenaiApiKey: openaiApiKey } = values;
    const keys = [...(anthropicApiKey ? ["ANTHROPIC_API_KEY"] : []), ...(openaiApiKey ? ["OPENAI_API_KEY"] : [])];
    return {
      routes: [
        {
          subdomain: values.opencodeSubdomain,
          network,
          upstream: "opencode-server:4096",
          healthPath: "/global/health",
          policy: "two_factor",
          pages,
          paths: values.opencodeTerminal ? [{ path: "/terminal/*", upstream: "opencode-terminal:7681" }] : [],
          title: "OpenCode",
          summary: { en: "AI coding in the browser", zh: "浏览器里的 AI 编程" },
        },
      ],
      release: () => ({
        template: name,
        values: {
          images,
          version,
          timeZone,
          network,
          keys,
          terminal: values.opencodeTerminal,
          memoryMiB: values.opencodeMemoryMiB,
          terminalMemoryMiB: values.opencodeTerminalMemoryMiB,
          openaiBaseUrl: values.opencodeOpenaiBaseUrl,
        },
        plan: { networks: [network], build: ["server"] },
        owners: { ANTHROPIC_API_KEY: uid, OPENAI_API_KEY: uid },
      }),
      secrets: { anthropicApiKey: anthropicApiKey ?? "", openaiApiKey: openaiApiKey ?? "" },
    };
  },
});
