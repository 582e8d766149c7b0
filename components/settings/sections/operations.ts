import * as check from "../checks";
import { bool, secret, text } from "../setting";

/** What looks after the host while nobody does. */
export const operationsSettings = {
  automaticUpdates: bool({
    description: "Whether the host installs security updates automatically, including Docker's.",
    example: "true",
    default: true,
  }),
  updateRebootTime: text(check.clockTime, {
    description:
      "When the host may reboot for an update that needs it, in the host's time zone; the Apps are unavailable for a minute. Default: never; ops status is red while a reboot is needed.",
    example: "04:30",
  }),
  alertWebhook: secret(check.webhook, {
    description:
      'Deprecated, use notify: URL that a daily self-check posts to, only if something is red (Slack, Mattermost, ntfy and others accept its {"text": …}; DingTalk, WeCom and Feishu get their own format, with "cloudcode" as a keyword).',
    example: "https://hooks.example.com/services/T0/B0/XXXX",
  }),
  alertMail: bool({
    description:
      "Deprecated, use notify: whether the daily self-check sends a mail to adminEmail through smtpAddress, only if something is red.",
    example: "true",
    default: false,
  }),
};
