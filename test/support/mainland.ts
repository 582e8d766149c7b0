import { mirrorKinds, mirrorTable } from "../../components/mirrors";
import { pemCertificate } from "./settings";
import { everyApp } from "./app-settings";

/** Where the Git bundles of these tests are. */
export const bundleHost = "bundles.oss-cn-hangzhou.aliyuncs.com";
export const commit = "0123456789abcdef0123456789abcdef01234567";

export const casecheckBundle = `https://${bundleHost}/casecheck.bundle#${commit}`;

/** What of every App must be so that mainland China does not refuse it. */
const fixed = { tgSignerProxy: "socks5://proxy.example.com:1080", opencodeAnthropicApiKey: undefined };

const stack = {
  domain: "home.example.com",
  network: "mainland",
  icpFiled: "true",
  notify: '["bark://bark.example.com/device"]',
  backupRepository: "/srv/backups/home",
  sources: JSON.stringify({
    casecheck: casecheckBundle,
    tgSigner: `https://${bundleHost}/tg-signer.bundle#${commit}`,
  }),
};

/** A stack in mainland China with every App, a worker, a notifier and backups. */
export const mainland = { ...stack, ...everyApp("least", fixed, stack) };

/** The same with nearly every setting of each App. */
export const fullMainland = {
  ...stack,
  acmeTrustedRoot: pemCertificate,
  ...everyApp("full", { ...fixed, lwsandboxK3sUrl: undefined }, stack),
};

/** Hosts of the default mirrors. */
export const mirrorHosts = mirrorKinds.map((kind) => {
  const [address] = mirrorTable[kind].mirrors;
  return address.includes("://") ? new URL(address).host : address;
});
