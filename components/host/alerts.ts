import * as pulumi from "@pulumi/pulumi";
import type { MailSettings } from "../settings/settings";
import type { TemplateValues } from "../stack/template";

/** Who hears of it when a host's daily self-check finds something red. */
export interface AlertSettings {
  /** Address that alerts are posted to; a secret. Undefined: none. Setting `alertWebhook`. */
  readonly webhook: pulumi.Output<string> | undefined;
  /** Undefined: nobody by mail. */
  readonly mail: { readonly server: MailSettings; readonly to: string } | undefined;
}

/** curl's words for Authelia's (https://www.authelia.com/configuration/notifications/smtp/#address). */
const mailSchemes = {
  "submission:": { scheme: "smtp", port: "587", secure: true },
  "submissions:": { scheme: "smtps", port: "465", secure: true },
  "smtp:": { scheme: "smtp", port: "25", secure: false },
} as const;

function isMailScheme(protocol: string): protocol is keyof typeof mailSchemes {
  return Object.hasOwn(mailSchemes, protocol);
}

/**
 * What curl is given the mail server. Nobody logs in without TLS, as with Authelia.
 *
 * @throws Error for an address that the settings would have refused
 */
export function curlMail(
  address: string,
  username: string | undefined,
): { readonly url: string; readonly secure: boolean } {
  const { protocol, hostname, port } = new URL(address);
  if (!isMailScheme(protocol)) throw new Error(`${protocol} is not a scheme of a mail server`);
  const { scheme, port: usual, secure } = mailSchemes[protocol];
  return { url: `${scheme}://${hostname}:${port || usual}`, secure: secure || username !== undefined };
}

/** `alerts` of `stack-templates/host/`. */
export function alertValues({ webhook, mail }: AlertSettings): TemplateValues {
  return {
    webhook: webhook !== undefined,
    mail: mail !== undefined && {
      ...curlMail(mail.server.address, mail.server.username),
      to: mail.to,
      from: mail.server.sender ?? mail.to,
      username: mail.server.username,
    },
  };
}

/** `secrets.NAME` of the templates. */
export function alertSecrets({ webhook, mail }: AlertSettings): Record<string, pulumi.Output<string>> {
  const none = pulumi.output("");
  return { alertWebhook: webhook ?? none, mailPassword: mail?.server.password ?? none };
}
