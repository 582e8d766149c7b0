import { protectedParts } from "../../components/destroy/guard";
import { refusal, wouldMeetProtected } from "../../components/destroy/judge";
import { textOf } from "../support/plain";
import { runAlicloud, runProgram } from "../support/program";
import { settingsOf } from "../support/settings";

const parents = (...lines: string[]) => lines.map((line, index) => ({ parent: index, words: line.split(" ") }));

it.each([
  "pulumi destroy --yes --skip-preview",
  "/usr/bin/pulumi destroy -f -y --stack home",
  "C:\\tools\\pulumi.exe --cwd /x down --skip-preview=true --yes",
  "pulumi destroy --yes --skip-preview --exclude-protected=false",
])("%s would stop half way", (line) => {
  const tree = parents(
    "node bin/cloudcode-hook.cjs refuse-destroy",
    "pulumi-resource-command 127.0.0.1:1",
    line,
    "bash",
  );
  expect(wouldMeetProtected(tree)).toBe(true);
});

it.each([
  // A preview refuses by itself, and where it does not, nothing is protected.
  "pulumi destroy --yes",
  "pulumi destroy --yes --skip-preview --exclude-protected",
  "pulumi destroy --yes --skip-preview --exclude-protected=true",
  "pulumi destroy -f --target urn:pulumi:x",
  "pulumi destroy -f --exclude=urn:pulumi:x",
  "pulumi up --yes --skip-preview",
  "my-destroy-tool destroy --skip-preview",
  "bash -c pulumi destroy --skip-preview",
])("%s does not", (line) => {
  expect(wouldMeetProtected(parents("pulumi-resource-command", line))).toBe(false);
});

it("names what is protected, and both ways on", () => {
  expect(refusal(["the data disk"])).toBe(
    "nothing was touched: the data disk cannot be deleted because it is protected. npm run ops -- destroy removes all else and names what is kept and what that costs; npm run ops -- destroy --everything deletes that, too. After pulumi state unprotect, run pulumi destroy without --skip-preview.",
  );
});

describe("the guard", () => {
  const key = "the key of Authelia's database (auth-encryption-key)";
  const guard = "destroy-guard";
  it("is there where something is protected, and nothing can be deleted before it", async () => {
    const run = await runAlicloud();
    const { inputs } = run.resource(guard);
    expect(JSON.parse(textOf(inputs["stdin"]))).toEqual({ kept: ["the data disk", key] });
    const removals = run.resources.filter(({ name }) => /-(removal|release|instance|disk|attachment)$/.test(name));
    expect(removals.length).toBeGreaterThan(8);
    for (const { name, urn } of removals)
      expect([name, run.resource(guard).options.dependsOn.includes(urn)]).toEqual([name, true]);
  });

  it("is not there where nothing is", async () => {
    for (const run of [await runProgram({ deleteData: "true" }), await runAlicloud({ deleteData: "true" })])
      expect(run.resources.map(({ name }) => name)).not.toContain(guard);
  });

  it("knows each part that is protected", () => {
    const parts = (settings: Record<string, string>) => protectedParts(settingsOf(settings));
    expect(parts({ domain: "home.example.com" })).toEqual([key]);
    expect(parts({ domain: "home.example.com", backupRepository: "/var/backups/home" })).toEqual([
      "the password of backups",
      key,
    ]);
    expect(parts({ domain: "home.example.com", backupRepository: "/var/backups/home", deleteData: "true" })).toEqual(
      [],
    );
  });
});
