import * as cloudflare from "@pulumi/cloudflare";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { hookCommand } from "../hook";
import type { FirewallInput } from "./apply-firewall";
import type { EndInput } from "./end-connections";
import type { FirewallRequest } from "./firewall-rules";
import type { PlacedRule } from "./rulesets";

/** What an App asks of Cloudflare: that a public host name leads to it, with no port open on the host. */
export interface TunnelRequest {
  /** The public host name, in the zone. */
  readonly host: string;
  /** Where cloudflared finds the App: `http://SERVICE:PORT` of its own network. */
  readonly service: string;
  /** Account ID at Cloudflare. */
  readonly accountId: string;
  /** Zone ID of the domain that `host` is in. */
  readonly zoneId: string;
  /** API token that may edit tunnels, Access and DNS of the zone; a secret. */
  readonly apiToken: pulumi.Input<string>;
  /** Whom Cloudflare Access lets through; nobody named: it asks nobody. */
  readonly access: AccessRequest;
  /** Rules of Cloudflare's firewall before the name; undefined: none. */
  readonly firewall: FirewallRequest | undefined;
}

/** Rules of a firewall that Cloudflare takes. */
export interface Firewall {
  /** With what the references of its rules begin. */
  readonly owner: string;
  readonly rules: pulumi.Input<readonly PlacedRule[]>;
  /** Setting with the API token. */
  readonly tokenKey: string;
}

export interface CloudflareTunnelArgs extends Omit<TunnelRequest, "firewall"> {
  /** Undefined: no rules. */
  readonly firewall: Firewall | undefined;
}

/** Who may pass Cloudflare Access: one of these is enough (https://developers.cloudflare.com/cloudflare-one/access-controls/policies/). */
export interface AccessRequest {
  /** Mail addresses. */
  readonly emails: readonly string[];
  /** IDs of identity providers of the account: everybody who can sign in there. */
  readonly identityProviders: readonly string[];
  /** IDs of rule groups of the account. */
  readonly groups: readonly string[];
  /** IDs of service tokens of the account, for programs. */
  readonly serviceTokens: readonly string[];
}

/**
 * A Cloudflare Tunnel that is configured at Cloudflare, the name that leads into it and, where only some may enter, an Access
 * application (https://developers.cloudflare.com/cloudflare-one/networks/connectors/cloudflare-tunnel/).
 */
export class CloudflareTunnel extends pulumi.ComponentResource {
  /** What cloudflared shows at Cloudflare; a secret. */
  readonly token: pulumi.Output<string>;

  constructor(
    name: string,
    { host, service, accountId, zoneId, apiToken, access, firewall }: CloudflareTunnelArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("cloudcode:index:CloudflareTunnel", name, {}, opts);
    const provider = new cloudflare.Provider(`${name}-provider`, { apiToken }, { parent: this });
    const options = { parent: this, provider };
    // Accounts are shared between stacks, and names of tunnels are unique in one.
    const fullName = `${pulumi.getProject()}-${pulumi.getStack()}-${name}`;

    const tunnel = new cloudflare.ZeroTrustTunnelCloudflared(
      `${name}-tunnel`,
      { accountId, name: fullName, configSrc: "cloudflare" },
      options,
    );
    const input = pulumi.all([tunnel.id, apiToken]).apply(([tunnelId, token]) => {
      const values: EndInput = { accountId, tunnelId, apiToken: token };
      return JSON.stringify(values);
    });
    // Deleted before the tunnel, which it depends on. Another API token changes it in place: that is no end of the tunnel.
    new command.local.Command(
      `${name}-end`,
      {
        delete: hookCommand("end-connections"),
        stdin: pulumi.secret(input),
        triggers: [tunnel.id],
        addPreviousOutputInEnv: false,
        logging: command.local.Logging.Stdout,
      },
      { parent: this, dependsOn: tunnel },
    );
    const ingresses = [{ hostname: host, service }, { service: "http_status:404" }];
    const config = new cloudflare.ZeroTrustTunnelCloudflaredConfig(
      `${name}-config`,
      { accountId, tunnelId: tunnel.id, source: "cloudflare", config: { ingresses } },
      options,
    );
    // Access and firewall stand before the name leads anywhere, so that there is no open moment.
    const guarded = Object.values(access).flat().length > 0;
    const application = guarded ? [accessTo(name, fullName, { host, accountId, access }, options)] : [];
    const rules = firewall ? [firewallBefore(name, { zoneId, apiToken, firewall }, { parent: this })] : [];
    new cloudflare.DnsRecord(
      `${name}-name`,
      {
        zoneId,
        name: host,
        type: "CNAME",
        content: pulumi.interpolate`${tunnel.id}.cfargotunnel.com`,
        proxied: true,
        // Automatic, the only one that a proxied record may have.
        ttl: 1,
      },
      { ...options, dependsOn: [config, ...application, ...rules] },
    );

    const { token } = cloudflare.getZeroTrustTunnelCloudflaredTokenOutput({ accountId, tunnelId: tunnel.id }, options);
    this.token = pulumi.secret(token);
    this.registerOutputs({ token: this.token });
  }
}

