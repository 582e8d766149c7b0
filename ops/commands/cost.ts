import { z } from "zod";
import { explainFault } from "../../components/alicloud/api/faults";
import { type AccountMoney, readMoney } from "../../components/alicloud/bill";
import { describeChoices, openCosts } from "../../components/alicloud/prices/cost";
import { money } from "../../components/alicloud/prices/estimate";
import { OperatorError } from "../../components/operator-error";
import { notifierName } from "../../components/notify/notifier-release";
import { toSettings } from "../../components/settings/settings";
import { stackSettings } from "../settings";
import { onHost } from "../host";
import { type Answer, answer, done } from "../shapes";
import { Ssh } from "../ssh";
import { OpsError, type StackChoice, type StackOutputs, readOutputs } from "../stack";

const limited = z.number().nullish();

/** What cloudcode-page writes of traffic, and the notifier of models and bill. */
const trafficSchema = z.object({
  traffic: z.object({ month: z.string(), since: z.number(), bytes: z.number() }).nullish(),
});
const moneySchema = z.object({
  models: z.object({ month: z.string(), usd: z.number(), limit: limited, closed: z.boolean() }).nullish(),
  bill: z
    .object({
      month: z.string(),
      currency: z.string(),
      amount: z.number(),
      limit: limited,
      balance: z.number(),
      days: limited,
    })
    .nullish(),
});

const proxySchema = z.object({
  proxy: z.object({ month: z.string(), requests: z.number(), failed: z.number(), tokens: z.number() }).nullish(),
});

const inNotifier = 'exec docker compose --project-name "cloudcode-$1" exec --no-TTY notifier python -m notify "$2"';

/** The stack of the donation site, which counts for the model proxy. */
const siteStack = "donation";
const inSite = 'exec docker compose --project-name "cloudcode-$1" exec --no-TTY site node main.js usage';

/** What the host knows of costs. */
export interface HostMoney
  extends z.infer<typeof trafficSchema>, z.infer<typeof moneySchema>, z.infer<typeof proxySchema> {}

/**
 * What the stack costs: the estimate of a month, the account's bill and balance, as far as the keys of this shell may read them, and what the
 * host has counted.
 */
export async function cost(choice: StackChoice): Promise<Answer> {
  const outputs = await readOutputs(choice);
  const { monthlyCost } = outputs;
  const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
  const [account, counted] = await Promise.all([
    readMoney(monthlyCost?.currency).catch((error: unknown) => explainFault(wordsOf(error)) ?? wordsOf(error)),
    hostMoney(outputs).catch(wordsOf),
  ]);
  return answer(
    "cost",
    {
      ...(monthlyCost && { month: monthlyCost }),
      ...(typeof account === "string" ? { accountUnknown: account } : { account }),
      ...(typeof counted === "string" ? { hostUnknown: counted } : { host: counted }),
    },
    costText(monthlyCost, account, counted),
  );
}

/** @throws OpsError where the host cannot be asked */
async function hostMoney({ operations }: StackOutputs): Promise<HostMoney> {
  if (!operations.awake) throw new OpsError("The machine is switched off.");
  const ssh = await Ssh.open(operations.connection);
  try {
    const page = await ssh.script("cat /opt/cloudcode/stacks/edge/page/report.json 2>/dev/null || echo '{}'", []);
    const notifier = operations.stacks.includes(notifierName)
      ? (await ssh.script(inNotifier, [notifierName, "money"])).stdout
      : "{}";
    const proxy = operations.stacks.includes(siteStack) ? (await ssh.script(inSite, [siteStack])).stdout : "null";
    return {
      ...trafficSchema.parse(JSON.parse(page.stdout)),
      ...moneySchema.parse(JSON.parse(notifier)),
      ...proxySchema.parse({ proxy: JSON.parse(proxy) as unknown }),
    };
  } finally {
    ssh.close();
  }
}

/** `3.20 of 10.00 USD (32 %)` */
const ofLimit = (amount: number, limit: number | null | undefined, currency: string) =>
  limit
    ? `${amount.toFixed(2)} of ${money(limit, currency)} (${Math.floor((100 * amount) / limit)} %)`
    : money(amount, currency);

