import { randomUUID } from "node:crypto";
import { z } from "zod";
import { closest } from "fastest-levenshtein";
import * as check from "../settings/checks";
import { eachOnce } from "../settings/setting";
import type { billingSites } from "./billing";
import { appriseSchemes } from "./schemes";

/** What there is news of. */
export const newsKinds = [
  "done",
  "failed",
  "permission",
  "question",
  "check",
  "backup",
  "reboot",
  "login",
  "certificate",
  "deploy",
  "spot",
  "cost",
] as const;

/** Kind of a piece of news. */
export type NewsKind = (typeof newsKinds)[number];

/** Where news goes, what of, and when. */
export interface NewsSettings {
  /** Which kinds are sent. Setting `notifyEvents`. */
  readonly kinds: readonly string[];
  /** `HH:MM-HH:MM` in the time zone `timeZone`; undefined, as by default: never quiet. Setting `notifyQuietHours`. */
  readonly quietHours: string | undefined;
  /** Whether news of sessions holds commands, paths, questions and answers. Default false; setting `notifyDetails`. */
  readonly details: boolean;
  /** The account whose bill is looked at; undefined, as by default: none. */
  readonly billing: BillingSettings | undefined;
}

export interface BillingSettings {
  /** Where the account is. Setting `billingSite`. */
  readonly site: (typeof billingSites)[number];
  /** Most that its bill of a month should reach, in its currency; undefined: no limit. Setting `monthlyLimit`. */
  readonly limit: number | undefined;
}

export const newsKind: z.ZodType<string> = z.enum(newsKinds, `is none of ${newsKinds.join(", ")}`);

const time = "([01]\\d|2[0-3]):[0-5]\\d";

export const quietHours = z
  .string("is not a text")
  .regex(new RegExp(`^${time}-${time}$`), "is not a span of time, as 22:00-07:00")
  .refine((text) => text.slice(0, 5) !== text.slice(6), "begins when it ends");

/** One of Apprise's addresses (https://github.com/caronc/apprise/wiki). A fault quotes nothing of it but a scheme that is none. */
const address = z.string("is not a text").superRefine((value, context) => {
  const add = (message: string) => {
    context.addIssue({ code: "custom", message });
  };
  const scheme = /^([a-z0-9]+):\/\//i.exec(value)?.[1]?.toLowerCase();
  if (scheme === undefined) add("is not an address of Apprise, as ntfys://ntfy.example.com/topic");
  else if (!appriseSchemes.includes(scheme))
    add(`has a scheme that Apprise does not know; the nearest is ${closest(scheme, [...appriseSchemes])}://`);
  else if (/[\s\p{Cc}]/u.test(value)) add("has blanks or control characters");
  else if (value.length === scheme.length + 3) add("has nothing behind its scheme");
  else if (value.length > 2048) add("is longer than 2048 letters");
});

const addresses = eachOnce(
  z.array(address, "is not a list").min(1, "is empty: name at least one address").max(20, "has more than 20 addresses"),
  "is there twice",
);

/** The secret setting of the addresses: JSON, checked, and left as it is. */
export const newsAddresses: z.ZodType<string> = z.string("is not a text").superRefine((value, context) => {
  const parsed = check.json(addresses).safeParse(value);
  for (const { message, path } of parsed.error?.issues ?? []) context.addIssue({ code: "custom", path, message });
});

/** An address for a preview without the real ones. */
export const placeholderAddresses = () => JSON.stringify([`json://placeholder.example.com/${randomUUID()}`]);
