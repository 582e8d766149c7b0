import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Environment, Query } from "../api/api";
import { ApiFault } from "../api/api-fault";
import type { Quote } from "./quotes";
import { quoteOf } from "./quotes";

/** How long an answer is good for, in milliseconds: a list price changes a few times a year, a spot price by the hour. */
const freshFor = 30 * 60_000;

const kept = z.record(
  z.string(),
  z.object({
    /** Milliseconds since 1970. */
    at: z.number(),
    /** null: it has no price. */
    quote: z
      .object({ currency: z.string(), amount: z.number(), systemDisk: z.number().optional() })
      .transform(({ systemDisk, ...rest }): Quote => ({ ...rest, systemDisk }))
      .nullable(),
  }),
);
type Kept = z.infer<typeof kept>;

/**
 * Asks ecs:DescribePrice all questions side by side, or the answers of the last half hour, which are kept by account, region and
 * parameters in node_modules/.cache, outside of the state.
 *
 * @returns the answers in the order of the questions; undefined: Alibaba Cloud does not sell that, or has no price for it
 * @throws ApiFault where it cannot be asked: no right, no key, no connection
 */
export async function askPrices(
  region: string,
  questions: readonly Query[],
  env: Environment = process.env,
): Promise<(Quote | undefined)[]> {
  const file = join(
    env["CLOUDCODE_BUNDLES"] ?? join(__dirname, "../../../node_modules/.cache/cloudcode"),
    "prices",
    `${digest([region, env["ALIBABA_CLOUD_ENDPOINT_ECS"], accountOf(env)])}.json`,
  );
  const now = Date.now();
  const known = new Map(Object.entries(read(file)).filter(([, { at }]) => at <= now && now - at < freshFor));
  const open = new Map(questions.map((query) => [keyOf(query), query] as const).filter(([key]) => !known.has(key)));
  if (open.size > 0) {
    // Loaded only when needed: the client takes longer than the rest of a preview.
    const { cloudApi } = await import("../api/api");
    const api = cloudApi(region, env);
    await Promise.all(
      [...open].map(async ([key, query]) => {
        known.set(key, { at: now, quote: (await priced(() => api.call("ecs", "DescribePrice", query))) ?? null });
      }),
    );
    write(file, Object.fromEntries(known));
  }
  return questions.map((query) => known.get(keyOf(query))?.quote ?? undefined);
}

/** Undefined where the API was asked and has no price. */
async function priced(ask: () => Promise<unknown>): Promise<Quote | undefined> {
  try {
    return quoteOf(await ask());
  } catch (error) {
    if (error instanceof ApiFault && isAboutTheGoods(error)) return undefined;
    throw error;
  }
}

/** What is not sold or has no price, as told apart from who asks and whether he is heard. */
function isAboutTheGoods({ message, passing }: ApiFault): boolean {
  const [, code = ""] = /^ecs:DescribePrice: ([\w.]+)/.exec(message) ?? [];
  const goods =
    /^Invalid(InstanceType|SystemDisk|DataDisk|Disk|ResourceType|Period|PriceUnit|Image)|^PRICE\.|^Price|NotOnSale/;
  return !passing && (goods.test(code) || /^(?!Forb).*NotSupport/.test(code));
}

/** Discounts are the account's own. No key stands in the cache, nor can one be read from it. */
const accountOf = (env: Environment) =>
  env["ALICLOUD_ACCESS_KEY"] || env["ALIBABA_CLOUD_ACCESS_KEY_ID"] || env["ALIBABA_CLOUD_PROFILE"];

const keyOf = (query: Query) => JSON.stringify(Object.entries(query).sort(([a], [b]) => (a < b ? -1 : 1)));

const digest = (parts: readonly unknown[]) =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);

function read(file: string): Kept {
  try {
    return kept.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return {};
  }
}

/** A cache that cannot be written costs time only. */
function write(file: string, entries: Kept): void {
  const temporary = `${file}.${randomUUID()}`;
  try {
    mkdirSync(join(file, ".."), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, JSON.stringify(entries), { mode: 0o600 });
    renameSync(temporary, file);
  } catch {
    return;
  }
}
