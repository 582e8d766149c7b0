// Stand-in for Authelia 4.39.20: one notification by mail, over TLS or not at all.
import { createTransport } from "nodemailer";
import type { Config } from "./config/schema";
import type { Recipient } from "./notifier";

/** @param ca the authority to trust; the system's where there is none */
export async function sendMail(
  { address, sender, username, password }: NonNullable<Config["notifier"]["smtp"]>,
  recipient: Recipient,
  title: string,
  body: string,
  ca?: string,
): Promise<void> {
  const { host, port, implicitTls } = address;
  const transport = createTransport({
    name: "localhost",
    host,
    port,
    secure: implicitTls,
    requireTLS: !implicitTls,
    connectionTimeout: 5000,
    greetingTimeout: 5000,
    socketTimeout: 5000,
    ...(ca !== undefined && { tls: { ca } }),
    ...(password !== undefined && { auth: { user: username ?? "", pass: password } }),
  });
  await transport.sendMail({
    from: sender,
    to: { name: recipient.displayName, address: recipient.email },
    subject: `[Authelia] ${title}`,
    text: body,
    textEncoding: "base64",
  });
}
