import type { Logger } from "pino";
import { accountFingerprints, probeOf, readCredential } from "./credential";
import { UpstreamError } from "./http";
import type { ModelProxy } from "./model-proxy";
import type { NewApi } from "./new-api";
import type { Decision, Donation, Store, Verdict } from "./store";

export interface DonationsArgs {
  readonly store: Store;
  readonly proxy: ModelProxy;
  readonly newApi: NewApi;
  readonly log: Logger;
  /** Quota of one donation. */
  readonly amount: number;
  /** Between two looks at a credential that the proxy has not taken up yet, in milliseconds. @default 4000 */
  readonly probePause?: number;
  /** A request for quota that got no answer may still be at work for this long, in milliseconds. @default 120000 */
  readonly grace?: number;
  readonly now?: () => number;
}

/**
 * What a donor reads at once. `checking` goes on by itself, and so does `late`: new-api did not take the quota, and is asked again. With
 * `person` an administrator has to look.
 */
export type Outcome = "no-credential" | "seen" | "refused" | "lost" | "checking" | "accepted" | "late" | "person";

/** Looks at one that is not active. */
const probeTries = 3;
/** Tries of a state that stays unclear, before a person is asked. */
const maxTries = 10;
/** What new-api answers when it does nothing now and may do it later: a token that is being replaced, or too many requests. */
const later = new Set([401, 403, 408, 429]);
const verdicts: readonly Verdict[] = ["seen", "not valid"];

/**
 * Donations: a credential that the proxy proves valid and that was never seen before, then exactly one grant of quota.
 *
 * new-api cannot be asked twice safely, so the request is written down before it is made, with the user's quota ever given.
 * When its answer is lost, that sum tells later whether it was done; where it tells neither, a person decides.
 */
export class Donations {
  readonly #args: Required<DonationsArgs>;
  #settling: Promise<void> = Promise.resolve();
  readonly #inHand = new Set<string>();

  constructor(args: DonationsArgs) {
    this.#args = { probePause: 4000, grace: 120_000, now: Date.now, ...args };
  }

  /** Takes an auth file from a donor. Trouble of other servers is not thrown: the record stays, and {@link settle} goes on. */
  async donate(linuxDo: number, newApi: number, text: string): Promise<Outcome> {
    const { store, proxy, amount } = this.#args;
    const credential = readCredential(text);
    if (credential === undefined) return this.#refused(linuxDo, "no-credential");
    const { provider, fingerprints } = credential;
    const donation = store.claim({ linuxDo, newApi, amount, provider }, fingerprints);
    if (donation === undefined) return this.#refused(linuxDo, "seen");
    this.#inHand.add(donation.id);
    try {
      await proxy.upload(fileName(donation), credential.text);
      await this.#check(donation);
    } catch (error) {
      this.#unclear(donation, error);
    } finally {
      this.#inHand.delete(donation.id);
    }
    await this.settle();
    return outcomeOf(store.donation(donation.id));
  }

  /** Goes on with everything that is not final, one after the other. Runs at the start and by a timer. */
  settle(): Promise<void> {
    // A look that failed must not stand in the way of the next.
    this.#settling = this.#settling.catch(() => undefined).then(() => this.#settle());
    return this.#settling;
  }

