import type { Say } from "./run";

/** On standard error: standard output is for what another program reads. */
export const say: Say = (line) => {
  process.stderr.write(`${line}\n`);
};
