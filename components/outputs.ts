import * as pulumi from "@pulumi/pulumi";
import type { Host } from "./host/host";
import type { InboundRule } from "./host/network";
import { type Route, hostOf, portalSubdomain } from "./routes";
import type { Settings } from "./settings/settings";

/** Address of each App, by its title. */
export function appUrls(routes: readonly Route[], domain: string): Record<string, string> {
  return Object.fromEntries(routes.map((route) => [route.title, `https://${hostOf(route, domain)}`]));
}

/**
 * A command that opens a shell on the host with the pinned host key in a known_hosts file of its own, so that a machine
 * created anew at the same address never collides with ~/.ssh/known_hosts (lessons I9).
 */
export function sshCommand(host: Host): pulumi.Output<string> {
  const alias = `cloudcode-${pulumi.getStack()}`;
  const file = `~/.ssh/known_hosts_${alias}`;
  return pulumi
    .all([host.publicAddress, host.hostKey])
    .apply(
      ([address, key]) =>
        `mkdir -p ~/.ssh && echo '${alias} ${key}' > ${file} && ssh -o UserKnownHostsFile=${file} -o HostKeyAlias=${alias} -o StrictHostKeyChecking=yes -p ${host.port} ${host.user}@${address}`,
    );
}

/** What the operator does after the first `up`, in order. */
export function nextSteps(settings: Settings, host: Pick<Host, "network">): string[] {
  const { domain, operator, mail, target } = settings;
  const portal = `https://${hostOf({ subdomain: portalSubdomain }, domain)}`;
  const asRoot = target.user === "root" ? "" : "sudo ";
  const code = mail
    ? `The one-time code arrives at ${operator.email}.`
    : `The one-time code stands on the host: open the shell of sshCommand and run ${asRoot}docker exec cloudcode-auth-authelia-1 cat /config/notification.txt`;
  const open = host.network.inbound.map(describeRule).join(", ");
  return [
    `Firewall in front of the machine, where there is one: let in ${open}; nothing else.`,
    `DNS: ${domain} and *.${domain} must point to ${target.address}${domain.endsWith(".sslip.io") ? " (sslip.io does that by itself)" : ""}.`,
    `Open https://${domain} and sign in as ${operator.username}; the password: pulumi stack output adminPassword --show-secrets`,
    `Register a passkey (or an authenticator app) at ${portal}/settings/two-factor-authentication. ${code}`,
    "Add a second passkey on another device, so that a lost phone does not lock you out.",
  ];
}

function describeRule({ protocol, port, sources }: InboundRule): string {
  return `${port}/${protocol}${sources.length > 0 ? ` (from ${sources.join(" ")})` : ""}`;
}
