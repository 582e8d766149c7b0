import { z } from "zod";
import { call } from "@cloudcode/alicloud-emulator/testing/client";

const items = z.array(
  z.object({
    kind: z.string(),
    id: z.string(),
    name: z.string(),
    status: z.string(),
    tags: z.record(z.string(), z.string()),
  }),
);

export type CloudItem = z.infer<typeof items>[number];

const calls = z.array(z.looseObject({ action: z.string() }));

/** The emulated account from outside: what is in it, what was asked of it, what shall go wrong. */
export class Account {
  /** @param controlUrl base of the emulator's control API */
  constructor(private readonly controlUrl: string) {}

  async inventory(): Promise<CloudItem[]> {
    return items.parse(await this.control("GET", "inventory"));
  }

  /** The only one of its kind. */
  async one(kind: string): Promise<CloudItem> {
    const [first, ...more] = (await this.inventory()).filter((item) => item.kind === kind);
    if (first === undefined || more.length > 0)
      throw new Error(`not one of ${kind}: ${JSON.stringify([first, ...more])}`);
    return first;
  }

  /** How often each action was called since the last {@link forgetCalls}. */
  async calls(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { action } of calls.parse(await this.control("GET", "calls")))
      counts[action] = (counts[action] ?? 0) + 1;
    return counts;
  }

  async forgetCalls(): Promise<void> {
    await this.control("DELETE", "calls");
  }

  /** Requests that the real API would not know; must stay empty. */
  violations(): Promise<unknown> {
    return this.control("GET", "violations");
  }

  /** Breaks something while `action` runs; see packages/alicloud-emulator/src/faults.ts. */
  async during<T>(fault: object | readonly object[], action: () => Promise<T>): Promise<T> {
    for (const one of [fault].flat()) await this.control("POST", "faults", one);
    try {
      return await action();
    } finally {
      await this.control("DELETE", "faults");
    }
  }

  /** From now on only what this RAM policy allows can be done. */
  async restrict(policy: unknown): Promise<void> {
    await this.control("PUT", "policy", policy);
  }

  /** One call by the operator's own hand. @throws Error unless it is answered with 200 */
  async byHand(product: string, action: string, parameters: Readonly<Record<string, string>>): Promise<void> {
    const { status, body } = await call(Number(new URL(this.controlUrl).port), product, action, parameters);
    if (status !== 200) throw new Error(`${action}: ${JSON.stringify(body)}`);
    await this.control("POST", "idle");
  }

  /** A week passes, in which the snapshot policies do their work. */
  async passWeek(): Promise<void> {
    await this.control("POST", "clock", 7 * 24);
  }

  private async control(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${this.controlUrl}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
    return answer.json();
  }
}
