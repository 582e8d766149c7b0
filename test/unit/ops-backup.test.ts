import { OpsError } from "../../ops/stack";
import {
  parseSnapshots,
  pickSnapshots,
  renderSnapshots,
  snapshotsOf,
  toBeGiven,
  withoutPlace,
} from "../../ops/commands/backup";

const json = JSON.stringify([
  {
    short_id: "a1",
    id: "a1ffff",
    hostname: "home",
    time: "2026-11-23T03:30:00.123456789Z",
    tags: ["app=auth"],
    paths: ["/backup"],
  },
  { short_id: "o1", hostname: "home", time: "2026-11-23T03:31:00Z", tags: ["app=opencode"] },
  { short_id: "o2", hostname: "home", time: "2026-11-24T03:31:00Z", tags: ["app=opencode"] },
  { short_id: "o3", hostname: "home", time: "2026-11-24T12:00:00Z", tags: ["app=opencode", "before-restore"] },
  { short_id: "x1", hostname: "home", time: "2026-11-24T12:00:00Z", tags: ["photos"] },
  { short_id: "x2", hostname: "home", time: "2026-11-24T12:00:00Z" },
]);
const all = parseSnapshots(json);
const ids = (stacks: readonly string[], at?: string) => {
  const { picked, without } = pickSnapshots(all, stacks, at === undefined ? undefined : Date.parse(at));
  return { picked: picked.map(({ id }) => id), without };
};

describe("the snapshots of a repository", () => {
  it("are those that this program made", () => {
    expect(all.map(({ id, app, beforeRestore }) => [id, app, beforeRestore])).toEqual([
      ["a1", "auth", false],
      ["o1", "opencode", false],
      ["o2", "opencode", false],
      ["o3", "opencode", true],
    ]);
    expect(all[0]?.stack).toBe("home");
    expect(all[0]?.time).toBe(Date.UTC(2026, 10, 23, 3, 30, 0, 123));
  });

  it("are listed by time", () => {
    expect(renderSnapshots([...all].reverse()).split("\n")).toEqual([
      "2026-11-23T03:30:00.123Z  a1  home  auth",
      "2026-11-23T03:31:00.000Z  o1  home  opencode",
      "2026-11-24T03:31:00.000Z  o2  home  opencode",
      "2026-11-24T12:00:00.000Z  o3  home  opencode  before a restore",
    ]);
    expect(renderSnapshots([])).toContain("There are no backups yet");
  });
});

describe("a restore takes", () => {
  it("the newest of each stack, but not what a restore replaced", () => {
    expect(ids(["auth", "opencode"])).toEqual({ picked: ["a1", "o2"], without: [] });
  });

  it("the newest up to a time, then also what a restore replaced", () => {
    expect(ids(["opencode"], "2026-11-24T03:30:59Z").picked).toEqual(["o1"]);
    expect(ids(["opencode"], "2026-11-24T03:31:00Z").picked).toEqual(["o2"]);
    expect(ids(["opencode"], "2026-11-25T00:00:00Z").picked).toEqual(["o3"]);
  });

  it("only what the stack made, and says whose backups there are where it made none", () => {
    const other = { ...all[0], id: "z1", app: "donation", stack: "office", time: 0, beforeRestore: false };
    expect(snapshotsOf([...all, other], "office")).toEqual([other]);
    expect(() => snapshotsOf([...all, other], "hom")).toThrow(
      "there is no backup of a stack hom: the repository has backups of home, office",
    );
    expect(() => snapshotsOf([], "home")).toThrow("the repository has no backups");
  });

  it("what has a place on the host, and names the rest", () => {
    expect(withoutPlace(all, ["auth", "edge"])).toEqual(["opencode"]);
    expect(withoutPlace(all, ["auth", "edge", "opencode"])).toEqual([]);
  });

  it("from the former host what may be in use once only", () => {
    expect(toBeGiven(all, { onlyOnce: ["auth", "tg-signer"] }).map(({ app }) => app)).toEqual(["auth"]);
    expect(toBeGiven(all, {})).toEqual([]);
  });

  it("nothing of a stack that has none, and says which", () => {
    expect(ids(["auth", "donation"])).toEqual({ picked: ["a1"], without: ["donation"] });
    expect(() => ids(["donation"])).toThrow(OpsError);
    expect(() => ids(["auth"], "2026-01-01T00:00:00Z")).toThrow(
      "there is no backup of auth from before 2026-01-01T00:00:00.000Z; npm run ops -- snapshots lists them all",
    );
  });
});
