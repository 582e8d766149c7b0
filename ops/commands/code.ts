import { OpsError } from "../stack";
import { poll } from "../../components/poll";
import type { Operations } from "../../components/operations";
import { onHost } from "../host";
import type { StackChoice } from "../stack";
import { accountOf, inGateway } from "./gateway";

/** Authelia's codes are good for five minutes (https://www.authelia.com/configuration/identity-validation/elevated-session/). */
const codeLifeMs = 5 * 60_000;
const pauseMs = 1000;

export interface Code {
  readonly code: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The code in a notification of Authelia's file notifier; undefined where the newest notification is about something else. */
export function codeIn(notification: string): Code | undefined {
  const code = /^[A-Z0-9]{8}$/m.exec(notification)?.[0];
  // "2026-11-25 15:04:05.123456789 +0000 UTC m=+12.3", as Go prints a time.
  const [, day, time, zone] = /^Date: (\S+) (\d\d:\d\d:\d\d)\S* ([+-]\d{4})/m.exec(notification) ?? [];
  if (code === undefined || day === undefined || time === undefined || zone === undefined) return undefined;
  return { code, at: Date.parse(`${day}T${time}${zone.slice(0, 3)}:${zone.slice(3)}`) };
}

/** @param now milliseconds since 1970 by the host's clock */
export function isFresh(code: Code | undefined, now: number): code is Code {
  return code !== undefined && now - code.at < codeLifeMs;
}

/**
 * Whether a notification is for an account, whose display name in the users file is its own. The file has Go's form of the address,
 * `{NAME MAIL}` (authelia/authelia, internal/notification/file_notifier.go).
 */
export function isFor(notification: string, account: string): boolean {
  // The first: what follows the head is not Authelia's alone.
  const [, recipient = ""] = /^Recipient: (.*)$/m.exec(notification) ?? [];
  return recipient.startsWith(`{${account} `);
}

/**
 * The newest one-time code that is still good; waits for one that long. The file holds the newest notification alone, whoever it is for.
 *
 * @param who whose code. @default the operator's
 * @throws OpsError where none came, or where codes go by mail
 */
export async function oneTimeCode(
  choice: StackChoice,
  seconds: number,
  say: (line: string) => void,
  who?: string,
): Promise<Code> {
  return onHost(choice, async (ssh, { operations }) => {
    const { codesTo, people = [] } = operations;
    const account = accountOf(operations, who);
    if (codesTo !== undefined) {
      const { mail } = people.find(({ name }) => name === account) ?? { mail: codesTo };
      throw new OpsError(`one-time codes of this stack are sent by mail to ${mail}`);
    }
    let said = false;
    return poll({ boundMs: seconds * 1000, pauseMs }, async (remainingMs) => {
      const { stdout } = await ssh.script(`date +%s; ${inGateway} cat /config/notification.txt 2>/dev/null || true`);
      const [clock = "", ...text] = stdout.split("\n");
      const notification = text.join("\n");
      // Somebody else's code is not for the operator's eyes by accident.
      const found = people.length === 0 || isFor(notification, account) ? codeIn(notification) : undefined;
      if (isFresh(found, Number(clock) * 1000)) return { done: found };
      if (!said && remainingMs > 0) say(`Waiting for a code; ${portalHint(operations)}`);
      said = true;
      return { late: new OpsError(`no code came within ${seconds} s; ${portalHint(operations)}`) };
    });
  });
}

function portalHint({ domain }: Operations): string {
  return `request one: sign in at https://auth.${domain}/settings and add a device`;
}
