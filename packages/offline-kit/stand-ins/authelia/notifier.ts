// Stand-in for Authelia 4.39.20: notifications into a file, in the shape of the real ones, or by mail.
import { writeFileSync } from "node:fs";
import type { Config } from "./config/schema";
import { sendMail } from "./smtp";

export interface Recipient {
  readonly displayName: string;
  readonly email: string;
}
export interface Notifier {
  check(): void;
  send(recipient: Recipient, subject: string, body: string): Promise<void>;
}

export function createNotifier({ filesystem, smtp }: Config["notifier"]): Notifier {
  return {
    check() {
      if (filesystem) writeFileSync(filesystem.filename, "", { mode: 0o600 });
    },
    async send(recipient, subject, body) {
      if (filesystem)
        writeFileSync(filesystem.filename, fileText(recipient, subject, body, new Date()), {
          mode: 0o600,
          flush: true,
        });
      else if (smtp) await sendMail(smtp, recipient, subject, body);
    },
  };
}

export function fileText(recipient: Recipient, subject: string, body: string, date: Date): string {
  const stamp = date.toISOString().replace("T", " ").replace("Z", " +0000 UTC");
  const address = recipient.displayName === "" ? recipient.email : `{${recipient.displayName} ${recipient.email}}`;
  return `Date: ${stamp}\nRecipient: ${address}\nSubject: ${subject}\n${body}\n\n`;
}

export interface CodeMessage {
  readonly displayName: string;
  readonly domain: string;
  readonly code: string;
  readonly revokeUrl: string;
  readonly ip: string;
}

/** Only the lines a person or a program looks for are the real one's: the code alone between two rules of 40 dashes. */
export function oneTimeCodeText({ displayName, domain, code, revokeUrl, ip }: CodeMessage): string {
  const rule = "-".repeat(40);
  return `A ONE-TIME CODE HAS BEEN GENERATED TO COMPLETE A REQUESTED ACTION

Hi ${displayName},

Somebody signed in as you wants to change the security settings of your account at ${domain}. Keep this message to yourself.

Type this code into the prompt of your browser, and nowhere else.

${rule}

${code}

${rule}

If it was not you, open this link to make the code worthless, then change your password:

${revokeUrl}

${rule}

Meant for ${displayName}, asked for from ${ip}. Sent by the stand-in for Authelia.`;
}

export function eventText(displayName: string, event: string, ip: string): string {
  return `AN IMPORTANT EVENT HAS OCCURRED WITH YOUR ACCOUNT

Hi ${displayName},

${event}

It came from ${ip}. If it was not you, change your password and tell the operator of this server.`;
}