/** @param account what was read, or why nothing was @param host likewise */
export function costText(
  estimate: StackOutputs["monthlyCost"],
  account: AccountMoney | string,
  host: HostMoney | string,
): string {
  return [
    ...accountLines(estimate, account, typeof host === "string" ? undefined : host.bill),
    ...hostLines(host),
  ].join("\n");
}

function hostLines(host: HostMoney | string): string[] {
  if (typeof host === "string") return [`traffic and models: not known. ${host}`];
  const { traffic, models, proxy } = host;
  const closed = models?.closed === true ? ", closed: npm run ops -- cost --allow opens them for this month" : "";
  return [
    ...(traffic ? [`traffic sent in ${traffic.month}: ${(traffic.bytes / 1e9).toFixed(1)} GB`] : []),
    ...(models ? [`OpenCode's models in ${models.month}: ${ofLimit(models.usd, models.limit, "USD")}${closed}`] : []),
    ...(proxy
      ? [
          `model proxy in ${proxy.month}: ${proxy.requests} requests, ${proxy.failed} of them failed, ${(proxy.tokens / 1e6).toFixed(1)} million tokens`,
        ]
      : []),
  ];
}

function accountLines(
  estimate: StackOutputs["monthlyCost"],
  account: AccountMoney | string,
  bill: HostMoney["bill"],
): string[] {
  const month =
    estimate === undefined
      ? "estimate of a month: none, this machine is not bought by the stack"
      : `estimate of a month: ${money(estimate.running, estimate.currency)} running, ${money(estimate.stopped, estimate.currency)} stopped`;
  if (typeof account === "string" && bill)
    return [
      month,
      `bill of the whole account for ${bill.month} so far: ${ofLimit(bill.amount, bill.limit, bill.currency)}`,
      `balance: ${money(bill.balance, bill.currency)}${(bill.days ?? undefined) === undefined ? "" : `, ${bill.days} days left`}`,
    ];
  if (typeof account === "string") return [month, `bill and balance: not known. ${account}`];
  const { currency, byProduct, balance, perDay, daysLeft } = account;
  const parts = byProduct.map(({ product, amount }) => `${product} ${amount.toFixed(2)}`).join(", ");
  const rate = perDay === undefined ? "nothing was billed yet" : `${money(perDay, currency)} a day`;
  const left = daysLeft === undefined ? rate : `${daysLeft} days left at ${rate}`;
  return [
    month,
    `bill of the whole account for ${account.month} so far: ${ofLimit(account.bill, account.month === bill?.month ? bill.limit : undefined, currency)}${parts && `: ${parts}`}`,
    `balance: ${money(balance, currency)}, ${left}`,
  ];
}

/** Lets OpenCode's models answer for the rest of the month, after opencodeMonthlyLimitUsd has closed them. */
export function allowModels(choice: StackChoice): Promise<Answer> {
  return onHost(choice, async (ssh, { operations }) => {
    if (!operations.stacks.includes(notifierName))
      throw new OpsError("This stack has no notifier, so that nothing is closed: opencodeMonthlyLimitUsd needs notify");
    await ssh.script(inNotifier, [notifierName, "allow"]);
    return done("OpenCode's models answer for the rest of this month.");
  });
}

/** Price of a month for the stack's settings in other regions, a line for each. Nothing is changed. */
export async function costIn(choice: StackChoice, regions: readonly string[]): Promise<Answer> {
  const parsed = await stackSettings(choice);
  if (!parsed.ok) throw new OpsError(parsed.message);
  const { target } = toSettings(parsed.values);
  if (target.kind !== "alicloud") throw new OpsError("only target alicloud has regions");
  // Whatever it costs, it is to be shown.
  const machine = { ...target.machine, budget: undefined, budgetUsd: 0 };
  const lines = regions.map(async (region) => {
    const said: string[] = [];
    const costs = await openCosts({ ...target, region, machine }, (text) => said.push(text)).catch((error: unknown) => {
      if (!(error instanceof OperatorError)) throw error;
      return error.message;
    });
    return {
      region,
      price: typeof costs === "string" ? costs : (said[0] ?? describeChoices(costs.choices, undefined, costs.spot)),
    };
  });
  const prices = await Promise.all(lines);
  return answer("cost", prices, prices.map(({ region, price }) => `${region}: ${price}`).join("\n"));
}
