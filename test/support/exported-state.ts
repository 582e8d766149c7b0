import { z } from "zod";
import { type StateResource, payloadOf } from "./leaks";

/** How the engine marks a secret (https://www.pulumi.com/docs/iac/concepts/secrets/). */
const mark = "4dabf18193072939515e22adb298388d";

const deployment = z.object({
  deployment: z.object({
    resources: z.array(
      z.looseObject({
        urn: z.string(),
        type: z.string(),
        inputs: z.unknown().optional(),
        outputs: z.unknown().optional(),
      }),
    ),
  }),
});

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** Texts of a part of the state, in the order they stand: the plain ones, and the secret ones where they are shown. */
function texts(value: unknown, secret: boolean, into: { plain: string[]; secret: string[] }): void {
  if (typeof value === "string" || typeof value === "number") into[secret ? "secret" : "plain"].push(String(value));
  else if (isObject(value) && mark in value) {
    const { plaintext } = value;
    // Encrypted, a secret is no text that anybody can read.
    if (typeof plaintext === "string") texts(JSON.parse(plaintext), true, into);
  } else if (isObject(value)) {
    for (const [key, inner] of Object.entries(value)) {
      if (!secret) into.plain.push(key);
      texts(inner, secret, into);
    }
  }
}

function textsOf(value: unknown): { readonly plain: string[]; readonly secret: string[] } {
  const found = { plain: [], secret: [] };
  texts(value, false, found);
  return found;
}

/**
 * The resources of a state.
 *
 * @param exported what `pulumi stack export` prints
 * @param shown what it prints with `--show-secrets`
 */
export function stateResources(exported: string, shown: string): StateResource[] {
  const known = new Map(deployment.parse(JSON.parse(shown)).deployment.resources.map((one) => [one.urn, one]));
  return deployment.parse(JSON.parse(exported)).deployment.resources.map((resource) => {
    const open = known.get(resource.urn);
    const { stdin } = z
      .object({ stdin: z.object({ plaintext: z.string() }).optional() })
      .catch({})
      .parse(open?.inputs);
    return {
      name: resource.urn.split("::")[3] ?? "",
      type: resource.type,
      plain: textsOf(resource).plain,
      secretOutputs: textsOf(open?.outputs).secret,
      stdin: stdin && payloadOf(z.string().parse(JSON.parse(stdin.plaintext))),
    };
  });
}
