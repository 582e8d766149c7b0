import { edgeNetwork } from "../routes";
import type { Settings } from "../settings/settings";
import type { App } from "./app";

/** Pinned: 2.x drops `opencode web` and always asks for a password of its own (lessons F1). */
const version = "1.18.33";

const name = "opencode";
const uid = 1000;
const terminalMemoryMiB = 1024;

/**
 * OpenCode (https://opencode.ai): an agent that runs commands, so all of it is two_factor and nothing bypasses login
 * (lessons F3). It has a host of its own, since it knows no base path.
 */
export function opencode(settings: Settings): App | undefined {
  const { opencode: own, images, timeZone } = settings;
  if (!own.enabled) return undefined;
  const network = edgeNetwork(name);
  const keys = [...(own.anthropicApiKey ? ["ANTHROPIC_API_KEY"] : []), ...(own.openaiApiKey ? ["OPENAI_API_KEY"] : [])];
  return {
    name,
    routes: [
      {
        subdomain: own.subdomain,
        network,
        upstream: "opencode-server:4096",
        policy: "two_factor",
        paths: own.terminal ? [{ path: "/terminal/*", upstream: "opencode-terminal:7681" }] : [],
        title: "OpenCode",
        summary: { en: "AI coding in the browser", zh: "浏览器里的 AI 编程" },
      },
    ],
    release: {
      template: name,
      values: {
        images,
        version,
        timeZone,
        network,
        keys,
        terminal: own.terminal,
        memoryMiB: own.memoryMiB,
        terminalMemoryMiB,
        openaiBaseUrl: own.openaiBaseUrl,
      },
      plan: { networks: [network], build: "server" },
      owners: { ANTHROPIC_API_KEY: uid, OPENAI_API_KEY: uid },
    },
    secrets: { anthropicApiKey: own.anthropicApiKey ?? "", openaiApiKey: own.openaiApiKey ?? "" },
  };
}