  /** @param by who decides @returns false where the donation needs no person, or not any more */
  async decide(id: string, decision: Decision, by: number): Promise<boolean> {
    const { store, proxy } = this.#args;
    const donation = store.donation(id);
    if (donation?.state !== "person" || this.#inHand.has(id)) return false;
    this.#inHand.add(id);
    try {
      if (decision === "refuse") await proxy.remove(fileName(donation));
      store.decide(donation, decision, by);
    } finally {
      this.#inHand.delete(id);
    }
    await this.settle();
    return true;
  }

  async #settle(): Promise<void> {
    const { store } = this.#args;
    for (const donation of store.donations(["checking"])) {
      if (!this.#inHand.has(donation.id)) await this.#attempt(donation, () => this.#check(donation));
    }
    // Two grants of one user at once could not be told apart by the user's sum.
    const busy = new Set<number>();
    for (const donation of store.donations(["sent", "owed"]).sort(sentFirst)) {
      if (busy.has(donation.newApi)) continue;
      await this.#attempt(donation, () => this.#grant(donation));
      if (store.donation(donation.id)?.state === "sent") busy.add(donation.newApi);
    }
  }

  async #attempt(donation: Donation, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#unclear(donation, error);
    }
  }

  async #check(donation: Donation): Promise<void> {
    const { store, proxy } = this.#args;
    // A crash came between the verdict and its end.
    const verdict = verdicts.find((each) => each === donation.note);
    if (verdict !== undefined) {
      await this.#giveBack(donation, verdict);
      return;
    }
    const name = fileName(donation);
    const files = await proxy.list();
    const own = files.find((file) => file.name === name);
    if (own === undefined) {
      // The upload never arrived: nothing of it is anywhere, and the donor may try again.
      store.refuse(donation, "not uploaded");
      return;
    }
    const email = own.email;
    if (
      email !== undefined &&
      files.some((file) => file.name !== name && file.provider === own.provider && file.email === email)
    ) {
      await this.#giveBack(donation, "seen");
      return;
    }
    const accounts = await this.#prove(name, donation.provider);
    if (accounts === undefined) await this.#giveBack(donation, "not valid");
    else if (!store.prove(donation.id, accounts)) await this.#giveBack(donation, "seen");
  }

  /** @returns what the provider says whose credential it is, or undefined where it is not valid */
  async #prove(name: string, provider: string): Promise<string[] | undefined> {
    const { proxy, probePause } = this.#args;
    const probe = probeOf({ provider, accountId: readCredential(await proxy.download(name))?.accountId });
    for (let tries = 0; tries < probeTries && probe !== undefined; tries++) {
      if (tries > 0) await new Promise((resolve) => setTimeout(resolve, probePause));
      const file = (await proxy.list()).find((each) => each.name === name);
      if (file?.auth_index === undefined || file.status !== "active" || file.disabled || file.unavailable) continue;
      const { status, body } = await proxy.call(file.auth_index, probe);
      if (status >= 200 && status < 300) return accountFingerprints(provider, body);
      if (status >= 500 || status === 429) throw new UpstreamError(provider, status, `probe: ${status}`);
      return undefined;
    }
    return undefined;
  }

  async #giveBack(donation: Donation, verdict: Verdict): Promise<void> {
    this.#args.store.condemn(donation.id, verdict);
    await this.#args.proxy.remove(fileName(donation));
    this.#args.store.refuse(donation, verdict);
  }

  /** One that never became a donation. Gives the reason back. */
  #refused<T extends string>(linuxDo: number, why: T): T {
    this.#args.log.info({ event: "donation-refused", userId: linuxDo, amount: 0, why }, "donation refused");
    return why;
  }

  async #grant(donation: Donation): Promise<void> {
    const { store, newApi, grace, now } = this.#args;
    const { id, amount, sentAt, totalBefore } = donation;
    const user = await newApi.user(donation.newApi);
    if (user === undefined) {
      store.needsPerson(donation, "the new-api user is gone");
      return;
    }
    if (sentAt !== null && totalBefore !== null) {
      const given = user.total - totalBefore;
      if (given === amount) {
        store.markGranted(donation);
        return;
      }
      if (given !== 0)
        throw new UpstreamError(
          "new-api",
          undefined,
          "the user's quota tells neither that it was given nor that it was not",
        );
      if (now() - sentAt < grace) return;
    }
    store.markSent(id, user.total);
    try {
      await newApi.addQuota(donation.newApi, amount, id);
    } catch (error) {
      if (
        error instanceof UpstreamError &&
        error.status !== undefined &&
        error.status < 500 &&
        !later.has(error.status)
      ) {
        store.needsPerson(donation, error.message);
        return;
      }
      throw error;
    }
    store.markGranted(donation);
  }

  #unclear(donation: Donation, error: unknown): void {
    const what = error instanceof UpstreamError ? error.message : "internal error";
    // A person should know of a verdict that could not be carried out.
    const verdict = this.#args.store.donation(donation.id)?.note ?? "";
    const note = verdict === "" ? what : `${verdict}; ${what}`;
    if (this.#args.store.tried(donation.id) >= maxTries) this.#args.store.needsPerson(donation, note);
    else this.#args.log.warn({ event: "unclear", donation: donation.id, note }, "tried again later");
  }
}

function fileName({ id }: Pick<Donation, "id">): string {
  return `donation-${id}.json`;
}

function sentFirst(a: Donation, b: Donation): number {
  return Number(b.state === "sent") - Number(a.state === "sent");
}

function outcomeOf(donation: Donation | undefined): Outcome {
  if (donation?.state === "checking") return "checking";
  if (donation?.state === "person") return "person";
  if (donation?.state === "owed" || donation?.state === "sent") return donation.attempts > 0 ? "late" : "accepted";
  if (donation?.state !== "refused") return "accepted";
  if (donation.note === "not uploaded") return "lost";
  return donation.note === "seen" ? "seen" : "refused";
}
