import { z } from "zod";

/** Why a call of the API failed; the message is `PRODUCT:ACTION: CODE: what the API said`, without any key. */
export class ApiFault extends Error {
  constructor(
    message: string,
    /** Whether time heals it: throttling, a fault of the service, a lost connection. */
    readonly passing: boolean,
  ) {
    super(message);
    this.name = "ApiFault";
  }
}

/** What the official client throws: an answer of the API with a code, or an error of the network or of the credentials. */
const thrownSchema = z.object({
  message: z.string().default(""),
  name: z.string().default(""),
  code: z.string().optional(),
  statusCode: z.number().optional(),
  data: z.object({ Message: z.string() }).optional().catch(undefined),
  accessDeniedDetail: z.object({ AuthAction: z.string() }).optional().catch(undefined),
});

/** Turns what the client threw into an ApiFault; none of `secrets` stands in its message. */
export function faultOf(action: string, thrown: unknown, secrets: readonly (string | undefined)[]): ApiFault {
  const known = thrownSchema.safeParse(thrown);
  if (!known.success) return new ApiFault(`${action}: ${String(thrown)}`, false);
  const { message, name, code, statusCode, data, accessDeniedDetail } = known.data;
  if (statusCode !== undefined && code !== undefined) {
    const denied = accessDeniedDetail ? ` AuthAction: ${accessDeniedDetail.AuthAction}` : "";
    const words = withoutKeys(`${action}: ${code}: ${data?.Message ?? message}${denied}`, secrets);
    return new ApiFault(words, code.startsWith("Throttling") || statusCode >= 500);
  }
  if (/credentials/i.test(message))
    return new ApiFault(`${action}: MissingCredentials: ${withoutKeys(message, secrets)}`, false);
  // The client's own words of a broken connection hold the whole request.
  const timeout = /timeout/i.test(name) || code === "ETIMEDOUT";
  const why = timeout ? "RequestTimeout: no answer in time" : `ConnectionFailed: ${code ?? "no usable answer"}`;
  return new ApiFault(`${action}: ${why}`, !certificateFault(code));
}

/** A certificate that is not trusted stays so. */
const certificateFault = (code = ""): boolean => /CERT|SELF_SIGNED|UNABLE_TO/.test(code);

/** The API repeats the key id and what was signed when a signature is wrong. */
function withoutKeys(text: string, secrets: readonly (string | undefined)[]): string {
  return secrets
    .reduce<string>((shown, secret) => (secret ? shown.replaceAll(secret, "…") : shown), text)
    .replace(/ *server string to sign is:.*$/is, "")
    .replace(/\b(LTAI|STS\.)\w+/g, "…");
}
