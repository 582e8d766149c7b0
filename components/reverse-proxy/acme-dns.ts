import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

/** A module of Caddy that answers the ACME challenge DNS-01 at one DNS provider (https://github.com/caddy-dns). */
export interface DnsModule {
  /** `NAME` of Caddy's module `dns.providers.NAME`. */
  readonly name: string;
  /** Go module and version, as xcaddy takes it. */
  readonly module: string;
  /** Fields of its block in a Caddyfile; undefined: not known. */
  readonly fields: { readonly needed: readonly string[]; readonly optional: readonly string[] } | undefined;
  /** Whether the value of the only field stands behind the name, in place of a block. */
  readonly inline: boolean;
  /** Time that the provider's name servers need for a new record, as Caddy writes it; undefined: Caddy asks them at once. */
  readonly delay: string | undefined;
}

/** How certificates are issued by DNS records. */
export interface AcmeDns {
  readonly module: DnsModule;
  /** Fields that have a value. */
  readonly fields: readonly string[];
  /** Values by field; a secret. */
  readonly credentials: pulumi.Output<Readonly<Record<string, string>>>;
  /** One certificate for all names below the domain. Default false; setting `acmeWildcard`. */
  readonly wildcard: boolean;
  /** Where the host gets Go modules. Default the public proxy; settings `network`, `mirrors`. */
  readonly goProxy: string;
}

interface Known {
  /** Below github.com/caddy-dns. @default the provider's name */
  readonly path?: string;
  readonly needed: readonly string[];
  readonly optional?: readonly string[];
  readonly inline?: true;
  readonly delay?: string;
  readonly version: string;
}

/** Fields as each module's UnmarshalCaddyfile reads them. Versions are for libdns 1, which Caddy has since 2.10. */
const known: Readonly<Record<string, Known>> = {
  alidns: {
    needed: ["access_key_id", "access_key_secret"],
    // renovate: datasource=go depName=github.com/caddy-dns/alidns
    version: "v1.0.26",
  },
  cloudflare: {
    needed: ["api_token"],
    inline: true,
    // renovate: datasource=go depName=github.com/caddy-dns/cloudflare
    version: "v0.2.4",
  },
  desec: {
    needed: ["token"],
    // renovate: datasource=go depName=github.com/caddy-dns/desec
    version: "v1.1.0",
  },
  digitalocean: {
    needed: ["api_token"],
    inline: true,
    // renovate: datasource=go depName=github.com/caddy-dns/digitalocean
    version: "v0.0.0-20250606074528-04bde2867106",
  },
  duckdns: {
    needed: ["api_token"],
    inline: true,
    // renovate: datasource=go depName=github.com/caddy-dns/duckdns
    version: "v0.5.0",
  },
  hetzner: {
    path: "hetzner/v2",
    needed: ["api_token"],
    inline: true,
    // caddy-dns/hetzner#11
    delay: "30s",
    // renovate: datasource=go depName=github.com/caddy-dns/hetzner/v2
    version: "v2.0.1",
  },
  ionos: {
    needed: ["api_token"],
    inline: true,
    // renovate: datasource=go depName=github.com/caddy-dns/ionos
    version: "v1.2.0",
  },
  linode: {
    needed: ["api_token"],
    inline: true,
    // renovate: datasource=go depName=github.com/caddy-dns/linode
    version: "v0.8.0",
  },
  namecheap: {
    needed: ["api_key", "user"],
    optional: ["client_ip"],
    // renovate: datasource=go depName=github.com/caddy-dns/namecheap
    version: "v1.0.0",
  },
  netcup: {
    needed: ["customer_number", "api_key", "api_password"],
    // renovate: datasource=go depName=github.com/caddy-dns/netcup
    version: "v1.0.0",
  },
  ovh: {
    needed: ["endpoint", "application_key", "application_secret", "consumer_key"],
    // renovate: datasource=go depName=github.com/caddy-dns/ovh
    version: "v1.1.0",
  },
  porkbun: {
    needed: ["api_key", "api_secret_key"],
    // renovate: datasource=go depName=github.com/caddy-dns/porkbun
    version: "v0.3.1",
  },
  rfc2136: {
    needed: ["server", "key_name", "key_alg", "key"],
    // renovate: datasource=go depName=github.com/caddy-dns/rfc2136
    version: "v1.0.0",
  },
  route53: {
    needed: ["access_key_id", "secret_access_key"],
    optional: ["region", "session_token", "hosted_zone_id"],
    // renovate: datasource=go depName=github.com/caddy-dns/route53
    version: "v1.6.2",
  },
  tencentcloud: {
    needed: ["secret_id", "secret_key"],
    // renovate: datasource=go depName=github.com/caddy-dns/tencentcloud
    version: "v0.4.3",
  },
  vultr: {
    needed: ["api_token"],
    inline: true,
    // renovate: datasource=go depName=github.com/caddy-dns/vultr
    version: "v0.0.0-20250723121531-55bf3e9768be",
  },
};

