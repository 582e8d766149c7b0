import * as pulumi from "@pulumi/pulumi";
import type { App } from "../apps/app";
import type { Host } from "../host/host";
import type { Settings, WithText } from "../settings/settings";
import type { Firewall } from "./tunnel";

/** A domain whose records the program makes in a zone at Cloudflare. */
export interface DomainRecords {
  /** Setting `domain`. */
  readonly domain: string;
  /** API token; a secret. Setting `domainToken`. */
  readonly token: pulumi.Output<string>;
  /** Calls with the text of the token; undefined where that is known only when resources exist. */
  readonly withToken: WithText | undefined;
}

/**
 * Asks Cloudflare for the rules of the firewalls that Apps want before their tunnels, before any resource is declared where the token is
 * known by then. A preview says what they are.
 *
 * @returns by the name of the App
 * @throws OperatorError that names each permission that a token lacks
 */
export async function checkFirewalls(
  apps: readonly App[],
  { withText }: Pick<Settings, "withText">,
  parent: pulumi.Resource,
): Promise<ReadonlyMap<string, Firewall>> {
  const firewalls = new Map<string, Firewall>();
  for (const { name, tunnel } of apps) {
    if (tunnel?.firewall === undefined) continue;
    const { host, zoneId, firewall: request, apiToken } = tunnel;
    // Loaded only when needed.
    const [{ checkFirewall }, { ownerPrefix }] = await Promise.all([
      import("./check-firewall"),
      import("./firewall-rules"),
    ]);
    const owner = { project: pulumi.getProject(), stack: pulumi.getStack(), tunnel: tunnelName(name) };
    const check = async (token: string) => {
      const { rules, says, warnings } = await checkFirewall({ host, zoneId, request, owner, apiToken: token });
      for (const warning of warnings) await pulumi.log.warn(warning, parent);
      if (pulumi.runtime.isDryRun()) await pulumi.log.info(says, parent);
      return rules;
    };
    const withToken = withText(request.tokenKey);
    const rules = withToken === undefined ? pulumi.output(apiToken).apply(check) : await withToken(check);
    firewalls.set(name, { owner: ownerPrefix(owner), rules, tokenKey: request.tokenKey });
  }
  return firewalls;
}

/** The Apps, where those that have asked for a tunnel have it: its token is among their secrets. */
export async function openTunnels(
  apps: readonly App[],
  firewalls: ReadonlyMap<string, Firewall>,
  parent: pulumi.Resource,
): Promise<App[]> {
  return Promise.all(
    apps.map(async (app) => {
      if (app.tunnel === undefined) return app;
      // Loaded only when needed, as the SDK of a cloud is.
      const { CloudflareTunnel } = await import("./tunnel");
      const args = { ...app.tunnel, firewall: firewalls.get(app.name) };
      const { token } = new CloudflareTunnel(tunnelName(app.name), args, { parent });
      return { ...app, secrets: { ...app.secrets, tunnelToken: token } };
    }),
  );
}

/** Of its component, and a part of its name at Cloudflare. */
const tunnelName = (app: string) => `${app}-cloudflare`;

/** What tells the records of this stack from all others. Cloudflare's free plan takes 100 letters. */
const commentOf = () => `cloudcode: ${pulumi.getProject()}/${pulumi.getStack()}`.slice(0, 100);

/**
 * Asks Cloudflare for the zone of the domain, before any resource is declared where the token is known by then.
 *
 * @returns what declares its records; undefined: they are none of the program's
 * @throws OperatorError with one sentence where the token lacks a right, or other records are in the way
 */
export async function openZone({ records, domainAddress }: Pick<Settings, "records" | "domainAddress">) {
  if (records === undefined) return undefined;
  const { domain, token, withToken } = records;
  // Loaded only when needed.
  const [{ checkZone }, { CloudflareRecords }] = await Promise.all([import("./zone"), import("./records")]);
  const comment = commentOf();
  const check = (apiToken: string) => checkZone({ domain, comment, apiToken });
  const zoneId = withToken === undefined ? token.apply(check) : await withToken(check);
  return (host: Pick<Host, "publicAddress" | "publicIpv6">, parent: pulumi.Resource): readonly pulumi.Resource[] => {
    const addresses = domainAddress
      ? { first: domainAddress }
      : { first: host.publicAddress, ...(host.publicIpv6 && { ipv6: host.publicIpv6 }) };
    return new CloudflareRecords("dns", { domain, zoneId, apiToken: token, comment, addresses }, { parent }).records;
  };
}
