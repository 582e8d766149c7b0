import * as cloudflare from "@pulumi/cloudflare";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { hookCommand } from "../hook";
import type { EndInput } from "./end-connections";

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
  /** Mail addresses of those whom Cloudflare Access lets through; none: it asks nobody. */
  readonly emails: readonly string[];
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
    { host, service, accountId, zoneId, apiToken, emails }: TunnelRequest,
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
    // Access stands before the name leads anywhere, so that there is no open moment.
    const access = emails.length > 0 ? [accessTo(name, fullName, { host, accountId, emails }, options)] : [];
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
      { ...options, dependsOn: [config, ...access] },
    );

    const { token } = cloudflare.getZeroTrustTunnelCloudflaredTokenOutput({ accountId, tunnelId: tunnel.id }, options);
    this.token = pulumi.secret(token);
    this.registerOutputs({ token: this.token });
  }
}

function accessTo(
  name: string,
  fullName: string,
  { host, accountId, emails }: Pick<TunnelRequest, "host" | "accountId" | "emails">,
  options: pulumi.CustomResourceOptions,
): cloudflare.ZeroTrustAccessApplication {
  const policy = new cloudflare.ZeroTrustAccessPolicy(
    `${name}-access-policy`,
    { accountId, name: fullName, decision: "allow", includes: emails.map((email) => ({ email: { email } })) },
    options,
  );
  return new cloudflare.ZeroTrustAccessApplication(
    `${name}-access`,
    {
      accountId,
      name: fullName,
      type: "self_hosted",
      domain: host,
      sessionDuration: "24h",
      policies: [{ id: policy.id, precedence: 1 }],
    },
    options,
  );
}
