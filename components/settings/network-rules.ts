import { isIP } from "node:net";
import { z } from "zod";
import { inMainland } from "../apps/mainland";
import { isPrivate, nameProvider } from "../host/free-name";
import { sharedDomain } from "../host/names";
import { json } from "./checks";
import { type Problem, when } from "./problem";
import type { PlainSettings, SettingValues } from "./table";

/** Regions under Chinese law on filings: all of cn- but Hong Kong (https://www.alibabacloud.com/help/en/icp-filing/). */
export function isMainland(region: string): boolean {
  return region.startsWith("cn-") && region !== "cn-hongkong";
}

/** Apprise's schemes of services that do not answer in mainland China (https://en.wikipedia.org/wiki/List_of_websites_blocked_in_mainland_China). */
const blocked: Readonly<Record<string, string>> = {
  discord: "Discord",
  gchat: "Google Chat",
  line: "LINE",
  reddit: "Reddit",
  tgram: "Telegram",
  tweet: "X",
  twitter: "X",
  whatsapp: "WhatsApp",
  x: "X",
};

/** What does not work with these settings where the downloads come from, or where the host is. */
export function networkProblems(values: PlainSettings): Problem[] {
  if (values.network !== "mainland")
    return when(
      values.network === "world" && Object.keys(values.mirrors ?? {}).length > 0,
      "mirrors",
      "has no effect while network is world",
    ).concat(filingProblems(values));
  return [
    ...when(
      values.mirrors?.dockerApt !== undefined && values.dockerAptRepository !== undefined,
      "dockerAptRepository",
      "has its mirror in mirrors, too (dockerApt): set only one of the two",
    ),
    ...newsProblems(values.notify),
    ...filingProblems(values),
  ];
}

const addresses = json(z.array(z.string()));

function newsProblems(notify: string | undefined): Problem[] {
  const given = addresses.safeParse(notify ?? "[]").data ?? [];
  const schemes = given.map((address) => /^([a-z0-9]+):/i.exec(address)?.[1]?.toLowerCase() ?? "");
  const named = [...new Set(schemes.filter((scheme) => Object.hasOwn(blocked, scheme)))];
  return named.map((scheme) => ({
    key: "notify",
    fault: `has an address of ${blocked[scheme] ?? ""} (${scheme}://), which does not answer ${inMainland}, and the notifier uses no proxy: use bark://, dingtalk://, feishu:// or wecombot://`,
  }));
}

/** At ports 80 and 443 the mainland serves filed domains alone; nobody can file a name that belongs to somebody else. */
function filingProblems({ target, network, region = "", icpFiled, domain, hostAddress }: PlainSettings): Problem[] {
  const cloud = target === "alicloud" && isMainland(region);
  // One on a network of one's own serves that network, whatever the filing.
  const reachable =
    target === "existing" && network === "mainland" && hostAddress !== undefined && !isPrivate(hostAddress);
  if (!cloud && !reachable) return [];
  // Of a region without a filing the rules of the target say more.
  if (icpFiled !== true)
    return when(
      reachable,
      "icpFiled",
      `is not true: ${inMainland} a machine serves ports 80 and 443 to a domain with an ICP filing only`,
    );
  if (domain === undefined)
    return when(
      cloud || isIP(hostAddress ?? "") === 4,
      "domain",
      "is missing: <address>.sslip.io cannot have an ICP filing, without which mainland China blocks a site",
    );
  return when(
    nameProvider(domain) !== undefined || sharedDomain(domain) !== undefined,
    "domain",
    "is a name of somebody else's domain, which cannot have an ICP filing, without which mainland China blocks a site",
  );
}

/** What works, but would be better otherwise. */
export function networkWarnings({ target, network, region }: SettingValues): Problem[] {
  return when(
    target === "alicloud" && network === "world" && isMainland(region),
    "network",
    "is world, but region is in mainland China, where Docker Hub, GitHub, npm and PyPI are slow or blocked: mainland takes everything from mirrors",
  );
}
