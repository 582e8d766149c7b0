import type * as pulumi from "@pulumi/pulumi";
import { type Mirrors, goProxy } from "../mirrors";
import { OperatorError } from "../operator-error";
import { type AcmeDns, credentialsOf, credentialsShape, dnsModule, fieldsOf } from "../reverse-proxy/acme-dns";
import type { Settings, WithText } from "./settings";
import type { PlainSettings, SettingValues } from "./table";

/**
 * Who keeps the domain's records with its token; on standby another machine does, where the names lead.
 *
 * @param withToken calls with the text of the token, where it is known already
 */
export function domainKeeper(
  { domain, domainToken: token, domainProvider, standby }: SettingValues,
  withToken: WithText | undefined,
): Pick<Settings, "freeName" | "records"> {
  if (standby || domain === undefined || token === undefined) return { freeName: undefined, records: undefined };
  if (domainProvider === undefined) return { freeName: { domain, token }, records: undefined };
  return { freeName: undefined, records: { domain, token, withToken } };
}

/**
 * How certificates are issued by DNS records; undefined: they are not.
 *
 * @param later settings that are known only when resources exist
 * @throws OperatorError, by its output, where such credentials are none
 */
export function toAcmeDns(
  values: SettingValues,
  plain: PlainSettings,
  later: Readonly<Record<string, pulumi.Output<string>>>,
  mirrors: Mirrors | undefined,
): AcmeDns | undefined {
  const module = values.acmeDns === undefined ? undefined : dnsModule(values.acmeDns);
  const key = values.acmeDnsCredentials === undefined ? "domainToken" : "acmeDnsCredentials";
  const text = values[key];
  if (module === undefined || text === undefined) return undefined;
  const credentials = text.apply((given) => {
    const read = credentialsOf(module, given);
    if (read === undefined) throw new OperatorError(`${key} is not ${credentialsShape(module)}`);
    return read;
  });
  return {
    module,
    fields: fieldsOf(module, key in later ? undefined : credentialsOf(module, plain[key] ?? "")),
    credentials,
    wildcard: values.acmeWildcard,
    goProxy: mirrors?.go ?? goProxy,
  };
}
