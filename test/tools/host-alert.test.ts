import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { SMTPServer } from "smtp-server";
import { alertValues, curlMail } from "../../components/host/alerts";
import { renderTemplate } from "../../components/stack/template";
import { runProgram } from "../support/program";
import { projectRoot } from "../support/project-root";
import { arrivedFiles } from "../support/releases";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import { faultsOf } from "../support/settings";

const mail = { smtpAddress: "submission://smtp.example.com", adminEmail: "me@example.com", alertMail: "true" };

describe("the settings of alerts", () => {
  it.each([
    [{ alertWebhook: "http://example.com" }, "alertWebhook is not an https:// address"],
    [{ alertMail: "true", adminEmail: "me@example.com" }, "alertMail needs smtpAddress and adminEmail"],
    [{ alertMail: "true", smtpAddress: mail.smtpAddress }, "alertMail needs smtpAddress and adminEmail"],
    [{ updateRebootTime: "24:00" }, "updateRebootTime is not a time of day, such as 04:30"],
    [
      { updateRebootTime: "04:30", automaticUpdates: "false" },
      "updateRebootTime has no effect while automaticUpdates is false",
    ],
  ])("%j: %s", (settings, fault) => {
    expect(faultsOf(settings)).toEqual([fault]);
  });

  it.each([
    ["smtp://smtp.example.com", "me", { url: "smtp://smtp.example.com:25", secure: true }],
    ["submission://smtp.example.com", undefined, { url: "smtp://smtp.example.com:587", secure: true }],
    ["submissions://smtp.example.com:4650", undefined, { url: "smtps://smtp.example.com:4650", secure: true }],
    ["smtp://smtp.example.com", undefined, { url: "smtp://smtp.example.com:25", secure: false }],
  ])("%s with the login %s is given to curl in its own words", (address, username, words) => {
    expect(curlMail(address, username)).toEqual(words);
  });
});

describe("what reaches the host", () => {
  const conf = async (settings: Readonly<Record<string, string>>) => {
    const files = await arrivedFiles(await runProgram(settings), "docker-install");
    return [files.get("alert-webhook.conf")?.content.trim(), files.get("alert-mail.conf")?.content.trim()];
  };

  it("is nothing by default", async () => {
    expect(await conf({})).toEqual(["", ""]);
  });

  it("is the webhook and the mail server, quoted for curl", async () => {
    const settings = {
      ...mail,
      alertWebhook: "https://hooks.example.com/a?b=%22c",
      smtpUsername: 'me"\\',
      smtpPassword: 'p"\\w',
    };
    expect(await conf(settings)).toEqual([
      'url = "https://hooks.example.com/a?b=%22c"',
      [
        'url = "smtp://smtp.example.com:587"',
        'mail-from = "me@example.com"',
        'mail-rcpt = "me@example.com"',
        "ssl-reqd",
        'user = "me\\"\\\\:p\\"\\\\w"',
      ].join("\n"),
    ]);
  });
});

