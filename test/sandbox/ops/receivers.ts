import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { SMTPServer } from "smtp-server";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";

interface Post {
  readonly path: string;
  readonly text: string;
}

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly encrypted: boolean;
  /** Headers and body, with the line ends of this machine. */
  readonly text: string;
}

/** A web server and a mail server that keep what they are sent. */
export interface Receivers {
  readonly webAddress: string;
  /** In the words of `smtpAddress`. */
  readonly mailAddress: string;
  /** Of both; signs itself. */
  readonly certificate: string;
  /** What came since the last time. */
  taken(): { readonly posts: readonly Post[]; readonly mails: readonly Mail[] };
  /** Done while a sender waits for the answer. */
  whileSending(action: () => Promise<void>): void;
  /** The next so many mails are turned away for now, after their whole text. */
  refuse(count: number): void;
  stop(): Promise<void>;
}

/** Starts both at this address; the mail server, nodemailer's, wants STARTTLS and this login. */
export async function startReceivers(
  address: string,
  login: { readonly username: string; readonly password: string },
): Promise<Receivers> {
  const { key, certificate } = selfSigned([address]);
  let [posts, mails]: [Post[], Mail[]] = [[], []];
  let refusals = 0;
  let meanwhile = () => Promise.resolve();

  const web = createServer({ key, cert: certificate }, (incoming, outgoing) => {
    void text(incoming).then(async (body) => {
      posts.push({ path: incoming.url ?? "", ...(JSON.parse(body) as { text: string }) });
      await meanwhile();
      outgoing.end("ok");
    });
  });
  const mail = new SMTPServer({
    key,
    cert: certificate,
    authMethods: ["PLAIN", "LOGIN"],
    disableReverseLookup: true,
    onAuth: ({ username, password }, _session, done) => {
      const welcome = username === login.username && password === login.password;
      void meanwhile().then(() => {
        if (welcome) done(null, { user: username });
        else done(new Error("wrong name or password"));
      });
    },
    onData: (stream, { envelope, secure }, done) => {
      void text(stream).then((letter) => {
        const refuse = (responseCode: number, words: string) => {
          done(Object.assign(new Error(words), { responseCode }));
        };
        if (refusals-- > 0) {
          refuse(451, "try again later");
          return;
        }
        // As strict servers do (RFC 5321, 2.3.8).
        if (/(^|[^\r])\n/.test(letter)) {
          refuse(550, "a bare line feed");
          return;
        }
        mails.push({
          from: envelope.mailFrom === false ? "" : envelope.mailFrom.address,
          to: envelope.rcptTo.map((one) => one.address),
          encrypted: secure,
          text: letter.replaceAll("\r\n", "\n"),
        });
        done();
      });
    },
  });
  // A sender that hangs up is the test's matter.
  mail.on("error", () => undefined);
  web.listen(0, address);
  const mailSocket = mail.listen(0, address);
  await Promise.all([once(web, "listening"), once(mailSocket, "listening")]);
  const portOf = (server: { address(): AddressInfo | string | null }) => (server.address() as AddressInfo).port;

  return {
    webAddress: `https://${address}:${portOf(web)}`,
    mailAddress: `submission://${address}:${portOf(mailSocket)}`,
    certificate,
    taken: () => {
      const all = { posts, mails };
      [posts, mails] = [[], []];
      return all;
    },
    whileSending: (action) => {
      meanwhile = action;
    },
    refuse: (count) => {
      refusals = count;
    },
    stop: async () => {
      web.close();
      web.closeAllConnections();
      await new Promise<void>((resolve) => {
        mail.close(resolve);
      });
    },
  };
}
