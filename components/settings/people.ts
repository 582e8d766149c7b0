import { z } from "zod";
import * as check from "./checks";
import { eachOnce } from "./setting";

/** Somebody who signs in, in addition to the operator, and reaches some Apps only. */
export interface Person {
  /** Name that they sign in with. */
  readonly name: string;
  /** Mail address, which one-time codes and new passwords go to. No two accounts have the same. */
  readonly mail: string;
  /** Names of the Apps that they reach, one at least. */
  readonly apps: readonly string[];
}

/** With the operator five accounts: the page, the memory of the gateway and the answers of `ops` are made for that. */
const most = 4;

const app = z
  .string("is not a string")
  .regex(/^[a-z][a-z0-9-]*$/, "is not the name of an App: lower-case letters, digits and -");

const person: z.ZodType<Person> = z.strictObject(
  {
    name: check.loginName,
    mail: check.email,
    apps: eachOnce(z.array(app, "is not a list of Apps").min(1, "is empty: list at least one App")),
  },
  { error: (issue) => (issue.code === "unrecognized_keys" ? undefined : "is not an object with name, mail and apps") },
);

/** The setting `people`. */
export const people: z.ZodType<readonly Person[]> = z
  .array(person, "is not a list")
  .max(most, `lists more than ${most}: with the operator there are at most ${most + 1} accounts`)
  .superRefine((all, context) => {
    for (const key of ["name", "mail"] as const)
      all.forEach((one, index) => {
        if (all.findIndex((other) => other[key].toLowerCase() === one[key].toLowerCase()) < index)
          context.addIssue({ code: "custom", path: [index, key], message: "is also another person's" });
      });
  });
