import type { Settings } from "../settings/settings";
import { ExistingHost } from "./existing-host";
import type { Host } from "./host";

/** The Host of the stack's Target. */
export function provisionHost(target: Settings["target"]): Host {
  return new ExistingHost("host", target);
}
