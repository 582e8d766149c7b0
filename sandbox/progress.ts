import type { Say } from "../cli/run";

/** Where progress is shown: standard error, usually. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Shows which of the named parts are done and what happens now: in one living line on a terminal, in plain lines elsewhere. */
export class Progress {
  readonly #done = new Set<string>();
  readonly #running = new Set<string>();
  readonly #started: number;
  #text = "";
  #timer: NodeJS.Timeout | undefined;

  /** @param parts all that there is to do, in the order in which it is listed */
  constructor(
    private readonly parts: readonly string[],
    private readonly screen: Screen,
    private readonly now = Date.now,
  ) {
    this.#started = now();
  }

  /** What happens now, in one line. */
  readonly say: Say = (line) => {
    this.#text = line;
    if (!this.screen.isTTY) this.screen.write(`${this.#clock()} ${line}\n`);
    else this.#draw();
  };

  /** Counts `work` as this part. */
  async track<T>(part: string, work: Promise<T>): Promise<T> {
    this.#running.add(part);
    const result = await work;
    this.#running.delete(part);
    this.#done.add(part);
    if (this.screen.isTTY) this.#draw();
    else
      this.screen.write(`${this.#clock()} ${part} done, ${this.#done.size} of ${this.parts.length}${this.#left()}\n`);
    return result;
  }

  /** Takes the living line away. */
  end(): void {
    clearInterval(this.#timer);
    if (this.screen.isTTY) this.screen.write("\r\x1b[K");
  }

  #draw(): void {
    this.#timer ??= setInterval(() => {
      this.#draw();
    }, 1000).unref();
    const line = `${this.#clock()} ${this.#done.size} of ${this.parts.length} done${this.#left()} | ${this.#text}`;
    this.screen.write(`\r${line.slice(0, (this.screen.columns ?? 80) - 1)}\x1b[K`);
  }

  #clock(): string {
    return `[${((this.now() - this.#started) / 1000).toFixed(0).padStart(4)} s]`;
  }

  /** The parts that remain; the ones that are under way first. */
  #left(): string {
    const left = this.parts.filter((part) => !this.#done.has(part));
    const sorted = [
      ...left.filter((part) => this.#running.has(part)),
      ...left.filter((part) => !this.#running.has(part)),
    ];
    return sorted.length === 0 ? "" : `, left: ${sorted.join(", ")}`;
  }
}
