// With SMTP configured the one-time code goes out by mail, over STARTTLS and after a login.
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { sendMail } from "../../stand-ins/authelia/smtp";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";

const { key, certificate } = selfSigned(["127.0.0.1"]);
const recipient = { displayName: "Ädmin", email: "admin@example.com" };
let server: Server;

afterEach(() => {
  server.close();
});

/** As much of a mail server as one letter needs; gives what it was told. */
async function startServer(offersTls: boolean): Promise<{ readonly port: number; readonly heard: string[] }> {
  const heard: string[] = [];
  const converse = (socket: Socket): void => {
    let inLetter = false;
    socket.on("data", (chunk: Buffer) => {
      for (const line of chunk.toString().split("\r\n").slice(0, -1)) {
        heard.push(line);
        if (inLetter) {
          if (line !== ".") continue;
          inLetter = false;
          socket.write("250 kept\r\n");
        } else if (line.startsWith("EHLO"))
          socket.write(`250-hello\r\n250-AUTH PLAIN\r\n250 ${offersTls ? "STARTTLS" : "HELP"}\r\n`);
        else if (line === "STARTTLS" && offersTls) {
          socket.removeAllListeners("data");
          socket.write("220 go\r\n");
          converse(new TLSSocket(socket, { isServer: true, key, cert: certificate }));
        } else if (line === "STARTTLS") socket.write("502 not here\r\n");
        else if (line.startsWith("AUTH")) socket.write("235 welcome\r\n");
        else if (line === "DATA") {
          inLetter = true;
          socket.write("354 go on\r\n");
        } else socket.write(line === "QUIT" ? "221 bye\r\n" : "250 fine\r\n");
      }
    });
    socket.on("error", () => undefined);
  };
  server = createServer((socket) => {
    socket.write("220 ready\r\n");
    converse(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, heard };
}

const config = { username: "me", password: "se cret", sender: "Cloudcode <gate@example.com>" };
const addressOf = (port: number) => ({ host: "127.0.0.1", port, implicitTls: false });

test("a letter is sent encrypted, signed in, and arrives whole", async () => {
  const { port, heard } = await startServer(true);
  await sendMail(
    { ...config, address: addressOf(port) },
    recipient,
    "Confirm your identity",
    "Hällo\n\nABCD2346\n",
    certificate,
  );
  expect(heard.slice(0, 6)).toEqual([
    "EHLO localhost",
    "STARTTLS",
    "EHLO localhost",
    `AUTH PLAIN ${Buffer.from("\0me\0se cret").toString("base64")}`,
    "MAIL FROM:<gate@example.com>",
    "RCPT TO:<admin@example.com>",
  ]);
  const body = heard.slice(heard.indexOf("", 6) + 1, heard.indexOf("."));
  expect(Buffer.from(body.join(""), "base64").toString()).toBe("Hällo\n\nABCD2346\n");
});

test("nor is it sent to a server that nobody vouches for", async () => {
  const { port, heard } = await startServer(true);
  await expect(sendMail({ ...config, address: addressOf(port) }, recipient, "x", "y")).rejects.toThrow("self-signed");
  expect(heard).toEqual(["EHLO localhost", "STARTTLS"]);
});

test("nothing is sent in the clear", async () => {
  const { port, heard } = await startServer(false);
  await expect(sendMail({ ...config, address: addressOf(port) }, recipient, "x", "y")).rejects.toThrow(
    "upgrading connection with STARTTLS",
  );
  expect(heard).toEqual(["EHLO localhost", "STARTTLS"]);
});
