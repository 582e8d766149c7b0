import { once } from "node:events";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type World, eventually } from "../world";
import { modelsLimit } from "./models-limit";
import { ops } from "./run";

const token = "only-mine-4711";

/** News by the notifier's real container, at a service that takes JSON. */
export function news(world: World): void {
  let service: Server;
  const got: { path: string; title: string; message: string }[] = [];
  const arrived = (words: string) =>
    eventually(60, () => Promise.resolve(got.some((one) => `${one.title}\n${one.message}`.includes(words))));

  beforeAll(async () => {
    service = createServer((incoming, outgoing) => {
      void text(incoming).then((body) => {
        got.push({ path: incoming.url ?? "", ...(JSON.parse(body) as { title: string; message: string }) });
        outgoing.end("ok");
      });
    });
    const { gateway } = world.sandbox.host;
    await once(service.listen(0, gateway), "listening");
    const { port } = service.address() as AddressInfo;
    await world.setSecrets({ notify: JSON.stringify([`json://${gateway}:${port}/${token}`]) });
  });
  afterAll(() => {
    service.close();
  });

  test("an up makes the notifier, and a test of it is taken", async () => {
    expect(await world.up()).not.toContain(token);
    expect((await ops(world, ["notify", "test"])).stdout).toMatch(/^1 json: taken$/m);
    expect(got).toContainEqual(expect.objectContaining({ path: `/${token}`, title: "cloudcode: a test" }));
  });

  test("what becomes red is sent, and the address is seen nowhere", async () => {
    await world.onHost("docker stop cloudcode-auth-sessions-1; systemctl start cloudcode-news.service");
    expect(await arrived("container auth/sessions")).toBe(true);
    await world.onHost("docker start cloudcode-auth-sessions-1");
    const journal = await world.onHost("journalctl --no-pager -o cat; cat /var/log/cloudcode/*");
    const logs = await world.onHost("docker logs cloudcode-notify-notifier-1 2>&1");
    for (const seen of [journal, logs, await world.stateText()]) expect(seen).not.toContain(token);
  });

  describe("a limit of OpenCode's models", () => {
    modelsLimit(world);
  });

  test("switched off again, nothing of it is left on the host", async () => {
    world.sandbox.configure({ notify: undefined });
    await world.up();
    expect(await world.onHost("docker ps --all --format '{{.Names}}' | grep notify || true")).toBe("");
    expect(
      await world.onHost("ls -d /opt/cloudcode/stacks/notify /etc/systemd/system/cloudcode-news.* 2>/dev/null || true"),
    ).toBe("");
  });
}
