import pino, { type DestinationStream, type Logger } from "pino";

/** The service's log: one JSON object a line. What could hold a secret is cut out, should it ever get into one. */
export function newLog(destination?: DestinationStream): Logger {
  const secrets = [
    "token",
    "secret",
    "password",
    "authorization",
    "cookie",
    "code",
    "verifier",
    "credential",
    "text",
    "body",
    "headers",
  ];
  const options = {
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: secrets.flatMap((name) => [name, `*.${name}`]), censor: "[secret]" },
  };
  // A line is out before the next step: by itself pino leaves that to another thread.
  return pino(options, destination ?? pino.destination({ sync: true }));
}
