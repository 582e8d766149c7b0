import type { Hono } from "hono";
import type { Logger } from "pino";
import { type Parts, createApp } from "./app";
import type { Config } from "./config";
import { Donations, type DonationsArgs } from "./donations";
import { LinuxDo } from "./linux-do";
import { ModelProxy } from "./model-proxy";
import { NewApi } from "./new-api";
import { Store } from "./store";
import { countUsage } from "./usage";

export interface ServiceOptions extends Pick<Parts, "limits">, Pick<DonationsArgs, "probePause" | "grace"> {
  /** Between two looks at what is not final, in milliseconds. @default 30000 */
  readonly every?: number;
}

export interface Service {
  readonly app: Hono;
  readonly store: Store;
  readonly donations: Donations;
  /** Waits for what is under way. */
  stop(): Promise<void>;
}

/** The site with its store and its timer, which also takes up what a crash has left. */
export function startService(config: Config, databasePath: string, log: Logger, options: ServiceOptions = {}): Service {
  const { limits, every = 30_000, ...timing } = options;
  const store = new Store(databasePath, ({ id, at, level, fields, message }) => {
    log[level]({ ...fields, entry: id, at: new Date(at).toISOString() }, message);
  });
  const proxy = new ModelProxy(config.modelProxy);
  const newApi = new NewApi(config.newApi);
  const donations = new Donations({ store, proxy, newApi, log, amount: config.quotaAmount, ...timing });
  const parts = { config, store, linuxDo: new LinuxDo(config.oauth), newApi, proxy, donations, log };
  let counting: Promise<void> | undefined;
  const look = () => {
    store.forgetExpired();
    const failed = (what: string) => (error: unknown) => {
      log.error({ event: "error", error: error instanceof Error ? error.name : "unknown" }, what);
    };
    donations.settle().catch(failed("settling failed"));
    counting ??= countUsage(proxy, store)
      .catch(failed("the model proxy's usage cannot be read"))
      .finally(() => (counting = undefined));
  };
  look();
  const timer = setInterval(look, every);
  return {
    app: createApp({ ...parts, ...(limits && { limits }) }),
    store,
    donations,
    stop: async () => {
      clearInterval(timer);
      await donations.settle();
      await counting;
      store.close();
    },
  };
}
