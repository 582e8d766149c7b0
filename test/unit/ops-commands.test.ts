import { mkdtempSync, rmSync } from "node:fs";
import jsQR from "jsqr";
import { parse } from "yaml";
import { codeIn, isFor, isFresh } from "../../ops/commands/code";
import { splitService } from "../../ops/commands/containers";
import { accountOf, accountsOf, bansIn, checkPassword, withPasswordHash } from "../../ops/commands/gateway";
import { parseHistory, renderHistory } from "../../ops/commands/history";
import { addressOf, opener, qrCode } from "../../ops/commands/open";
import { scriptCommand, shortFolder, sshArguments } from "../../ops/ssh";
import { fileText, oneTimeCodeText } from "@cloudcode/offline-kit/stand-ins/authelia/notifier";

describe("a one-time code", () => {
  const at = Date.UTC(2026, 10, 25, 15, 4, 5, 123);
  const message = {
    displayName: "Jo",
    domain: "home.example.com",
    revokeUrl: "https://x",
    ip: "192.0.2.1",
    code: "ABCD2345",
  };
  const text = fileText(
    { displayName: "Jo", email: "jo@example.com" },
    "Confirm",
    oneTimeCodeText(message),
    new Date(at),
  );

  it("is read from the gateway's file with its time", () => {
    expect(codeIn(text)).toEqual({ code: "ABCD2345", at: at - 123 });
  });

  it("is read where Go prints nanoseconds and its own clock", () => {
    const date = "Date: 2026-11-25 16:04:05.123456789 +0100 CET m=+12.345";
    expect(codeIn(text.replace(/^Date: .*$/m, date))).toEqual({ code: "ABCD2345", at: at - 123 });
  });

  it("is not in a notification of something else, nor in none", () => {
    expect(
      codeIn(fileText({ displayName: "", email: "jo@example.com" }, "x", "Your password has changed.", new Date(at))),
    ).toBeUndefined();
    expect(codeIn("")).toBeUndefined();
  });

  it("is good for five minutes", () => {
    const found = codeIn(text);
    expect(isFresh(found, at + 299_000)).toBe(true);
    expect(isFresh(found, at + 301_000)).toBe(false);
    expect(isFresh(undefined, at)).toBe(false);
  });
});

describe("the users file", () => {
  const users =
    'users:\n    jo:\n        password: $argon2id$old\n        email: jo@example.com # hers\n    "al":\n        password: "x"\n';

  it("gets another hash for one user, and all else stays", () => {
    const changed = withPasswordHash(users, "jo", "$argon2id$v=19$m=1,t=1,p=1$a$b");
    expect(parse(changed)).toEqual({
      users: { jo: { password: "$argon2id$v=19$m=1,t=1,p=1$a$b", email: "jo@example.com" }, al: { password: "x" } },
    });
    expect(changed).toContain("# hers");
  });

  it("without the user is reported", () => {
    expect(() => withPasswordHash(users, "eve", "x")).toThrow("Authelia has no user eve");
  });

  it("takes no password that the settings would refuse", () => {
    expect(() => {
      checkPassword("short");
    }).toThrow("the password is shorter than 12 characters");
    expect(() => {
      checkPassword("long enough for this");
    }).not.toThrow();
  });
});

describe("a table of bans", () => {
  it("is read with its columns padded, as Authelia 4.39.20 prints it", () => {
    const table = `ID IP          Expires             Source     Reason
1  192.0.2.66  2026-11-28 12:09:21 regulation Exceeding Maximum Retries
12 2001:db8::1 never               cli        `;
    expect(bansIn("ip", table)).toEqual([
      { kind: "ip", id: "1", who: "192.0.2.66", expires: "2026-11-28 12:09:21" },
      { kind: "ip", id: "12", who: "2001:db8::1", expires: "never" },
    ]);
  });

  it("without a row has no ban", () => {
    expect(bansIn("user", "No results.")).toEqual([]);
    expect(bansIn("user", "ID Username Result Information")).toEqual([]);
  });
});

describe("the history", () => {
  const line = "2026-11-25T15:04:05Z\tpulumi from 192.0.2.1\topencode\tapply\t0123456789ab\trunning";

  it("is one change a line", () => {
    expect(parseHistory(`${line}\n`)).toEqual([
      {
        time: "2026-11-25T15:04:05Z",
        operator: "pulumi from 192.0.2.1",
        stack: "opencode",
        action: "apply",
        release: "0123456789ab",
        result: "running",
      },
    ]);
  });

  it("is shown in columns", () => {
    const other = line.replace("opencode", "auth").replace("running", "not healthy, ab runs again");
    expect(renderHistory(parseHistory(`${line}\n${other}\n`)).split("\n")).toEqual([
      "2026-11-25T15:04:05Z  opencode  apply  0123456789ab  running                     pulumi from 192.0.2.1",
      "2026-11-25T15:04:05Z  auth      apply  0123456789ab  not healthy, ab runs again  pulumi from 192.0.2.1",
    ]);
    expect(renderHistory([])).toBe("");
  });
});

