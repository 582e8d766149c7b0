import { type AppsWorld, appSecrets, appSettings, apps } from "../apps/world";
import { signIn } from "../sign-in";
import { username } from "../world";

/** The three Apps come up in one `up`, and the operator signs in once for all. */
export function appsUp(world: AppsWorld): void {
  beforeAll(async () => {
    world.sandbox.configure({ ...appSettings, adminUsername: username });
    await world.setSecrets(appSecrets);
    await world.watchedUp();
  });

  test("every service of theirs is healthy, and what runs once has ended well", async () => {
    const lines = (await world.onHost("docker ps --all --format '{{.Names}} {{.Status}}'")).split("\n");
    const named = (pattern: RegExp) =>
      lines
        .filter((line) => pattern.test(line))
        .map((line) => line.split(" ")[0])
        .sort();
    const gate = ["cloudcode-auth-authelia-1", "cloudcode-auth-sessions-1", "cloudcode-edge-caddy-1"];
    expect(named(/\(healthy\)$/)).toEqual(
      [
        ...gate,
        ...Object.entries(apps).flatMap(([app, services]) =>
          Object.keys(services).map((service) => `cloudcode-${app}-${service}-1`),
        ),
      ].sort(),
    );
    expect(named(/Exited \(0\)/)).toEqual(expect.arrayContaining(["cloudcode-casecheck-migrate-1"]));
    expect(lines.filter((line) => !/\(healthy\)$|Exited \(0\)/.test(line))).toEqual([]);
  });

  test("a second up changes nothing", async () => {
    const before = await world.containers();
    await world.up("--expect-no-changes");
    expect(await world.containers()).toEqual(before);
  });

  test("one login with two factors is good for all of them", async () => {
    world.totp = await signIn(world, username, appSecrets.adminPassword, async ({ page }) => {
      await page.goto(`https://${world.domain}/`);
      for (const name of [/TG Signer/, /Donation site/, /Model proxy/, /CaseCheck/])
        await page.getByRole("link", { name }).waitFor();
    });
  });
}
