/** One request that reached the emulator. */
export interface LoggedCall {
  readonly time: string;
  /** What a test says is being done, such as `second up`. */
  readonly operation: string;
  readonly product: string;
  readonly action: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly clientToken: string;
  readonly status: number;
  /** Empty if it went well. */
  readonly code: string;
}

/** A request that the real API's reference does not allow. */
export interface Violation {
  readonly action: string;
  readonly message: string;
}

const most = 20_000;

/** What happened since the emulator started; the oldest calls are dropped. */
export class Journal {
  operation = "";
  readonly calls: LoggedCall[] = [];
  readonly violations: Violation[] = [];
  /** What went wrong with a real machine, disk or address after its call was answered. */
  readonly failures: string[] = [];

  call(call: Omit<LoggedCall, "time" | "operation">): void {
    this.calls.push({ time: new Date().toISOString(), operation: this.operation, ...call });
    if (this.calls.length > most) this.calls.shift();
  }
}
