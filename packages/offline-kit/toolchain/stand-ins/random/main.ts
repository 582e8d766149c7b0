// Stand-in for pulumi-resource-random, used only where the official one cannot be downloaded.
import { serveProvider } from "../plugin/server";
import { randomTypes } from "./types";

serveProvider({ version: STAND_IN_VERSION, types: randomTypes, providerInputs: {} });
