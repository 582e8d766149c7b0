import { newsAddresses, newsKind, newsKinds, placeholderAddresses, quietHours } from "../../notify/news";
import { bool, list, secret, text } from "../setting";

/** News on the operator's phone. */
export const notifySettings = {
  notify: secret(newsAddresses, {
    description:
      "Where news of the home and of OpenCode is sent: a list of addresses of Apprise (https://github.com/caronc/apprise/wiki), such as tgram://, ntfys://, bark://, feishu://, dingtalk://, wecombot://, slack://, discord:// and mailtos://.",
    placeholder: placeholderAddresses,
    example: "'[\"ntfys://ntfy.example.com/my-topic\"]'",
  }),
  notifyEvents: list(newsKind, {
    description:
      "What news is sent: done, failed, permission and question are OpenCode's; check is a red check and its end; backup, reboot, login, certificate, deploy and spot (a spot machine is taken back) are the home's.",
    example: '\'["failed","permission","question","check","backup","login"]\'',
    default: newsKinds,
  }),
  notifyQuietHours: text(quietHours, {
    description: "Hours in the time zone timeZone in which news waits for their end, but for a login. Default: none.",
    example: "22:00-07:00",
  }),
  notifyDetails: bool({
    description: "Whether news of OpenCode holds commands, paths, questions, error texts and the end of an answer.",
    example: "true",
    default: false,
  }),
};
