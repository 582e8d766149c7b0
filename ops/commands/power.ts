import { act, knownStack, onHost } from "../host";
import type { StackChoice } from "../stack";

/** What can be done with the containers of a stack without a change of its release. */
export type PowerAction = "start" | "stop" | "restart";

/**
 * Stops, starts or restarts a stack or one of its services; `start` and `restart` wait for the health checks.
 *
 * @throws OpsError with the last log lines of what did not become healthy, or with the services that there are
 */
export function setPower(
  choice: StackChoice,
  action: PowerAction,
  app: string,
  service: string | undefined,
): Promise<string> {
  return onHost(choice, (ssh, outputs) =>
    act(ssh, "cloudcode-host", [action, knownStack(outputs, app), service ?? ""]),
  );
}
