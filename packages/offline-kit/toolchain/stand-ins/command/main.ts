// Stand-in for pulumi-resource-command, used only where the official one cannot be downloaded.
import { serveProvider } from "../plugin/server";
import { commandType } from "./lifecycle";

serveProvider({
  version: STAND_IN_VERSION,
  // Not remote commands, which the program does not use.
  types: { "command:local:Command": commandType },
  // The framework of the official plugin leaves its version in state.
  providerInputs: { "__pulumi-go-provider-version": "1.2.0" },
});
