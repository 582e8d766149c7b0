import { z } from "zod";
import { OperatorError } from "../operator-error";
import { type Answer, callCloudflare, isRefused, saidBy, unanswered } from "./api";

/** A domain's records, and who asks for them. */
export interface ZoneRequest {
  /** The domain, whose subdomains get records too. */
  readonly domain: string;
  /** Comment of the records that are this stack's own. */
  readonly comment: string;
  /** API token; a secret. */
  readonly apiToken: string;
}

const zonesSchema = z.array(z.object({ id: z.string(), name: z.string() }));
const recordsSchema = z.array(
  z.object({ type: z.string(), name: z.string(), content: z.string(), comment: z.string().nullish() }),
);

/** Types of which one at a name keeps visitors from the host, or Cloudflare from making ours. */
const inTheWay: ReadonlySet<string> = new Set(["A", "AAAA", "CNAME"]);

const rights = "Zone: Read and DNS: Edit for the zone (https://dash.cloudflare.com/profile/api-tokens)";

/**
 * The id of the longest zone that holds the domain, where its token may make records and no other record is in the way.
 *
 * @throws OperatorError with one sentence
 */
export async function checkZone({ domain, comment, apiToken }: ZoneRequest): Promise<string> {
  const call = async (method: string, path: string, body?: object): Promise<Answer> => {
    const answer = await callCloudflare(apiToken, method, path, body).catch((error: unknown) => {
      throw new OperatorError(`Cloudflare does not answer, which keeps the records of ${domain}: ${unanswered(error)}`);
    });
    if (isRefused(answer) || (answer.status === 400 && method === "GET"))
      throw new OperatorError(
        `Cloudflare refuses the API token of domainToken (${saidBy(answer)}): it needs the permissions ${rights}.`,
      );
    return answer;
  };
  const read = async <T>(path: string, schema: z.ZodType<T>): Promise<T> => {
    const answer = await call("GET", path);
    const { data } = schema.safeParse(answer.result);
    if (!answer.ok || data === undefined)
      throw new OperatorError(`Cloudflare does not tell the records of ${domain}: ${saidBy(answer)}.`);
    return data;
  };

  const zone = await firstZone(domain, (name) => read(`/zones?name=${encodeURIComponent(name)}`, zonesSchema));
  if (zone === undefined)
    throw new OperatorError(
      `No zone that the API token of domainToken may see holds ${domain}: add the domain at Cloudflare, and give the token the permissions ${rights}.`,
    );
  const names = [domain, `*.${domain}`];
  const records = await Promise.all(
    names.map((name) =>
      read(`/zones/${zone.id}/dns_records?name.exact=${encodeURIComponent(name)}&per_page=100`, recordsSchema),
    ),
  );
  const foreign = records.flat().filter((record) => inTheWay.has(record.type) && record.comment !== comment);
  if (foreign.length > 0) {
    const list = foreign.map(({ name, type, content }) => `${name} ${type} ${content}`).join(", ");
    throw new OperatorError(
      `The zone ${zone.name} at Cloudflare already has records that cloudcode did not make: ${list}. Delete them there, or set another domain; nothing was overwritten.`,
    );
  }
  // Cloudflare looks at the right before it looks at the address, which is none: nothing can come of this call.
  const probe = await call("POST", `/zones/${zone.id}/dns_records`, { type: "A", name: domain, content: "-", ttl: 1 });
  if (probe.status >= 500) throw new OperatorError(`Cloudflare is too busy to make records: ${saidBy(probe)}.`);
  return zone.id;
}

/** The longest first; the last part alone is no zone. */
async function firstZone<T extends { readonly name: string }>(
  domain: string,
  zones: (name: string) => Promise<readonly T[]>,
): Promise<T | undefined> {
  const labels = domain.split(".");
  for (let first = 0; first < labels.length - 1; first++) {
    const name = labels.slice(first).join(".");
    const found = (await zones(name)).find((zone) => zone.name === name);
    if (found) return found;
  }
  return undefined;
}
