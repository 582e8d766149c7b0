import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { curlMail } from "../../components/host/alerts";
import { projectRoot, runProgram } from "../support/program";
import { arrivedFiles } from "../support/releases";
import { faultsOf } from "../support/settings";

const mail = { smtpAddress: "submission://smtp.example.com", adminEmail: "me@example.com", alertMail: "true" };

describe("the settings of alerts", () => {
  it.each([
    [{ alertWebhook: "http://example.com" }, "alertWebhook is not an https:// address"],
    [{ alertMail: "true", adminEmail: "me@example.com" }, "alertMail needs smtpAddress and adminEmail"],
    [{ alertMail: "true", smtpAddress: mail.smtpAddress }, "alertMail needs smtpAddress and adminEmail"],
    [{ updateRebootTime: "24:00" }, "updateRebootTime is not a time of day, as 04:30"],
    [
      { updateRebootTime: "04:30", automaticUpdates: "false" },
      "updateRebootTime has no effect while automaticUpdates is false",
    ],
  ])("%j: %s", (settings, fault) => {
    expect(faultsOf(settings)).toEqual([fault]);
  });

  it.each([
    ["submission://smtp.example.com", { url: "smtp://smtp.example.com:587", secure: true }],
    ["submissions://smtp.example.com:4650", { url: "smtps://smtp.example.com:4650", secure: true }],
    ["smtp://smtp.example.com", { url: "smtp://smtp.example.com:25", secure: false }],
  ])("%s is told to curl in its own words", (address, words) => {
    expect(curlMail(address)).toEqual(words);
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

  /** Runs the real script on this report, with a curl that keeps what it is given. */
  function alert(report: string, { curlCode = 0, checkCode = 0 } = {}): { status: number | null; sent: string } {
    const install = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      chmodSync(join(folder, name), 0o755);
    };
    install("cloudcode-check", `#!/bin/sh\nprintf '%b' '${report}'\nexit ${checkCode}\n`);
    // What it sends is the file that its last argument names, or its standard input.
    const body = 'for last; do :; done; case $last in @-) cat ;; *) cat "$last" ;; esac';
    install("curl", `#!/bin/sh\n{ echo "$@"; ${body}; echo; } >>'${folder}/sent'\nexit ${curlCode}\n`);
    const script = readFileSync(join(projectRoot, "stack-templates", "host", "cloudcode-alert"), "utf8")
      .replace("/opt/cloudcode/alerts", join(folder, "alerts"))
      .replace("/opt/cloudcode/bin/cloudcode-check", join(folder, "cloudcode-check"));
    install("cloudcode-alert", script);
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

  it("tells a check that does not come to its end, with what that saw before", () => {
    writeFileSync(join(folder, "alerts", "webhook.conf"), 'url = "https://x"\n');
    const { sent } = alert(red, { checkCode: 124 });
    expect(sent).toContain('9 MiB are free -> make \\"room\\"\\nself-check: it did not come to its end -> npm run ops');
  });
});