/** Names of the providers whose modules have a version and fields here. */
export const dnsProviders = Object.keys(known);

const goModule =
  /^(github\.com\/caddy-dns\/([a-z0-9][a-z0-9-]*)(?:\/v\d+)?)@v\d+\.\d+\.\d+(?:-[\w.-]+)?(?:\+incompatible)?$/;

/** The module that a value of the setting `acmeDns` names; undefined: none. */
export function dnsModule(text: string): DnsModule | undefined {
  if (Object.hasOwn(known, text)) {
    const { path = text, needed, optional = [], inline = false, delay, version } = known[text] as Known;
    return {
      name: text,
      module: `github.com/caddy-dns/${path}@${version}`,
      fields: { needed, optional },
      inline,
      delay,
    };
  }
  const [, , name] = goModule.exec(text) ?? [];
  return name === undefined ? undefined : { name, module: text, fields: undefined, inline: false, delay: undefined };
}

/** The setting `acmeDns`. */
export const acmeDnsProvider = z
  .string("is not a string")
  .refine(
    (value) => dnsModule(value) !== undefined,
    `is not one of ${dnsProviders.join(", ")}, nor a module with its version such as github.com/caddy-dns/NAME@v1.2.3`,
  );

const values = z.record(
  z.string().regex(/^[a-z][a-z0-9_]*$/),
  z
    .string()
    .min(1)
    .max(4096)
    .regex(/^[^\0\r\n]*$/),
);

const isToken = (text: string) => /^[\x21-\x7e]{1,4096}$/.test(text) && !text.startsWith("{");

/** The setting `acmeDnsCredentials`, whatever the provider: a token, or a JSON object of texts. */
export const acmeDnsCredentials = z
  .string("is not a string")
  .refine((text) => isToken(text) || objectOf(text) !== undefined, "is neither a token nor a JSON object of texts");

function objectOf(text: string): Readonly<Record<string, string>> | undefined {
  try {
    return values.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** What the credentials of a module look like, in words. */
export function credentialsShape({ name, fields }: DnsModule): string {
  if (fields === undefined) return `a token or JSON with the fields of ${name}`;
  if (fields.needed.length === 1) return `the ${fields.needed.join("")} of ${name}`;
  const more = fields.optional.length === 0 ? "" : ` and, if you need them, ${fields.optional.join(", ")}`;
  return `JSON with ${fields.needed.join(", ")}${more}`;
}

/** The only field of a module whose fields are not known, where its credentials are a token. */
const lone = "token";

/**
 * Values by field.
 *
 * @param text one that the setting `acmeDnsCredentials` takes
 * @returns undefined where it does not have {@link credentialsShape}
 */
export function credentialsOf({ fields }: DnsModule, text: string): Readonly<Record<string, string>> | undefined {
  if (fields === undefined) return objectOf(text) ?? (isToken(text) ? { [lone]: text } : undefined);
  const [only, ...others] = fields.needed;
  if (only !== undefined && others.length === 0) return isToken(text) ? { [only]: text } : undefined;
  const given = objectOf(text);
  if (given === undefined) return undefined;
  const takes = [...fields.needed, ...fields.optional];
  const fits =
    fields.needed.every((field) => field in given) && Object.keys(given).every((field) => takes.includes(field));
  return fits ? given : undefined;
}

/** Names of the fields that have a value. @param credentials undefined: not known yet, so that it has those that it needs */
export function fieldsOf(
  { fields }: DnsModule,
  credentials: Readonly<Record<string, string>> | undefined,
): readonly string[] {
  return credentials ? Object.keys(credentials) : (fields?.needed ?? [lone]);
}

/** How a Caddyfile names the provider, with placeholders for files in place of the credentials. */
export function caddyProvider(
  { name, inline, fields: knownFields, delay }: DnsModule,
  fields: readonly string[],
): { readonly line: string; readonly block: readonly string[]; readonly delay: string } {
  const placeholder = (field: string) => `{file./run/secrets/${field}}`;
  const behind = inline || (knownFields === undefined && fields.length === 1 && fields[0] === lone);
  return {
    line: ["dns", name, ...(behind ? fields.map(placeholder) : [])].join(" "),
    block: behind ? [] : fields.map((field) => `${field} ${placeholder(field)}`),
    delay: delay ?? "",
  };
}
