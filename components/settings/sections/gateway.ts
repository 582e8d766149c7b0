import * as check from "../checks";
import { people } from "../people";
import { array, secret, text } from "../setting";

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
  people: array(people, {
    description:
      "Up to four more people, each with a name, a mail address and the Apps that they reach. They have passwords and second factors of their own, but share the Apps' data with you: an App that gives you a shell gives them the same. First passwords: pulumi stack output peoplePasswords --show-secrets. See docs/people.md.",
    example: '\'[{"name":"jo","mail":"jo@example.com","apps":["memos"]}]\'',
    default: [],
  }),
  sessionInactivity: text(check.sessionTime, {
    description:
      "After how long without a request a session ends. The default lets you open your phone the next morning without signing in; a shared device wants 30m.",
    example: "30m",
    default: "1d",
  }),
  sessionLifetime: text(check.sessionTime, {
    description:
      "After how long a session ends, however busy it is. The default is a week of one person's own devices; a shared device wants 12h.",
    example: "12h",
    default: "7d",
  }),
  sessionRemembered: text(check.sessionTimeOrOff, {
    description:
      "How long a device stays signed in that was asked to be remembered, with or without requests; off: the sign-in page does not offer it.",
    example: "off",
    default: "1M",
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
