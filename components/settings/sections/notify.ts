import { newsAddresses, newsKind, newsKinds, placeholderAddresses, quietHours } from "../../notify/news";
import { billingKey, billingSites, placeholderBillingKey } from "../../notify/billing";
import { bool, choice, list, number, secret, text } from "../setting";

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
      "What news is sent: done, failed, permission and question are OpenCode's; check is a red check and its end; backup, reboot, login, certificate, deploy and spot (a spot machine is taken back) are the home's; cost is a limit of a month that comes near.",
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
  billingKey: secret(billingKey, {
    description:
      "Access key of a RAM user with docs/ram-policy-billing.json and no other right, as JSON with id and secret: the host asks Alibaba Cloud for bill and balance with it. Needs notify.",
    placeholder: placeholderBillingKey,
    example: '\'{"id":"LTAI0123456789","secret":"0123456789abcdef"}\'',
  }),
  billingSite: choice(billingSites, `is none of ${billingSites.join(", ")}`, {
    description: "Where that account is: international (alibabacloud.com) or china (aliyun.com).",
    example: "china",
    default: "international",
  }),
  monthlyLimit: number(1, 1e9, {
    description:
      "Most that the account's bill of a month should reach, in the account's currency: there is news at 50, 80 and 100 %. Nothing is stopped. Needs billingKey.",
    example: "40",
  }),
};
