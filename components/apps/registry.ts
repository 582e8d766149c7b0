import type { Settings } from "../settings/settings";
import type { App } from "./app";
import { opencode } from "./opencode";

/** Every App there is. A new one is a file beside this, a folder in stack-templates/, and an entry here. */
const apps: readonly ((settings: Settings) => App | undefined)[] = [opencode];

/** The Apps that are switched on, as plain values. */
export function enabledApps(settings: Settings): App[] {
  return apps.map((app) => app(settings)).filter((app) => app !== undefined);
}
