import { Cases } from "../apps/cases";
import { Edge } from "../apps/edge";
import { replaced } from "../apps/parts";
import type { AppsWorld } from "../apps/world";
import { containerMemory, sum } from "../memory";
import { failureOf } from "../world";
import { basic } from "./apps-changes";
import { asDonor, donationIsKnown } from "./apps-donation";

const host = "cases.example.org";
const hostMiB = 4096;

/**
 * Back again next to OpenCode, CaseCheck now behind a tunnel: all of it fits a host of 4 GiB. The publisher's cloudflared speaks to
 * Cloudflare alone, so with that one CaseCheck stays behind Caddy.
 */
export function together(world: AppsWorld): void {
  let edge: Edge;
  const tunnel = () => replaced(world.sandbox, "CaseCheck is reached through a tunnel, and through nothing else");
  let cases: Cases;

  beforeAll(async () => {
    edge = await Edge.start(world.sandbox.host.gateway);
    const tunnelled = tunnel();
    if (tunnelled) await world.setSecrets({ casecheckTunnelToken: edge.token });
    cases = new Cases((path, options) =>
      tunnelled
        ? edge.visit(host, path, options)
        : world.request("casecheck", path, { ...options, headers: { cookie: world.cookie, ...options.headers } }),
    );
    world.sandbox.configure({
      opencodeEnabled: undefined,
      opencodeMemoryMiB: "1024",
      opencodeTerminalMemoryMiB: "384",
      tgSignerEnabled: "true",
      donationEnabled: "true",
      casecheckEnabled: "true",
      casecheckOpen: undefined,
      opencodeDonationModels: ["claude"],
      ...(tunnelled && { casecheckPublished: "tunnel", casecheckTunnelHost: host }),
    });
    await world.up();
  });
  afterAll(() => {
    edge.stop();
  });

  test("the volumes give each App its data back, although generated secrets are new", async () => {
    expect(await world.inContainer("tg-signer-web", "cat /data/sessions/jo.session")).toBe("kept");
    await asDonor(world, async (page, site) => {
      await donationIsKnown(world, page, site);
    });
    expect(await cases.titles(await cases.token("admin", await world.appLogin("casecheck")))).toEqual([
      "Kept activity",
    ]);
    expect(await cases.titles(await cases.token("joan", "Passphrase1"))).toEqual(["Kept activity"]);
  });

  test("OpenCode reaches the model proxy by Caddy on its own network, with the key that is its own", async () => {
    const name = `models.${world.domain}`;
    const inServer = (script: string) => world.inContainer("opencode-server", script);
    const address = await world.onHost(
      `docker inspect --format '{{(index .NetworkSettings.Networks "cloudcode-edge-opencode").IPAddress}}' cloudcode-edge-caddy-1`,
    );
    expect(await inServer(`getent ahostsv4 ${name} | head -n 1 | cut -d ' ' -f 1`)).toBe(address);
    const asked = (login: string) =>
      inServer(`curl -sko /dev/null -w '%{http_code}' ${login} https://${name}/v1/models`);
    expect(await asked('-H "Authorization: Bearer $(cat /run/secrets/provider-donation)"')).toBe("200");
    expect(await asked("-H 'Authorization: Bearer another'")).toBe("401");
    expect(await asked("")).toBe("401");
  });

  test("through the tunnel come pages and API, and not the API's description", async () => {
    if (!tunnel()) return;
    expect((await edge.visit(host, "/check-in")).body).toContain("<title>Enterprise Case Management</title>");
    expect((await edge.visit(host, "/assets/index.js")).body).toContain(`https://${host}/health`);
    expect((await edge.visit(host, "/v1/activities")).status).toBe(401);
    expect((await edge.visit(host, "/openapi.json")).body).toContain("<title>Enterprise Case Management</title>");
  });

  test("with a tunnel nothing of CaseCheck is open on the host, at Caddy or at an edge network", async () => {
    if (!tunnel()) return;
    expect(
      await world.onHost("docker ps --format '{{.Names}} {{.Ports}}' | grep casecheck | grep -e '->' || true"),
    ).toBe("");
    await expect(world.request("casecheck", "/health")).rejects.toThrow();
    expect(
      await world.onHost("docker network ls --format '{{.Name}}' | grep -x cloudcode-edge-casecheck || true"),
    ).toBe("");
    const log = await world.onHost(
      "docker logs cloudcode-casecheck-cloudflared-1 2>&1; docker inspect cloudcode-casecheck-cloudflared-1",
    );
    expect(log).not.toContain(edge.token);
  });

  test("the memory limits of all four Apps and the gate fit 4 GiB together, and what they use fits well", async () => {
    const { limits, used } = await containerMemory(world);
    expect(limits.every((limit) => limit > 0)).toBe(true);
    expect(sum(limits)).toBeLessThanOrEqual(hostMiB);
    expect(used).toBeLessThan(hostMiB / 2);
  });

  test("who takes more than the limit is ended, and the App goes on", async () => {
    const before = await world.containers();
    const greedy = "python -c 'x = bytearray(500 << 20); print(len(x))'";
    await failureOf(world.sandbox.exec(["docker", "exec", "cloudcode-tg-signer-web-1", "sh", "-c", greedy]));
    expect((await world.request("tg", "/healthz", { headers: basic })).status).toBe(200);
    expect(await world.containers()).toEqual(before);
  });
}
