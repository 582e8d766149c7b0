import { UpdateProgress } from "../../sandbox/engine-events";
import { Progress } from "../../sandbox/progress";

function screen(isTTY: boolean) {
  let text = "";
  return {
    isTTY,
    columns: 60,
    write: (more: string) => (text += more),
    get text() {
      return text;
    },
  };
}

describe("progress", () => {
  test("is plain lines where there is no terminal, each with what remains", async () => {
    const shown = screen(false);
    let now = 0;
    const progress = new Progress(["Docker", "images", "host"], shown, () => now);
    const images = progress.track("images", Promise.resolve("made"));
    now = 12_400;
    progress.say("Building the caddy image");
    expect(await images).toBe("made");
    await progress.track("host", Promise.resolve());
    progress.end();
    expect(shown.text).toBe(
      "[  12 s] Building the caddy image\n[  12 s] images done, 1 of 3, left: Docker, host\n[  12 s] host done, 2 of 3, left: Docker\n",
    );
  });

  test("is one line on a terminal, no longer than it, which goes in the end", async () => {
    const shown = screen(true);
    const progress = new Progress(["images", "host"], shown, () => 0);
    progress.say("Building an image with a name that does not fit into the line");
    await progress.track("images", Promise.resolve());
    progress.end();
    expect(shown.text).not.toContain("\n");
    const lines = shown.text.split("\r").slice(1);
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line.replace("\u001b[K", "").length).toBeLessThan(60);
    expect(lines[1]).toContain("1 of 2 done, left: host | Building");
    expect(lines[2]).toBe("\u001b[K");
  });

  test("a part that fails is not counted as done", async () => {
    const shown = screen(false);
    const progress = new Progress(["images"], shown, () => 0);
    await expect(progress.track("images", Promise.reject(new Error("no network")))).rejects.toThrow("no network");
    expect(shown.text).not.toContain("done");
  });
});

describe("the progress of an update", () => {
  const event = (kind: string, name: string, planning = false) =>
    JSON.stringify({
      sequence: 1,
      [kind]: {
        metadata: { op: "create", urn: `urn:pulumi:sandbox::cloudcode::command:remote:Command::${name}` },
        ...(planning && { planning }),
      },
    });
  const after = (...lines: readonly string[]) => {
    const progress = new UpdateProgress();
    for (const line of lines) progress.add(line);
    return progress.text;
  };
  const planned = ["auth", "edge", "docker"].map((name) => event("resourcePreEvent", name, true));

  test("counts what the preview found, then what is done of it, and names what is under way", () => {
    expect(after()).toBe("starting");
    expect(after(...planned)).toBe("planning, 3 resources");
    const begun = [event("resourcePreEvent", "docker"), event("resourcePreEvent", "auth")];
    expect(after(...planned, ...begun, event("resOutputsEvent", "docker"))).toBe("1 of 3 known resources, now: auth");
    expect(after(...planned, ...begun, event("resOutputsEvent", "default_1_2_1"))).toBe(
      "0 of 3 known resources, now: docker, auth",
    );
    expect(after(...planned, ...begun, event("resOpFailedEvent", "auth"))).toBe("1 of 3 known resources, now: docker");
  });

  test("what the preview could not know raises the total, and other events change nothing", () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    const begun = names.map((name) => event("resourcePreEvent", name));
    expect(after(...planned, ...begun, JSON.stringify({ sequence: 2, preludeEvent: { config: {} } }))).toBe(
      "0 of 6 known resources, now: a, b, c, d, 2 more",
    );
  });
});