describe("the daily self-check", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "alert-"));
    mkdirSync(join(folder, "alerts"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const install = (name: string, program: string) => {
    writeFileSync(join(folder, name), program);
    chmodSync(join(folder, name), 0o755);
  };
  /** The real script, and what it hears from the host. */
  function installCheck(report: string, code = 0): void {
    install("cloudcode-check", `#!/bin/sh\nprintf '%b' '${report}'\nexit ${code}\n`);
    const script = readFileSync(join(projectRoot, "stack-templates", "host", "cloudcode-alert"), "utf8")
      .replace("/opt/cloudcode/alerts", join(folder, "alerts"))
      .replace("/opt/cloudcode/bin/cloudcode-check", join(folder, "cloudcode-check"));
    install("cloudcode-alert", script);
  }

  /** Runs the real script on this report, with a curl that keeps what it is given. */
  function alert(report: string, { curlCode = 0, checkCode = 0 } = {}): { status: number | null; sent: string } {
    installCheck(report, checkCode);
    // What it sends is the file that its last argument names.
    const body = 'for last; do :; done; cat "${last#@}"';
    install("curl", `#!/bin/sh\n{ echo "$@"; ${body}; echo; } >>'${folder}/sent'\nexit ${curlCode}\n`);
    const env = { PATH: `${folder}:${process.env["PATH"] ?? ""}` };
    const { status } = spawnSync(join(folder, "cloudcode-alert"), { env });
    return { status, sent: existsSync(join(folder, "sent")) ? readFileSync(join(folder, "sent"), "utf8") : "" };
  }
  const red = 'disk /\\tred\\t9 MiB are free\\tmake "room"\\nswap\\tok\\tfine\\t\\n';

  it("is silent while nothing is red", () => {
    writeFileSync(join(folder, "alerts", "webhook.conf"), 'url = "https://x"\n');
    expect(alert("disk /\\tok\\tfine\\t\\nswap\\tnone\\tnone\\t\\n")).toEqual({ status: 0, sent: "" });
  });

  it("posts what is red and what to do to the webhook, whose address is on no command line", () => {
    writeFileSync(join(folder, "alerts", "webhook.conf"), 'url = "https://hooks.example.com/secret"\n');
    const { status, sent } = alert(red);
    expect(status).toBe(0);
    const [line = "", ...body] = sent.split("\n");
    expect(line).not.toContain("secret");
    const { text } = JSON.parse(body.join("\n")) as { text: string };
    expect(text.split("\n").slice(1)).toEqual(['disk /: 9 MiB are free -> make "room"']);
  });

  describe("by a service that answers 200 whatever it thinks of a message", () => {
    let server: Server;
    let answer = "";
    let got: { path: string; body: unknown } | undefined;
    beforeAll(async () => {
      const { key, certificate } = selfSigned(["*"]);
      server = createServer({ key, cert: certificate }, (request, response) => {
        void text(request).then((body) => {
          got = { path: request.url ?? "", body: JSON.parse(body) };
          response.end(answer);
        });
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
    });
    afterAll(() => server.close());

    /** The real script with the real curl, which finds every host at the server above. */
    async function post(host: string, says: string) {
      answer = says;
      got = undefined;
      const { port } = server.address() as AddressInfo;
      const conf = `url = "https://${host}/robot/send?access_token=${"0123456789abcdef".repeat(4)}"\nconnect-to = "::127.0.0.1:${port}"\ninsecure\n`;
      writeFileSync(join(folder, "alerts", "webhook.conf"), conf);
      installCheck(red);
      const child = spawn(join(folder, "cloudcode-alert"), { stdio: ["ignore", "pipe", "pipe"] });
      const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
      return { said: await text(child.stderr), status: await closed, got };
    }
    const words = expect.stringContaining('9 MiB are free -> make "room"') as string;
    const asText = { msgtype: "text", text: { content: words } };

    it.each([
      ["oapi.dingtalk.com", '{"errcode":0,"errmsg":"ok"}', asText],
      ["qyapi.weixin.qq.com", '{"errcode":0,"errmsg":"ok"}', asText],
      [
        "open.feishu.cn",
        '{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}',
        { msg_type: "text", content: { text: words } },
      ],
      [
        "open.larksuite.com",
        '{"Extra":null,"StatusCode":0,"StatusMessage":"success"}',
        { msg_type: "text", content: { text: words } },
      ],
      ["hooks.slack.com", "ok", { text: words }],
      ["ntfy.sh", '{"id":"x1","time":1,"event":"message","topic":"t"}', { text: words }],
      ["api.day.app", '{"code":200,"message":"success","timestamp":1}', { text: words }],
      ["hooks.example.com", "", { text: words }],
      ["hooks.example.com", "[1]", { text: words }],
    ])("%s is sent its own form, and %s means that it took it", async (host, says, body) => {
      expect(await post(host, says)).toMatchObject({ status: 0, said: "", got: { body } });
    });

    it.each([
      ["oapi.dingtalk.com", '{"errcode":310000,"errmsg":"keywords not in content"}', "310000: keywords not in content"],
      ["oapi.dingtalk.com", '{"errcode":300005,"errmsg":"token is not exist"}', "300005: token is not exist"],
      ["qyapi.weixin.qq.com", '{"errcode":93000,"errmsg":"invalid webhook url"}', "93000: invalid webhook url"],
      ["open.feishu.cn", '{"code":19024,"msg":"Key Words Not Found","data":{}}', "19024: Key Words Not Found"],
      ["open.feishu.cn", '{"StatusCode":9499,"StatusMessage":"Bad Request"}', "9499: Bad Request"],
      ["oapi.dingtalk.com", "<!doctype html><title>Sign in</title>", "its answer is not that of the service"],
      ["qyapi.weixin.qq.com", "", "its answer is not that of the service"],
      ["open.feishu.cn", '{"data":{}}', "its answer is not that of the service"],
      ["open.larksuite.com", "[0]", "its answer is not that of the service"],
      ["slack.com", '{"ok":false,"error":"channel_not_found"}', "no code: channel_not_found"],
      ["chat.example.com", '{"success":false}', "no code: no reason"],
      ["hooks.example.com", '{"code":"40001","msg":"\\u001b[31m坏\\n"}', "40001: [31m坏"],
    ])("%s that answers %s did not take it", async (host, says, reason) => {
      const { status, said } = await post(host, says);
      expect({ status, said }).toEqual({
        status: 1,
        said: `cloudcode: the webhook did not take the message: ${reason}\n`,
      });
    });

    it("its words go to the journal without what may be the address's secret", async () => {
      const { status, said } = await post(
        "hooks.example.com",
        JSON.stringify({ code: 1, msg: `no ${"0123456789abcdef".repeat(4)}` }),
      );
      expect({ status, said }).toEqual({
        status: 1,
        said: "cloudcode: the webhook did not take the message: 1: no …\n",
      });
    });
  });

  it("mails it, with a subject and a date, and fails where the server does not take it", () => {
    writeFileSync(
      join(folder, "alerts", "mail.conf"),
      'url = "smtp://x"\nmail-from = "a@example.com"\nmail-rcpt = "b@example.com"\n',
    );
    const { status, sent } = alert(red);
    expect(status).toBe(0);
    expect(sent).toContain("From: a@example.com\r\nTo: b@example.com\r\nSubject: cloudcode on ");
    expect(sent).toMatch(/\r\n\r\ncloudcode on .*\r\ndisk \/: 9 MiB are free -> make "room"\r\n/);
    expect(alert(red, { curlCode: 67 }).status).toBe(1);
  });

  it("logs in nowhere without TLS: a smtp:// server that offers none gets no password, and the unit fails", async () => {
    const passwords: string[] = [];
    const plain = new SMTPServer({
      disabledCommands: ["STARTTLS"],
      allowInsecureAuth: true,
      authOptional: true,
      disableReverseLookup: true,
      onAuth: ({ username, password }, _session, done) => {
        passwords.push(password ?? "");
        done(null, { user: username });
      },
    });
    const socket = plain.listen(0, "127.0.0.1");
    await once(socket, "listening");
    const send = async (username: string | undefined) => {
      const address = `smtp://127.0.0.1:${(socket.address() as AddressInfo).port}`;
      const server = { address, username, password: undefined, sender: undefined };
      const template = readFileSync(join(projectRoot, "stack-templates", "host", "alert-mail.conf.hbs"), "utf8");
      const values = { alerts: alertValues({ webhook: undefined, mail: { server, to: "me@example.com" } }) };
      writeFileSync(
        join(folder, "alerts", "mail.conf"),
        renderTemplate(template, { ...values, secrets: { mailPassword: "secret of mail" } }),
      );
      installCheck(red);
      const child = spawn(join(folder, "cloudcode-alert"), {
        stdio: "ignore",
        env: { ...process.env, CURL_HOME: folder },
      });
      return (await once(child, "close"))[0] as number;
    };
    try {
      expect(await send(undefined)).toBe(0);
      expect(await send("me")).toBe(1);
      expect(passwords).toEqual([]);
    } finally {
      await new Promise<void>((resolve) => {
        plain.close(resolve);
      });
    }
  });

  it("tells a check that does not come to its end, with what that saw before", () => {
    writeFileSync(join(folder, "alerts", "webhook.conf"), 'url = "https://x"\n');
    const { sent } = alert(red, { checkCode: 124 });
    expect(sent).toContain('9 MiB are free -> make \\"room\\"\\nself-check: it did not finish -> npm run ops');
  });
});
