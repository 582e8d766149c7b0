/** Ends the process with the exit code that its work gives, or with 1 and the error's message on standard error. */
export function exitWith(work: Promise<number> | Promise<void>): void {
  work.then(
    (code) => {
      if (typeof code === "number") process.exitCode = code;
    },
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    },
  );
}
