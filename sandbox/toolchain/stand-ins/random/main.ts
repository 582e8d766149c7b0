import { serveProvider } from "../plugin/server";
import { randomTypes } from "./types";

serveProvider({ version: process.env["STAND_IN_VERSION"] ?? "", types: randomTypes, providerInputs: {} });
