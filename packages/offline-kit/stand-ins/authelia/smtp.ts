// Stand-in for Authelia 4.39.20: as much SMTP as one plain notification needs.
import { createConnection, isIP } from "node:net";
import type { Socket } from "node:net";
import { connect } from "node:tls";
import type { SmtpConfig } from "./config/types";
import type { Recipient } from "./notifier";

interface Line {
  send(command: string, ...expected: readonly number[]): Promise<string>;
  close(): void;
}

export async function sendMail(config: SmtpConfig, recipient: Recipient, title: string, body: string): Promise<void> {
  let socket: Socket = config.implicitTls ? secure(config) : createConnection(config.port, config.host);
  socket.setTimeout(config.timeout, () => socket.destroy(new Error("smtp: timed out")));
  let line = conversation(socket);
  await line.send("", 220);
  const features = await line.send(`EHLO ${config.identifier}`, 250);
  if (!config.implicitTls && config.startTls && /STARTTLS/i.test(features)) {
    await line.send("STARTTLS", 220);
    socket.removeAllListeners("data");
    socket = secure(config, socket);
    line = conversation(socket);
    await line.send(`EHLO ${config.identifier}`, 250);
  } else if (!config.implicitTls && config.requireTls) throw new Error("smtp: the server does not offer STARTTLS");
  if (config.password !== "") {
    const proof = Buffer.from(`\0${config.username}\0${config.password}`).toString("base64");
    await line.send(`AUTH PLAIN ${proof}`, 235);
  }
  await line.send(`MAIL FROM:<${bare(config.sender)}>`, 250);
  await line.send(`RCPT TO:<${recipient.email}>`, 250, 251);
  await line.send("DATA", 354);
  await line.send(letter(config, recipient, title, body), 250);
  await line.send("QUIT", 221);
  line.close();
}

function letter(config: SmtpConfig, recipient: Recipient, title: string, body: string): string {
  const encode = (value: string): string => `=?utf-8?B?${Buffer.from(value).toString("base64")}?=`;
  const lines = [
    `From: ${config.sender}`,
    `To: ${encode(recipient.displayName)} <${recipient.email}>`,
    `Subject: ${encode(config.subject.replace("{title}", title))}`,
    `Date: ${new Date().toUTCString()}`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: base64",
    "",
    ...(Buffer.from(body)
      .toString("base64")
      .match(/.{1,76}/g) ?? []),
    ".",
  ];
  return lines.join("\r\n");
}

function bare(address: string): string {
  return /<([^>]+)>/.exec(address)?.[1] ?? address;
}

function secure(config: SmtpConfig, socket?: Socket): Socket {
  const target = socket ? { socket } : { host: config.host, port: config.port };
  const name = isIP(config.host) === 0 ? { servername: config.host } : {};
  return connect({ ...target, ...name, rejectUnauthorized: !config.skipVerify });
}

function conversation(socket: Socket): Line {
  let buffer = "";
  let failure: Error | undefined;
  let wake: () => void = () => undefined;
  socket.on("data", (chunk: Buffer) => {
    buffer += chunk.toString();
    wake();
  });
  socket.on("error", (error) => {
    failure = error;
    wake();
  });
  socket.on("close", () => {
    failure ??= new Error("smtp: the server hung up");
    wake();
  });
  return {
    async send(command, ...expected) {
      if (command !== "") socket.write(`${command}\r\n`);
      while (!/^\d{3} .*\r?\n$/m.test(buffer)) {
        if (failure) throw failure;
        await new Promise<void>((resolve) => (wake = resolve));
      }
      const reply = buffer;
      buffer = "";
      if (!expected.includes(Number(reply.slice(0, 3)))) throw new Error(`smtp: unexpected answer: ${reply.trim()}`);
      return reply;
    },
    close: () => socket.end(),
  };
}
