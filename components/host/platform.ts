import type { Settings } from "../settings/settings";
import { ExistingHost } from "./existing";
import type { Host } from "./host";

/** The Host of the stack's Target. */
export async function provisionHost({ target, ...settings }: Settings): Promise<Host> {
  if (target.kind === "existing")
    return new ExistingHost("host", { ...target, keepsName: settings.freeName !== undefined });
  // Loaded only when needed: the SDK of the cloud takes 50 ms that an existing host need not pay at every run.
  const { provisionAlicloud } = await import("../alicloud/platform");
  return provisionAlicloud(target, settings);
}
