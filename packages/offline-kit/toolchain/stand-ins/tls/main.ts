// Stand-in for pulumi-resource-tls, used only where the official one cannot be downloaded.
import { serveProvider } from "../plugin/server";
import { tlsTypes } from "./types";

serveProvider({ version: STAND_IN_VERSION, types: tlsTypes, providerInputs: {} });
