import { defaultSources } from "../../../components/images";
import { Cases } from "../apps/cases";
import { underLoad } from "../load";
import { type AppsWorld, appSecrets, apps } from "../apps/world";
import { asDonor, donationIsKnown } from "./apps-donation";
import { holds, openCasecheck } from "./apps-gate";
import { signIn } from "./apps-tg-signer";

const basicPassword = "the door's own passphrase";
export const basic = { authorization: `Basic ${Buffer.from(`jo:${basicPassword}`).toString("base64")}` };

/** A change touches what it is about, and no data is lost by any of them. */
export function changes(world: AppsWorld): void {
  test("a change to the donation site restarts nothing else, TG Signer least of all", async () => {
    const before = await world.containers();
    world.sandbox.configure({ donationQuotaAmount: "600" });
    await world.up();
    const after = await world.containers();
    const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
    expect(changed).toEqual(["cloudcode-donation-site"]);
  });

  test("another version of CaseCheck, whose API, policy and pages may run twice, loses no request", async () => {
    const before = await world.containers();
    const { sent, lost, slowest } = await underLoad(world, { subdomain: "casecheck", path: "/health" }, async () => {
      const given = world.config()["cloudcode:sources"] as { casecheck?: string } | undefined;
      const casecheck = given?.casecheck ?? defaultSources.casecheck;
      // The same commit by the repository's other address: all images are built again.
      const other = casecheck.replace(/(?=#)/, ".git");
      await world.sandbox.pulumi(["config", "set", "--path", "sources.casecheck", other]);
      await world.up();
    });
    const after = await world.containers();
    const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
    expect(changed.sort()).toEqual(["api", "opa", "web"].map((service) => `cloudcode-casecheck-${service}`));
    process.stderr.write(`CaseCheck replaced under load: ${sent} requests, slowest ${slowest.toFixed(1)} s\n`);
    expect(lost).toEqual([]);
  });

  test("a changed secret reaches the container that it is for", async () => {
    const before = await world.containers();
    const adminPassword = "another passphrase for TG Signer";
    await world.sandbox.pulumi(["config", "set", "--secret", "tgSignerAdminPassword"], { input: adminPassword });
    await world.up();
    const after = await world.containers();
    expect(Object.keys(after).filter((name) => after[name] !== before[name])).toEqual(["cloudcode-tg-signer-web"]);
    await expect(signIn(world, appSecrets.tgSignerAdminPassword)).rejects.toThrow("401");
    await signIn(world, adminPassword);
    const { tgSignerAdminPassword: former } = appSecrets;
    await world.sandbox.pulumi(["config", "set", "--secret", "tgSignerAdminPassword"], { input: former });
  });

  test("all of them deployed again keep their data", async () => {
    const before = await world.containers();
    await world.sandbox.pulumi(["config", "set", "--secret", "tgSignerBasicPassword"], { input: basicPassword });
    world.sandbox.configure({
      tgSignerMemoryMiB: "384",
      tgSignerOuterLogin: "basic",
      tgSignerBasicUsername: "jo",
      casecheckMemoryMiB: "256",
      casecheckOpen: "true",
    });
    await world.up();
    const after = await world.containers();
    for (const name of ["cloudcode-tg-signer-web", "cloudcode-casecheck-api"])
      expect(after[name]).not.toBe(before[name]);
    await dataIsThere(world);
  });

  test("with an outer login of Caddy's, TG Signer asks for that password first, then for its own", async () => {
    const without = await world.request("tg", "/", { headers: { cookie: world.cookie, accept: "text/html" } });
    expect({ status: without.status, asks: without.headers["www-authenticate"] }).toMatchObject({
      status: 401,
      asks: expect.stringMatching(/^Basic/) as string,
    });
    const wrong = { authorization: `Basic ${Buffer.from("jo:wrong").toString("base64")}` };
    expect((await world.request("tg", "/healthz", { headers: wrong })).status).toBe(401);
    expect((await world.request("tg", "/healthz", { headers: basic })).status).toBe(200);
    const cookie = await signIn(world, appSecrets.tgSignerAdminPassword, { ...basic, cookie: "" });
    expect((await world.request("tg", "/", { headers: { ...basic, cookie } })).status).toBe(200);
  });

  test("an open CaseCheck is open at what participants need, and at nothing beside it", () =>
    holds(world, openCasecheck));

  test("switched off, they take containers, networks and images along and leave their volumes", async () => {
    world.sandbox.configure({ tgSignerEnabled: "false", donationEnabled: "false", casecheckEnabled: "false" });
    await world.up();
    const left = await world.onHost(
      "docker ps --all --format '{{.Names}}'; docker network ls --format '{{.Name}}'; docker images --format '{{.Repository}}'; ls /opt/cloudcode/stacks",
    );
    for (const app of Object.keys(apps)) expect(left).not.toContain(app);
    expect(
      (
        await world.onHost("docker volume ls --format '{{.Name}}' | grep -E 'tg-signer|donation|casecheck' | sort")
      ).split("\n"),
    ).toEqual([
      "cloudcode-casecheck_backups",
      "cloudcode-casecheck_database",
      "cloudcode-casecheck_socket",
      "cloudcode-donation_auths",
      "cloudcode-donation_data",
      "cloudcode-tg-signer_data",
    ]);
  });
}

/** What the scenarios before have left in each App. */
async function dataIsThere(world: AppsWorld): Promise<void> {
  expect(await world.inContainer("tg-signer-web", "cat /data/sessions/jo.session")).toBe("kept");
  await asDonor(world, async (page, site) => {
    expect(page.url()).toBe(`${site}/donate`);
    await donationIsKnown(world, page, site);
  });
  const cases = new Cases((path, options) => world.request("casecheck", path, options));
  expect(await cases.titles(await cases.token("joan", "Passphrase1"))).toEqual(["Kept activity"]);
}