/** Not the provider's Ruleset: it would replace all rules that the zone has in a phase, whoever made them. */
function firewallBefore(
  name: string,
  { zoneId, apiToken, firewall }: Pick<TunnelRequest, "zoneId" | "apiToken"> & { readonly firewall: Firewall },
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const { owner, tokenKey } = firewall;
  const input = pulumi.all([firewall.rules, apiToken]).apply(([rules, token]) => {
    const values: FirewallInput = { zoneId, apiToken: token, owner, rules, tokenKey };
    return JSON.stringify(values);
  });
  const hook = hookCommand("firewall");
  return new command.local.Command(
    `${name}-firewall`,
    {
      create: `${hook} apply`,
      delete: `${hook} remove`,
      stdin: pulumi.secret(input),
      // In another zone, or by another name, the rules are others. All else changes them in place.
      triggers: [zoneId, owner],
      addPreviousOutputInEnv: false,
      logging: command.local.Logging.Stdout,
    },
    // A plan may have room for one rule alone.
    { ...opts, deleteBeforeReplace: true },
  );
}

function accessTo(
  name: string,
  fullName: string,
  { host, accountId, access }: Pick<TunnelRequest, "host" | "accountId" | "access">,
  options: pulumi.CustomResourceOptions,
): cloudflare.ZeroTrustAccessApplication {
  const { emails, identityProviders, groups, serviceTokens } = access;
  const policy = (suffix: string, decision: string, includes: cloudflare.types.input.ZeroTrustAccessPolicyInclude[]) =>
    includes.length === 0
      ? []
      : [
          new cloudflare.ZeroTrustAccessPolicy(
            `${name}-access-${suffix}`,
            { accountId, name: suffix === "policy" ? fullName : `${fullName}-${suffix}`, decision, includes },
            options,
          ),
        ];
  const people = policy("policy", "allow", [
    ...emails.map((email) => ({ email: { email } })),
    ...groups.map((id) => ({ group: { id } })),
    ...identityProviders.map((id) => ({ loginMethod: { id } })),
  ]);
  // Programs sign in nowhere: their token alone counts. (Cloudflare has no nonIdentity, which a comment of the SDK names.)
  const programs = policy(
    "programs",
    "non_identity",
    serviceTokens.map((tokenId) => ({ serviceToken: { tokenId } })),
  );
  return new cloudflare.ZeroTrustAccessApplication(
    `${name}-access`,
    {
      accountId,
      name: fullName,
      type: "self_hosted",
      domain: host,
      sessionDuration: "24h",
      policies: [...people, ...programs].map(({ id }, index) => ({ id, precedence: index + 1 })),
      // Without a mail code or a group of other providers, nobody need be offered more ways to sign in.
      ...(identityProviders.length > 0 &&
        emails.length + groups.length === 0 && { allowedIdps: [...identityProviders] }),
      ...(people.length === 0 && { serviceAuth401Redirect: true }),
    },
    options,
  );
}
