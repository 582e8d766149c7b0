import { z } from "zod";
import type { Cloud } from "./cloud";
import type { Rules } from "./gateway";
import { inventory } from "./inventory";
import type { Journal } from "./journal";
import { latenciesSchema } from "./latency";
import { reclaim } from "./ecs/instance-changes";
import { passTime } from "./passing-time";
import { policySchema } from "./policy";
import type { ControlAnswer } from "./server";

const financesSchema = z.object({
  balance: z.number(),
  bills: z.record(z.string(), z.record(z.string(), z.number())),
});
const termsSchema = z.object({ currency: z.enum(["USD", "CNY"]), discount: z.number().min(0).max(1) });

const reclaimSchema = z.object({ instance: z.string(), notice: z.boolean().default(false) });

/** What the control API works on. `stop` ends the emulator after the answer. */
export interface Controlled {
  readonly cloud: Cloud;
  readonly journal: Journal;
  readonly rules: Rules;
  readonly stop: () => void;
}

const ok = (body: unknown = {}): ControlAnswer => ({ status: 200, body });

type Handler = (controlled: Controlled, body: string) => ControlAnswer | Promise<ControlAnswer>;

/** The control API, not part of any cloud: `METHOD path` below /__control/, JSON in and out. */
const routes: Readonly<Record<string, Handler>> = {
  "GET inventory": ({ cloud }) => ok(inventory(cloud.state)),
  "GET calls": ({ journal }) => ok(journal.calls),
  "DELETE calls": ({ journal }) => {
    journal.calls.length = 0;
    return ok();
  },
  "GET violations": ({ journal }) => ok(journal.violations),
  "GET failures": ({ journal }) => ok(journal.failures),
  "PUT operation": ({ journal }, body) => {
    journal.operation = z.string().parse(JSON.parse(body));
    return ok();
  },
  "GET faults": ({ rules }) => ok(rules.faults.pending),
  "POST faults": ({ rules }, body) => {
    rules.faults.add(JSON.parse(body));
    return ok();
  },
  "DELETE faults": ({ rules }) => {
    rules.faults.clear();
    return ok();
  },
  "PUT policy": ({ rules }, body) => {
    rules.policy = policySchema.parse(JSON.parse(body));
    return ok();
  },
  "DELETE policy": ({ rules }) => {
    rules.policy = undefined;
    return ok();
  },
  "PUT terms": ({ rules }, body) => {
    rules.terms = termsSchema.parse(JSON.parse(body));
    return ok();
  },
  "PUT finances": ({ rules }, body) => {
    rules.finances = financesSchema.parse(JSON.parse(body));
    return ok();
  },
  "PUT latencies": ({ cloud }, body) => {
    cloud.latencies = latenciesSchema.parse(JSON.parse(body));
    return ok();
  },
  /** Takes a spot instance back: at once, or with a notice first. */
  "POST reclaim": ({ cloud }, body) => {
    const { instance, notice } = reclaimSchema.parse(JSON.parse(body));
    const known = cloud.state.instances.get(instance);
    if (known === undefined || known.spotStrategy === "NoSpot")
      throw new Error(`there is no spot instance ${instance}`);
    reclaim(cloud, known, notice);
    return ok();
  },
  /** Turns the account's clock forward by so many hours. */
  "POST clock": async ({ cloud }, body) => {
    await passTime(cloud, z.number().positive().parse(JSON.parse(body)) * 3_600_000);
    return ok();
  },
  /** Answers when no state change is under way. */
  "POST idle": async ({ cloud }) => {
    await cloud.idle();
    return ok();
  },
  "POST stop": ({ stop }) => {
    setImmediate(stop);
    return ok();
  },
};

/** Answers one request of the control API; 404 for a path it does not have, 400 for a body it cannot use. */
export async function control(
  controlled: Controlled,
  method: string,
  path: string,
  body: string,
): Promise<ControlAnswer> {
  const route = routes[`${method} ${path}`];
  if (!route) return { status: 404, body: { error: `There are: ${Object.keys(routes).join(", ")}` } };
  try {
    return await route(controlled, body);
  } catch (error) {
    return { status: 400, body: { error: error instanceof Error ? error.message : String(error) } };
  }
}