describe("an App", () => {
  const outputs = {
    url: "https://home.example.com",
    urls: { OpenCode: "https://code.home.example.com" },
    operations: {
      connection: { host: "h", port: 22, user: "root", privateKey: "", hostKey: "" },
      awake: true,
      domain: "home.example.com",
      publicAddress: "h",
      operator: "jo",
      codesTo: undefined,
      stacks: [],
      sites: [],
    },
  };
  it.each([
    [undefined, "https://home.example.com"],
    ["opencode", "https://code.home.example.com"],
    ["code", "https://code.home.example.com"],
  ])("%s is found at %s", (app, url) => {
    expect(addressOf(outputs, app)).toBe(url);
  });

  it("that is not there is reported with those that are", () => {
    expect(() => addressOf(outputs, "mail")).toThrow("this stack has no App mail; it has OpenCode");
  });

  it("is in the QR code as a phone reads it from the screen", async () => {
    const url = "https://code.203-0-113-7.sslip.io";
    const printed = await qrCode(url);
    const { data, width, height } = picture(printed.split("\n"));
    expect(jsQR(data, width, height, { inversionAttempts: "dontInvert" })?.data).toBe(url);
  });

  it("is opened by what the system has for it", () => {
    expect([opener("darwin")[0], opener("linux")[0], opener("win32")[0]]).toEqual(["open", "xdg-open", "cmd"]);
  });

  it("may be named with a service", () => {
    expect(splitService("opencode/terminal")).toEqual({ app: "opencode", service: "terminal" });
    expect(splitService("opencode")).toEqual({ app: "opencode", service: undefined });
    for (const wrong of ["", "/x", "x/", "a/b/c"])
      expect(() => splitService(wrong)).toThrow("is not APP or APP/SERVICE");
  });
});

describe("the command line of ssh", () => {
  const files = { knownHosts: "/tmp/x/known_hosts", agent: "/tmp/x/agent" };
  const connection = { host: "203.0.113.7", port: 2222, user: "ubuntu" };

  it("checks the pinned key alone, offers the agent's key alone, and never asks", () => {
    const line = sshArguments(connection, files, false, "true").join(" ");
    for (const option of [
      "StrictHostKeyChecking=yes",
      "UserKnownHostsFile=/tmp/x/known_hosts",
      "GlobalKnownHostsFile=/dev/null",
      "IdentityAgent=/tmp/x/agent",
      "IdentityFile=none",
      "BatchMode=yes",
    ])
      expect(line).toContain(`-o ${option} `);
    expect(line).toMatch(/^-F none -T .*-p 2222 -l ubuntu 203\.0\.113\.7 true$/);
    expect(sshArguments(connection, files, true)).toContain("-t");
  });

  it("names files by paths that it reads as they are, and a socket by one that fits", () => {
    const own = mkdtempSync("/tmp/own-");
    expect(shortFolder(own)).toBe(own);
    const odd = ["/Users/jo/My Files", "/tmp/100%h", "/nonexistent/tmp", `/tmp/${"x".repeat(80)}`, "relative"];
    expect(odd.map(shortFolder)).toEqual(odd.map(() => "/tmp"));
    rmSync(own, { recursive: true });
  });

  it("quotes a script and its arguments for the host's sh", () => {
    expect(scriptCommand('echo "$1"', ["it's"])).toBe(`sh -c 'echo "$1"' sh 'it'\\''s'`);
    expect(scriptCommand("true")).toBe("sh -c true sh");
    expect(scriptCommand("true", [""])).toBe("sh -c true sh ''");
  });
});

const blackOnWhite = "\u001b[30;107m";
const plain = "\u001b[0m";

/** What a terminal shows of half blocks in black on white, each half a square of some pixels, in RGBA. */
function picture(lines: readonly string[]) {
  const scale = 4;
  const rows = lines.flatMap((line) => {
    expect([line.startsWith(blackOnWhite), line.endsWith(plain)]).toEqual([true, true]);
    const blocks = line.slice(blackOnWhite.length, -plain.length);
    return ["█▀", "█▄"].map((black) => Array.from(blocks, (block) => black.includes(block)));
  });
  const width = (rows[0]?.length ?? 0) * scale;
  const height = rows.length * scale;
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (rows[Math.floor(y / scale)]?.[Math.floor(x / scale)] === true)
        data.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3);
  return { data, width, height };
}

describe("the accounts of a stack", () => {
  const people = [
    { name: "jo", mail: "jo@example.com" },
    { name: "mia", mail: "mia@example.com" },
  ];

  it("are the operator's, and those of people", () => {
    expect(accountsOf({ operator: "admin" })).toEqual(["admin"]);
    expect(accountsOf({ operator: "admin", people })).toEqual(["admin", "jo", "mia"]);
  });

  it("are found by their names, the operator's by none", () => {
    expect(accountOf({ operator: "admin", people }, undefined)).toBe("admin");
    expect(accountOf({ operator: "admin", people }, "admin")).toBe("admin");
    expect(accountOf({ operator: "admin", people }, "mia")).toBe("mia");
    expect(() => accountOf({ operator: "admin", people }, "mi")).toThrow(
      "this stack has no account mi; it has admin, jo, mia",
    );
    expect(() => accountOf({ operator: "admin" }, "jo")).toThrow("this stack has no account jo; it has admin");
  });

  it("have their codes told apart by the recipient of the notification", () => {
    const to = (name: string) =>
      fileText({ displayName: name, email: `${name}@example.com` }, "Confirm your identity", "ABCD2345", new Date());
    expect([isFor(to("jo"), "jo"), isFor(to("jo"), "admin"), isFor(to("jo-x"), "jo"), isFor(to("jo"), "o")]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    const forged = to("jo").replace("ABCD2345", "x\nRecipient: {admin admin@example.com}");
    expect([isFor(forged, "jo"), isFor(forged, "admin")]).toEqual([true, false]);
  });
});
