import type { Settings } from "../settings/settings";
import type { App } from "./app";
import { casecheck } from "./casecheck";
import { donation } from "./donation";
import { lwsandbox } from "./lwsandbox";
import { opencode } from "./opencode";
import { tgSigner } from "./tg-signer";

/** Every kind of App there is. A new one is a file beside this, a folder in stack-templates/, and an entry here. */
export const appKinds = [opencode, tgSigner, donation, casecheck, lwsandbox] as const;

/** Their settings by key. */
export const appSettings = {
  ...opencode.settings,
  ...tgSigner.settings,
  ...donation.settings,
  ...casecheck.settings,
  ...lwsandbox.settings,
};

/** The Apps that are switched on, as plain values. */
export function enabledApps({ values, images, sources, timeZone, docker }: Settings): App[] {
  const context = {
    images,
    sources,
    timeZone,
    registryMirrors: docker.registryMirrors,
    hostAddress: values.hostAddress,
  };
  return appKinds
    .filter((kind) => values[kind.enabled])
    .map((kind) => ({ name: kind.name, ...kind.app(values, context) }));
}

/** Names of the Apps that are switched off. */
export function disabledApps({ values }: Settings): string[] {
  return appKinds.filter((kind) => !values[kind.enabled]).map((kind) => kind.name);
}
