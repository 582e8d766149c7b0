/**
 * Work that several parts of the sandbox ask for side by side, and that is done once for each key. What failed is done again for
 * the next one who asks.
 */
export class Shared<K, V> {
  readonly #works = new Map<K, Promise<V>>();

  get(key: K, work: () => Promise<V>): Promise<V> {
    const known = this.#works.get(key);
    if (known !== undefined) return known;
    const begun = work();
    this.#works.set(key, begun);
    begun.catch(() => this.#works.delete(key));
    return begun;
  }
}
