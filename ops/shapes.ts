import { z } from "zod";

const time = z.iso.datetime();
const check = z.strictObject({
  name: z.string(),
  state: z.enum(["ok", "red", "warn", "none"]),
  seen: z.string(),
  fix: z.string().optional(),
});
const message = z.strictObject({ message: z.string() });
const ended = z.strictObject({ exitCode: z.int(), stdout: z.string(), stderr: z.string() });

/** What each command prints with `--json`, by the command's words; docs/automation.md has an example of each. */
export const shapes = {
  status: z.union([
    z.array(check),
    /** With --traffic. */
    z.strictObject({
      from: z.string(),
      until: z.string(),
      requests: z.int(),
      refused: z.int(),
      addresses: z.array(z.strictObject({ address: z.string(), requests: z.int(), refused: z.int() })),
      hosts: z.array(z.strictObject({ host: z.string(), requests: z.int() })),
      refusals: z.array(z.strictObject({ request: z.string(), requests: z.int() })),
    }),
  ]),
  doctor: z.array(check),
  cost: z.union([
    z.strictObject({
      /** Only where the machine is paid by the hour at Alibaba Cloud. */
      month: z.strictObject({ currency: z.string(), running: z.number(), stopped: z.number() }).optional(),
      account: z
        .strictObject({
          currency: z.string(),
          month: z.string(),
          bill: z.number(),
          byProduct: z.array(z.strictObject({ product: z.string(), amount: z.number() })).readonly(),
          balance: z.number(),
          perDay: z.number().optional(),
          daysLeft: z.number().optional(),
        })
        .optional(),
      /** Why the account is not known. */
      accountUnknown: z.string().optional(),
      /** What the host counts; what it does not know is left out. */
      host: z
        .strictObject({
          traffic: z.strictObject({ month: z.string(), since: z.number(), bytes: z.number() }).nullish(),
          models: z
            .strictObject({ month: z.string(), usd: z.number(), limit: z.number().nullish(), closed: z.boolean() })
            .nullish(),
          /** What the donation site's model proxy answered this month. */
          proxy: z
            .strictObject({ month: z.string(), requests: z.number(), failed: z.number(), tokens: z.number() })
            .nullish(),
          bill: z
            .strictObject({
              month: z.string(),
              currency: z.string(),
              amount: z.number(),
              limit: z.number().nullish(),
              balance: z.number(),
              days: z.number().nullish(),
            })
            .nullish(),
        })
        .optional(),
      /** Why that is not known. */
      hostUnknown: z.string().optional(),
    }),
    /** With --allow. */
    message,
    /** With --region. */
    z.array(z.strictObject({ region: z.string(), price: z.string() })),
  ]),
  outdated: z.array(check),
  otp: z.strictObject({ code: z.string(), time }),
  /** One such object a line, so that it can be followed. */
  logs: z.union([
    z.strictObject({ container: z.string(), time: z.string().optional(), text: z.string() }),
    /** With --access. */
    z.strictObject({
      time,
      address: z.string(),
      method: z.string(),
      host: z.string(),
      path: z.string(),
      status: z.int(),
      bytes: z.int(),
      seconds: z.number(),
      device: z.string().optional(),
      user: z.string().optional(),
    }),
  ]),
  ssh: ended,
  exec: ended,
  ps: z.array(
    z.strictObject({
      container: z.string(),
      stack: z.string(),
      service: z.string(),
      /** As Docker prints them. */
      status: z.string(),
      image: z.string(),
      size: z.string(),
      /** Only of one that runs. */
      cpu: z.string().optional(),
      memory: z.string().optional(),
    }),
  ),
  open: z.strictObject({ url: z.url() }),
  password: message,
  "devices list": z.strictObject({
    /** The account only in a stack with people. */
    passkeys: z.array(z.strictObject({ kid: z.string(), description: z.string(), account: z.string().optional() })),
    clients: z.array(z.strictObject({ name: z.string(), lastUsed: time.optional() })),
  }),
  "devices remove": message,
  "notify status": z.strictObject({ lines: z.array(z.string()) }),
  "notify test": z.strictObject({ lines: z.array(z.string()) }),
  share: z.union([
    z.strictObject({ url: z.url(), id: z.string(), port: z.int(), until: time }),
    /** With --list. */
    z.array(z.strictObject({ id: z.string(), port: z.int(), until: time })),
    /** With --end. */
    message,
  ]),
  unban: z.union([
    /** With --list. */
    z.array(z.strictObject({ kind: z.enum(["ip", "user"]), who: z.string(), until: z.string() })),
    message,
  ]),
  history: z.array(
    z.strictObject({
      time: z.string(),
      operator: z.string(),
      stack: z.string(),
      action: z.string(),
      release: z.string(),
      result: z.string(),
    }),
  ),
  rollback: message,
  restart: message,
  stop: message,
  start: message,
  update: message,
  backup: z.strictObject({ lines: z.array(z.string()) }),
  drill: z.strictObject({ lines: z.array(z.string()) }),
  snapshots: z.array(
    z.strictObject({ id: z.string(), app: z.string(), stack: z.string(), time, beforeRestore: z.boolean() }),
  ),
  restore: z.strictObject({ restored: z.array(z.string()) }),
  "drop-copy": message,
  resume: message,
  heal: message,
  destroy: z.union([
    message,
    /** With --preview-only. */
    z.strictObject({ goes: z.array(z.string()), stays: z.array(z.string()), costs: z.string() }),
  ]),
  move: z.strictObject({
    ...message.shape,
    /** Seconds from the first App that stopped until the new host answered. */
    unavailable: z.number().optional(),
  }),
  "import-state": message,
  "import-data": message,
} as const;

export type CommandName = keyof typeof shapes;

/** What a command found or did: for programs, and for people. */
export interface Answer {
  readonly data: unknown;
  readonly text: string;
}

/** An answer in the shape of its command. */
export function answer<N extends CommandName>(_command: N, data: z.input<(typeof shapes)[N]>, text: string): Answer {
  return { data, text };
}

/** Of a command that does something: a sentence of what was done. */
export const done = (text: string): Answer => ({ data: { message: text }, text });
