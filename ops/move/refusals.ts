import { isDeepStrictEqual } from "node:util";
import { alicloudSettings } from "../../components/settings/sections/alicloud";
import { backupSettings } from "../../components/settings/sections/backup";
import { dockerSettings } from "../../components/settings/sections/docker";
import { operationsSettings } from "../../components/settings/sections/operations";
import { existingSettings } from "../../components/settings/sections/target";
import type { Setting } from "../../components/settings/setting";
import { type PlainSettings, type SettingKey, settingKeys, settingsTable } from "../../components/settings/table";
import type { Place } from "./plan";

/** Settings of a machine, and of what looks after it: two hosts of one home need not have them in common. */
const ofMachine: ReadonlySet<string> = new Set([
  ...Object.keys({ ...alicloudSettings, ...existingSettings, ...dockerSettings, ...operationsSettings }),
  ...Object.keys(backupSettings).filter((key) => key !== "backupRepository"),
  "target",
  "domainAddress",
  "sshCidrs",
  "webCidrs",
  "network",
  "mirrors",
  "standby",
  "deleteData",
]);
const isOfMachine = (key: SettingKey) => ofMachine.has(key) || /MemoryMiB$/.test(key);

/** A stack of a move: its name, and its settings as its program reads them. */
export interface Named {
  readonly name: string;
  readonly values: PlainSettings;
}

/**
 * What the settings of two stacks say against a move, before any machine is asked.
 *
 * @param passwords that the backups of both are encrypted with; undefined: none is known
 */
export function settingsAgainst(
  former: Named,
  next: Named,
  passwords: { readonly former: string | undefined; readonly next: string | undefined },
): string[] {
  const { values: old } = former;
  const { values: fresh } = next;
  const set = (key: string) => `pulumi config set ${key} … --stack ${next.name}`;
  const problems: string[] = [];
  if (old.domain === undefined)
    problems.push(
      `domain: ${former.name} has a name that is made of its address, which another machine cannot have, and passkeys belong to a name; set domain to a name of your own first (docs/domain.md)`,
    );
  if (old.backupRepository === undefined)
    problems.push(`backupRepository: ${former.name} has none, and the data travels by way of it`);
  else if (old.backupRepository === "oss" || old.backupRepository.startsWith("/"))
    problems.push(
      `backupRepository: ${former.name} has ${old.backupRepository}, which another host cannot read; both need one repository, s3:… or sftp:…`,
    );
  else if (passwords.former !== passwords.next)
    problems.push(
      `backupPassword: ${next.name} needs that of ${former.name}: pulumi stack output backupPassword --show-secrets --stack ${former.name} | pulumi config set --secret backupPassword --stack ${next.name}`,
    );
  if (old.lwsandboxEnabled === true || fresh.lwsandboxEnabled === true)
    problems.push(
      "lwsandboxEnabled: the k3s of lwsandbox and its workers belong to one machine and do not move; switch lwsandbox off in both, or use backup and restore --to (docs/backups.md)",
    );
  if (old.casecheckPublished === "tunnel" && old.casecheckCloudflareApiToken !== undefined)
    problems.push(
      "casecheckCloudflareApiToken: the tunnel belongs to the stack that made it; make one by hand and use casecheckTunnelToken in both, or publish CaseCheck with caddy",
    );
  if (old.domainProvider !== undefined)
    problems.push(
      `domainProvider: the records at Cloudflare belong to the stack that made them, and there would be two of each for a while; remove domainProvider and domainToken in both (pulumi up deletes the records of ${former.name}) and create them by hand`,
    );
  if (old.target === "existing" && fresh.target === "existing" && isSameMachine(old, fresh))
    problems.push(`hostAddress: ${next.name} has the machine of ${former.name}`);
  for (const one of [former, next])
    if (one.values.power === "stopped") problems.push(`power: the machine of ${one.name} is switched off`);
  for (const key of settingKeys) {
    if (isOfMachine(key) || isDeepStrictEqual(old[key], fresh[key])) continue;
    problems.push(`${key}: ${difference(key, old[key], fresh[key])}; both must have the same: ${set(key)}`);
  }
  return problems;
}

const isSameMachine = (one: PlainSettings, other: PlainSettings) =>
  one.hostAddress === other.hostAddress && one.hostPort === other.hostPort;

function difference(key: SettingKey, old: unknown, fresh: unknown): string {
  const { secret }: Setting = settingsTable[key];
  if (secret) return "the two stacks have different ones";
  const shown = (value: unknown) => (value === undefined ? "nothing" : JSON.stringify(value));
  return `${shown(old)} and ${shown(fresh)}`;
}

/** What the former host must say before anything starts. */
export interface FormerHost {
  /** Whether its programs know a move. */
  readonly knows: boolean;
  readonly places: readonly Pick<Place, "name" | "former">[];
  /** Stacks of its outputs. */
  readonly stacks: readonly string[];
}

/** The same for the hosts. @param runs stacks that the new host has, outside standby */
export function hostsAgainst(
  former: FormerHost,
  runs: readonly string[],
  names: { from: string; to: string },
): string[] {
  const { from, to } = names;
  const problems: string[] = [];
  if (!former.knows) problems.push(`the host of ${from} has an older version: pulumi up --stack ${from}`);
  for (const stack of former.knows ? former.stacks : []) {
    const place = former.places.find(({ name }) => name === stack);
    if (place === undefined) problems.push(`${stack} is not on the host of ${from}: pulumi up --stack ${from}`);
    else if (place.former.does === "given")
      problems.push(`${stack} does not run on the host of ${from}: its data went to another stack`);
    else if (place.former.does === "half")
      problems.push(`${stack} is half stopped: npm run ops -- resume ${stack} --stack ${from}`);
    else if (place.former.does === "stopped")
      problems.push(`${stack} is stopped: npm run ops -- start ${stack} --stack ${from}`);
  }
  if (runs.length > 0)
    problems.push(
      `${to} runs ${runs.join(", ")}, whose data a move would replace: take a stack that was never up, or one that a move has left`,
    );
  return problems;
}

/** Free space that must be there beyond the data itself, in KiB. */
const spareKib = 1024 * 1024;

/**
 * Why the data does not fit on the new host; undefined: it does.
 *
 * @param data of the former host, in KiB
 * @param free on the new one, in KiB
 */
export function roomAgainst(data: number, free: number): string | undefined {
  const needed = Math.ceil(data * 1.1) + spareKib;
  if (free >= needed) return undefined;
  const mib = (kib: number) => `${Math.ceil(kib / 1024)} MiB`;
  return `the new host has no room for the data: ${mib(free)} free, ${mib(needed)} needed`;
}

/** Reads what `cloudcode-backup places` prints. */
export function sidesIn(text: string): Map<string, Place["former"]> {
  return new Map(
    text.split("\n").flatMap((line) => {
      const [, name = "", does, yielded = "-", arrived = "-"] =
        /^(\S+)\t(on|half|stopped|given)\t(\S+)\t(\S+)$/.exec(line) ?? [];
      if (does !== "on" && does !== "half" && does !== "stopped" && does !== "given") return [];
      return [[name, { does, ...(yielded !== "-" && { yielded }), ...(arrived !== "-" && { arrived }) }] as const];
    }),
  );
}

/** Why sites do not answer as a home's should. @param seen status of `GET /` by host */
export function sitesAgainst(
  seen: readonly { readonly host: string; readonly status: number | undefined }[],
): string[] {
  return seen.flatMap(({ host, status }) =>
    status === undefined ? [`${host} does not answer`] : status >= 500 ? [`${host} answers ${status}`] : [],
  );
}
