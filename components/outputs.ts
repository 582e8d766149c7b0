import * as pulumi from "@pulumi/pulumi";
import type { App } from "./apps/app";
import type { Host } from "./host/host";
import { sharedDomain } from "./host/names";
import type { ReverseProxyStack } from "./reverse-proxy/reverse-proxy-stack";
import { type Route, hostOf, portalSubdomain } from "./routes";
import type { Settings } from "./settings/settings";
import type { ComposeStack } from "./stack/compose-stack";

/** Address of each App, by its title. */
export function appUrls(routes: readonly Route[], domain: string): Record<string, string> {
  return Object.fromEntries(routes.map((route) => [route.title, `https://${hostOf(route, domain)}`]));
}

/** The login of each App that has one of its own, by the title of its Route, or its name where it has none. */
export function appLogins(
  apps: readonly (Pick<App, "name" | "login" | "routes"> & Pick<ComposeStack, "secrets">)[],
): Record<string, { username: string; password: pulumi.Output<string> }> {
  const entries = apps.flatMap(({ name, login, routes, secrets }) => {
    const password = login && secrets[login.secret];
    if (login === undefined || password === undefined) return [];
    return [[routes[0]?.title ?? name, { username: login.username, password: pulumi.secret(password) }] as const];
  });
  return Object.fromEntries(entries);
}

/** The logins that Caddy asks for before an App does, by the App's title. */
export function basicAuthLogins({ logins }: Pick<ReverseProxyStack, "logins">): ReverseProxyStack["logins"] {
  return Object.fromEntries(Object.entries(logins).map(([title, login]) => [`${title} (basic auth)`, login]));
}

/** The key that {@link sshCommand} logs in with, as OpenSSH's tools read it. */
export function sshPrivateKey(host: Host): pulumi.Output<string> {
  return pulumi.secret(host.connection.apply(({ privateKey }) => privateKey));
}

/**
 * A command that opens a shell on the host, pasted as it stands into any shell in the project's folder, by a person who can read the stack. The login key,
 * the output `sshPrivateKey`, goes through a pipe to an agent that ends with the command, so that it is in no file. The pinned host
 * key is in a known_hosts file of its own, so that a machine created again at the same address never collides with
 * ~/.ssh/known_hosts; by `tee`, since `>` fails in a shell that has `noclobber` on.
 */
export function sshCommand(host: Host): pulumi.Output<string> {
  const alias = `cloudcode-${pulumi.getStack()}`;
  const file = `~/.ssh/known_hosts_${alias}`;
  return pulumi.all([host.publicAddress, host.hostKey]).apply(([address, key]) => {
    const pin = `mkdir -p ~/.ssh && echo '${alias} ${key}' | tee ${file} >/dev/null`;
    const addKey = `pulumi stack output sshPrivateKey --show-secrets --stack ${pulumi.getStack()} | ssh-add -q -`;
    const login = `ssh -o UserKnownHostsFile=${file} -o HostKeyAlias=${alias} -o StrictHostKeyChecking=yes -p ${host.port} ${host.user}@${address}`;
    return `${pin} && ssh-agent sh -c '${addKey} && exec ${login}'`;
  });
}

/**
 * A value made of how the host is reached, once that is proved. Pulumi writes all outputs of a stack at once, when each is known:
 * after an `up` that does not get through, those of the one before stay, by which `ops` still finds the host.
 */
export function proven<T>(
  { reachable }: { readonly reachable: Pick<pulumi.Resource, "urn"> | undefined },
  value: pulumi.Output<T>,
): pulumi.Output<T> {
  // In an `up` the URN is known with the success.
  return reachable === undefined ? value : pulumi.all([value, reachable.urn]).apply(([known]) => known as T);
}

/** What the operator does after the first `up`, in order. */
export function nextSteps(settings: Settings, host: Host, domain: pulumi.Output<string>): pulumi.Output<string[]> {
  return pulumi
    .all([domain, settings.domainAddress ?? host.publicAddress])
    .apply(([name, address]) => steps(settings, host, name, address));
}

function steps(settings: Settings, host: Host, domain: string, address: string): string[] {
  const { operator, mail } = settings;
  const portal = `https://${hostOf({ subdomain: portalSubdomain }, domain)}`;
  const code = mail
    ? `The one-time code arrives at ${operator.email ?? `${operator.username}@${domain}`}.`
    : "The one-time code is on the host: npm run ops -- otp waits for it and prints it.";
  return [
    ...host.manualSteps(domain, address),
    ...sharedName(domain),
    `Open https://${domain} and sign in as ${operator.username}; the password: pulumi stack output adminPassword --show-secrets`,
    `Register a passkey (or an authenticator app) at ${portal}/settings/two-factor-authentication. ${code}`,
    "Add a second passkey on another device, so that a lost phone does not lock you out.",
    "To end it one day: npm run ops -- destroy names what goes, what stays and what that costs, and asks; with --everything data goes, too.",
  ];
}

/** What a name that strangers share means, and the way out. */
function sharedName(domain: string): string[] {
  const shared = sharedDomain(domain);
  if (shared === undefined) return [];
  return [
    `${domain} is a shared name: browsers treat every page of every *.${shared} as the same site as yours, and all of them share the rate limits of the certificate authorities. A name of your own is free: get one at https://www.duckdns.org or https://desec.io, then pulumi config set domain NAME.duckdns.org && pulumi config set --secret domainToken && pulumi up (docs/domain.md).`,
  ];
}
