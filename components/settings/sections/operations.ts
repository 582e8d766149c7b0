import * as check from "../checks";
import { bool, secret, text } from "../setting";

/** What looks after the host while nobody does. */
export const operationsSettings = {
  automaticUpdates: bool({
    description: "Whether the host installs its distribution's security updates by itself.",
    example: "true",
    default: true,
  }),
  updateRebootTime: text(check.clockTime, {
    description:
      "When the host may reboot for an update that needs it, in its own time zone; Apps do not answer for a minute. Default: never; ops status is red when a reboot is needed.",
    example: "04:30",
  }),
  alertWebhook: secret(check.webhook, {
    description:
      'Address that a daily self-check posts to, only when something is red (Slack, Mattermost, ntfy and others take its {"text": …}; DingTalk, WeCom and Feishu get their own form, with "cloudcode" as a keyword).',
    example: "https://hooks.example.com/services/T0/B0/XXXX",
  }),
  alertMail: bool({
    description: "Whether the daily self-check mails adminEmail through smtpAddress, only when something is red.",
    example: "true",
    default: false,
  }),
};
