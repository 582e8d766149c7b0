import { portalSubdomain } from "../routes";
import { appKinds } from "../apps/registry";
import { minutesOf } from "./checks";
import { domainProblems } from "./domain-rules";
import { networkProblems } from "./network-rules";
import { holds } from "./networks";
import { peopleProblems } from "./people-rules";
import { type Problem, missing, when } from "./problem";
import type { PlainSettings, SettingKey } from "./table";
import { targetProblems } from "./target-rules";

/** Of two lengths of time; false where one of them is none. */
function isLonger(one = "", other = ""): boolean {
  const [first, second] = [minutesOf(one), minutesOf(other)];
  return first !== undefined && second !== undefined && first > second;
}

/** Problems between settings that belong to no Target and no App. */
function generalProblems(values: PlainSettings): Problem[] {
  const { smtpAddress, smtpUsername, smtpPassword, imageRegistry, registryMirrors = [], dockerAddressPool } = values;
  return [
    ...when(
      (smtpUsername !== undefined || smtpPassword !== undefined) && smtpAddress === undefined,
      "smtpAddress",
      "is missing, but smtpUsername or smtpPassword is set",
    ),
    ...when(
      smtpUsername !== undefined && smtpPassword === undefined,
      "smtpPassword",
      "is missing, but smtpUsername is set",
    ),
    ...when(
      smtpPassword !== undefined && smtpUsername === undefined,
      "smtpUsername",
      "is missing, but smtpPassword is set",
    ),
    ...when(
      isLonger(values.sessionInactivity, values.sessionLifetime),
      "sessionInactivity",
      `is longer than sessionLifetime (${values.sessionLifetime}), so it would have no effect`,
    ),
    ...when(
      isLonger(values.sessionLifetime, values.sessionRemembered),
      "sessionRemembered",
      `is shorter than sessionLifetime (${values.sessionLifetime}): a remembered device would have to sign in more often than another`,
    ),
    ...when(
      values.alertMail === true && (smtpAddress === undefined || values.adminEmail === undefined),
      "alertMail",
      "needs smtpAddress and adminEmail",
    ),
    ...when(
      values.notifyQuietHours !== undefined && values.notify === undefined,
      "notifyQuietHours",
      "has no effect without notify",
    ),
    ...when(
      values.notifyDetails === true && values.notify === undefined,
      "notifyDetails",
      "has no effect without notify",
    ),
    ...when(
      values.billingKey !== undefined && values.notify === undefined,
      "billingKey",
      "has no effect without notify: the notifier asks for the bill",
    ),
    ...when(
      values.monthlyLimit !== undefined && values.billingKey === undefined,
      "monthlyLimit",
      "needs billingKey, by which the bill is read",
    ),
    ...when(
      values.updateRebootTime !== undefined && values.automaticUpdates === false,
      "updateRebootTime",
      "has no effect while automaticUpdates is false",
    ),
    ...when(
      imageRegistry !== undefined && registryMirrors.length > 0,
      "registryMirrors",
      "has no effect together with imageRegistry: set only one of the two",
    ),
    ...when(
      dockerAddressPool !== undefined && !/:|^(10|192\.168|172\.(1[6-9]|2\d|3[01]))\./.test(dockerAddressPool),
      "dockerAddressPool",
      "is not a part of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16: containers could not reach the real hosts there",
    ),
    ...when(
      dockerAddressPool !== undefined && holds(dockerAddressPool, values.hostAddress ?? ""),
      "dockerAddressPool",
      "contains hostAddress, which containers could then not reach",
    ),
    ...when(
      dockerAddressPool !== undefined &&
        (dockerAddressPool.includes(":") || Number(dockerAddressPool.split("/")[1]) > 20),
      "dockerAddressPool",
      "is not an IPv4 network of at least /20, room for 16 networks",
    ),
  ];
}

/** What each kind of store of backups needs, and what none of them uses. */
function backupProblems(values: PlainSettings): Problem[] {
  const { backupRepository: repository, backupKeepDaily, backupKeepWeekly, backupKeepMonthly } = values;
  const s3 = ["backupAccessKeyId", "backupSecretAccessKey"] as const;
  const sftp = ["backupPrivateKey", "backupHostKey"] as const;
  const unused = (keys: readonly (keyof PlainSettings)[], why: string) =>
    keys.flatMap((key) => when(values[key] !== undefined, key, why));
  return [
    ...(repository?.startsWith("s3:") === true
      ? missing(values, s3, "backupRepository is an S3 store")
      : unused(s3, "has no effect: backupRepository is not an S3 store")),
    ...(repository?.startsWith("sftp:") === true
      ? missing(values, sftp, "backupRepository is an SFTP store")
      : unused(sftp, "has no effect: backupRepository is not an SFTP store")),
    ...when(
      [backupKeepDaily, backupKeepWeekly, backupKeepMonthly].every((count) => count === 0),
      "backupKeepDaily",
      "is 0 like backupKeepWeekly and backupKeepMonthly: no backup would be kept",
    ),
  ];
}

interface Subdomain {
  readonly key: SettingKey;
  readonly subdomain: string;
}

/** Two Apps at one name make Caddy refuse its whole configuration (caddyserver/caddy#1999). */
function duplicateHosts(values: PlainSettings): Problem[] {
  const taken = new Map<string, string>([[portalSubdomain, "the sign-in portal"]]);
  const enabled = appKinds.filter((kind) => values[kind.enabled]);
  const own = enabled.flatMap(({ subdomains }) => subdomains.map((key) => ({ key, subdomain: values[key] })));
  const more = enabled.flatMap((kind): readonly Subdomain[] => kind.moreSubdomains?.(values) ?? []);
  return [...own, ...more].flatMap(({ key, subdomain }) => {
    if (subdomain === undefined) return [];
    const owner = taken.get(subdomain);
    taken.set(subdomain, key);
    if (owner === undefined) return [];
    const what = subdomain === values[key] ? "is" : "makes a subdomain that is";
    return [{ key, fault: `${what} already the subdomain of ${owner}` }];
  });
}

/**
 * All problems between keys.
 *
 * @param values those that passed their own checks
 * @param broken keys that did not: their own fault is reported already, so their rules stay silent
 */
export function crossFieldProblems(values: PlainSettings, broken: ReadonlySet<string>): Problem[] {
  const ofApps = appKinds.flatMap((kind) => (values[kind.enabled] ? kind.problems(values, values) : []));
  return [
    ...targetProblems(values),
    ...generalProblems(values),
    ...networkProblems(values),
    ...domainProblems(values),
    ...backupProblems(values),
    ...peopleProblems(values),
    ...ofApps,
    ...duplicateHosts(values),
  ].filter(({ key }) => !broken.has(key));
}
