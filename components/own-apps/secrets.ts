import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { Mirrors } from "../mirrors";

const table = z.record(
  z.string(),
  z.record(
    z.string(),
    z
      .string("is not a text")
      .min(1, "is empty")
      .regex(/^[^\0\r\n]*$/, "has more than one line"),
    "is not a table of names and secrets",
  ),
  "is not a table of Apps",
);

/** Secrets by App and name. */
export type SecretsByApp = z.infer<typeof table>;

/** The setting `ownAppSecrets`: JSON, which stays a text. */
export const ownAppSecrets = z.string().superRefine((text, context) => {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    context.addIssue({ code: "custom", message: "is not JSON" });
    return;
  }
  for (const { path, message } of table.safeParse(data).error?.issues ?? [])
    context.addIssue({ code: "custom", path: [...path], message });
});

/** @param text one that the setting takes */
export function secretsByApp(text: string): SecretsByApp {
  return table.parse(JSON.parse(text));
}

/** Names in a text of the setting, by App. @param text one that has the right shape */
export function secretNamesOf(text: string): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.entries(secretsByApp(text)).map(([app, secrets]) => [app, Object.keys(secrets)]));
}

/** The settings that Apps of one's own come from. */
export interface OwnAppSettings {
  /** Setting `ownApps`. */
  readonly sources: readonly string[];
  /** JSON of secrets by App and name. Setting `ownAppSecrets`; a secret. */
  readonly secrets: pulumi.Output<string> | undefined;
  /** Names in it, by App; undefined where they are known only when resources exist. */
  readonly secretNames: Readonly<Record<string, readonly string[]>> | undefined;
  /** Time zone of its containers, as in tz's database. */
  readonly timeZone: string;
  /** From where its images come; undefined: from where each is published. Settings `network`, `mirrors`. */
  readonly mirrors: Mirrors | undefined;
}
