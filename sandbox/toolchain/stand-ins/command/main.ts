// Stand-in for pulumi-resource-command, used only where the official one cannot be downloaded.
import { serveProvider } from "../plugin/server";
import { commandType } from "./lifecycle";
import { runLocally } from "./local";
import { runRemotely } from "./remote";
import { localInputs, remoteInputs } from "./shapes";

serveProvider({
  version: STAND_IN_VERSION,
  types: {
    "command:remote:Command": commandType(remoteInputs, runRemotely),
    "command:local:Command": commandType(localInputs, runLocally),
  },
  // The framework of the official plugin leaves its version in state.
  providerInputs: { "__pulumi-go-provider-version": "1.2.0" },
});
