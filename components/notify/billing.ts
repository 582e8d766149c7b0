import { randomUUID } from "node:crypto";
import { z } from "zod";
import * as check from "../settings/checks";

/** The two sites of Alibaba Cloud; each has accounts, a currency and an endpoint of its own. */
export const billingSites = ["international", "china"] as const;

const keySchema = z.strictObject(
  { id: check.accessToken, secret: check.accessToken },
  "is not an object with id and secret alone",
);

/** The secret setting of the key: JSON, checked, and left as it is. */
export const billingKey: z.ZodType<string> = z.string("is not a string").superRefine((value, context) => {
  const parsed = check.json(keySchema).safeParse(value);
  for (const { message, path } of parsed.error?.issues ?? []) context.addIssue({ code: "custom", path, message });
});

/** A key for a preview without the real one. */
export const placeholderBillingKey = () => JSON.stringify({ id: randomUUID(), secret: randomUUID() });
