/** A fault of one key. */
export interface Problem {
  readonly key: string;
  /** Completes the sentence "KEY …"; never quotes a value. */
  readonly fault: string;
}
