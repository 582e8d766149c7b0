// What OpenCode's image holds besides OpenCode, by the files that it is built from.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const image = join(__dirname, "../../stack-templates/opencode/image");

describe("host keys", () => {
  // As docs.github.com and docs.gitlab.com print them next to the keys.
  const published = {
    "github.com": {
      "ssh-ed25519": "+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
      "ecdsa-sha2-nistp256": "p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM",
      "ssh-rsa": "uNiVztksCsDhcc0u9e8BujQXVUpKZIDTMczCvj3tD2s",
    },
    "gitlab.com": {
      "ssh-ed25519": "eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8",
      "ecdsa-sha2-nistp256": "HbW3g8zUjNSksFbqTiUWPWg2Bq1x8xdGUrliXFzSnUw",
      "ssh-rsa": "ROQFvPThGrW4RuWLoL9tq9I9zJ42fK4XywyRtbOz/EQ",
    },
  };

  it.each([
    ["github.com", "github.com"],
    ["[ssh.github.com]:443", "github.com"],
    ["gitlab.com", "gitlab.com"],
    ["[altssh.gitlab.com]:443", "gitlab.com"],
  ] as const)("of %s are those that it publishes, to ssh itself", (host, owner) => {
    const found = execFileSync("ssh-keygen", ["-F", host, "-f", join(image, "ssh_known_hosts")], { encoding: "utf8" });
    const lines = found.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const prints = lines.map((line) => {
      const [, kind = "", key = ""] = line.split(" ");
      return [kind, createHash("sha256").update(Buffer.from(key, "base64")).digest("base64").replace(/=+$/, "")];
    });
    expect(Object.fromEntries(prints)).toEqual(published[owner]);
  });

  it("are of nobody else, and where ssh looks for them", () => {
    const text = readFileSync(join(image, "ssh_known_hosts"), "utf8");
    expect(text.split("\n").filter((line) => !/^(#|git(hub|lab)\.com,|$)/.test(line))).toEqual([]);
    expect(readFileSync(join(image, "Dockerfile.hbs"), "utf8")).toContain(
      "COPY ssh_known_hosts /etc/ssh/ssh_known_hosts\n",
    );
  });
});

describe("the image's skeleton", () => {
  let folder: string;
  const at = (path: string) => join(folder, path);
  const bring = (files: Readonly<Record<string, string>>) => {
    rmSync(at("skeleton"), { recursive: true, force: true });
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(at(`skeleton/${name}`)), { recursive: true });
      writeFileSync(at(`skeleton/${name}`), text);
    }
    execFileSync("sh", [join(image, "skeleton.sh"), at("skeleton"), at("home")]);
  };
  const home = (name: string) =>
    existsSync(at(`home/${name}`)) ? readFileSync(at(`home/${name}`), "utf8") : undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "skeleton-"));
    mkdirSync(at("home"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("arrives in a new home, and as a new image has it", () => {
    bring({ ".bashrc": "one", "a b/c": "deep" });
    expect([home(".bashrc"), home("a b/c")]).toEqual(["one", "deep"]);
    bring({ ".bashrc": "two", "a b/c": "deep", ".new": "new" });
    expect([home(".bashrc"), home("a b/c"), home(".new")]).toEqual(["two", "deep", "new"]);
    bring({ ".bashrc": "three" });
    expect([home(".bashrc"), home(".new")]).toEqual(["three", "new"]);
  });

  it("is known where Docker has filled the home from the image", () => {
    writeFileSync(at("home/.bashrc"), "one");
    bring({ ".bashrc": "one" });
    bring({ ".bashrc": "two" });
    expect(home(".bashrc")).toBe("two");
  });

  it("leaves what the user has changed, removed, linked or had before", () => {
    writeFileSync(at("home/.before"), "mine");
    symlinkSync("/nowhere", at("home/.linked"));
    bring({ ".changed": "one", ".removed": "one", ".before": "one", ".linked": "one" });
    writeFileSync(at("home/.changed"), "mine");
    rmSync(at("home/.removed"));
    for (const text of ["two", "three"]) {
      bring({ ".changed": text, ".removed": text, ".before": text, ".linked": text });
      expect([home(".changed"), home(".removed"), home(".before")]).toEqual(["mine", undefined, "mine"]);
      expect(readlinkSync(at("home/.linked"))).toBe("/nowhere");
    }
  });
});

describe("the terminal's session", () => {
  /** tmux asks each terminal that it begins to write to for no mouse. */
  const attached = "\u001b[?1006l";
  let folder: string;
  let socket: string;
  const started: ChildProcess[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "terminal-"));
    socket = join(folder, "tmux");
  });
  afterEach(() => {
    for (const child of started.splice(0)) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  /** As the server's container runs it. */
  function session(): ChildProcess {
    const child = spawn("tmux", ["-D", "-S", socket, "-f", join(image, "tmux.conf")], {
      cwd: folder,
      env: { PATH: process.env["PATH"], HOME: folder, SHELL: "/bin/sh" },
      stdio: "ignore",
    });
    started.push(child);
    return child;
  }

  /** A browser's view, which ttyd gives a terminal of its own. */
  function view() {
    const command = `stty cols 60 rows 20; exec sh ${join(image, "terminal.sh")}`;
    const child = spawn("script", ["-qefc", command, "/dev/null"], {
      cwd: folder,
      env: { PATH: process.env["PATH"], HOME: folder, TERM: "xterm-256color", TERMINAL_SOCKET: socket },
    });
    started.push(child);
    let text = "";
    child.stdout.on("data", (bytes: Buffer) => (text += bytes.toString()));
    return {
      shows: (words: string) => until(() => text.includes(words)),
      type: (line: string) => child.stdin.write(`${line}\n`),
      close: () => child.kill("SIGHUP"),
      text: () => text,
    };
  }

  it("goes on while nobody looks, with what was started there, and comes back", async () => {
    session();
    const phone = view();
    await until(() => existsSync(socket));
    await phone.shows(attached);
    phone.type("mine=kept-$((6*7)); (sleep 2; echo done >finished) &");
    phone.close();
    await until(() => existsSync(join(folder, "finished")));
    const laptop = view();
    await laptop.shows(attached);
    laptop.type('echo "it is $mine"');
    await laptop.shows("it is kept-42");
    // No second screen, which has no scrolling by touch.
    expect(laptop.text()).not.toContain("\u001b[?1049h");
  });

  it("is waited for, and never started where no agent is", async () => {
    const phone = view();
    await phone.shows("The workspace is starting.");
    expect(existsSync(socket)).toBe(false);
    session();
    await phone.shows(attached);
    phone.type("echo here-$((1+1))");
    await phone.shows("here-2");
  });
});

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("it has not happened within 20 s");
}
