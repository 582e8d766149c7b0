import * as check from "../checks";
import { secret, text } from "../setting";

/** Who logs in, and how codes reach them. */
export const gatewaySettings = {
  adminUsername: text(check.loginName, {
    description: "Name with which the operator signs in.",
    example: "admin",
    default: "admin",
  }),
  adminPassword: secret(check.password, {
    description:
      "The operator's first password. Default: generated; see pulumi stack output adminPassword --show-secrets.",
    example: "'a long passphrase of yours'",
  }),
  adminEmail: text(check.email, {
    description: "The operator's mail address, for one-time codes and alerts. Default: adminUsername@domain.",
    example: "you@example.com",
  }),
  smtpAddress: text(check.smtpAddress, {
    description:
      "Mail server for one-time codes: submission://, submissions:// or smtp://. Default: codes go to a file on the host.",
    example: "submission://smtp.example.com:587",
  }),
  smtpUsername: text(check.oneLine, {
    description: "User of the mail server.",
    example: "mailer@example.com",
  }),
  smtpPassword: secret(check.oneLine, {
    description: "Password of the mail server.",
    example: "'…'",
  }),
  smtpSender: text(check.email, { description: "Sender of mails. Default: adminEmail.", example: "login@example.com" }),
};
