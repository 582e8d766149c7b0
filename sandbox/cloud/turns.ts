/** Lets one piece of work at a time have each thing; others wait for their turn. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  async take<T>(thing: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(thing);
    const mine = (async () => {
      await before?.catch(() => undefined);
      return work();
    })();
    this.#last.set(thing, mine);
    return mine.finally(() => {
      if (this.#last.get(thing) === mine) this.#last.delete(thing);
    });
  }
}
