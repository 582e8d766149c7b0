import { z } from "zod";
import { gitAddress } from "../../own-apps/folder";
import { ownAppSecrets } from "../../own-apps/secrets";
import { list, secret } from "../setting";

const source = z
  .string("is not a string")
  .refine((value) => /^[a-z][a-z0-9-]*$/.test(value) || gitAddress.test(value), {
    error: "is neither the name of a folder of apps/ nor https://HOST/REPOSITORY#COMMIT, with 40 digits of the commit",
  });

/** Apps that cloudcode does not bring. */
export const ownAppsSettings = {
  ownApps: list(source, {
    description:
      "Apps of your own: names of folders in apps/, each with app.yaml and compose.yaml, or Git addresses https://HOST/REPOSITORY#COMMIT, with :FOLDER behind it if needed. See docs/own-apps.md.",
    example: "'[\"memos\"]'",
    default: [],
  }),
  ownAppSecrets: secret(ownAppSecrets, {
    description: "Secrets of your own Apps that must not be generated, by App and name.",
    placeholder: () => "{}",
    example: '\'{"memos": {"SMTP_PASSWORD": "…"}}\'',
  }),
};
