import { type ModelServer, startModelServer } from "../../support/model-server";
import { type World, eventually, secrets } from "../world";
import { ops } from "./run";

interface Money {
  readonly models?: { readonly usd: number; readonly limit: number; readonly closed: boolean };
}

/** OpenCode's models end at the limit of the month: OpenCode asks, the notifier counts, Caddy refuses, each in its container. */
export function modelsLimit(world: World): void {
  let models: ModelServer;
  const settings = ["opencodeProviders", "opencodeMonthlyLimitUsd", "opencodeProviderKeys"];
  const money = async () => {
    const { stdout } = await ops(world, ["cost", "--json"]);
    return (JSON.parse(stdout) as { host?: Money }).host?.models;
  };
  /** The text of OpenCode's answer, or of the error that it had from the model. */
  const ask = async (question: string) => {
    const server = await world.container("opencode", "server");
    const body = JSON.stringify({ parts: [{ type: "text", text: question }] });
    const call = `curl -sS -m 120 --config - -H "content-type: application/json"`;
    return world.onHost(`docker exec -i ${server} sh -c '
      login=$(grep ^user /run/secrets/health)
      id=$(printf "%s\\n" "$login" | ${call} -d "{}" http://127.0.0.1:4096/session | sed -n "s/.*\\"id\\":\\"\\(ses_[^\\"]*\\).*/\\1/p")
      printf "%s\\n" "$login" | ${call} -d "$1" "http://127.0.0.1:4096/session/$id/message"' sh '${body}'`);
  };

  beforeAll(async () => {
    models = await startModelServer("It is sunny.", undefined, undefined, world.sandbox.host.gateway);
    const provider = {
      name: "mine",
      kind: "openai-compatible",
      baseUrl: models.url,
      models: ["oracle"],
      default: "oracle",
      // An answer of 1,000 tokens costs 3 USD.
      prices: { oracle: { input: 3000, output: 0 } },
    };
    // A backslash in a key is refused where Caddy sends the key.
    world.sandbox.configure({
      opencodeAnthropicApiKey: undefined,
      opencodeProviders: JSON.stringify([provider]),
      opencodeMonthlyLimitUsd: "2",
    });
    await world.setSecrets({ opencodeProviderKeys: JSON.stringify({ mine: "model-key-4711" }) });
    await world.up();
  });
  afterAll(async () => {
    models.stop();
    world.sandbox.configure(Object.fromEntries(settings.map((key) => [key, undefined])));
    await world.setSecrets({ opencodeAnthropicApiKey: secrets.opencodeAnthropicApiKey });
  });

  test("an answer comes by Caddy with the provider's key, which is not in OpenCode's container", async () => {
    expect(await ask("How is the weather?")).toContain("It is sunny.");
    expect(models.requests[0]?.authorization).toBe("Bearer model-key-4711");
    const server = await world.container("opencode", "server");
    expect(await world.onHost(`docker exec ${server} sh -c 'grep -rl model-key-4711 /run/secrets || echo none'`)).toBe(
      "none",
    );
  });

  test("once the limit is reached, no model is asked any more, and everything else runs on", async () => {
    expect(await eventually(120, async () => (await money())?.closed === true)).toBe(true);
    expect(await money()).toMatchObject({ limit: 2, closed: true });
    const asked = models.requests.length;
    expect(await ask("And tomorrow?")).toContain("opencodeMonthlyLimitUsd");
    expect(models.requests).toHaveLength(asked);
    expect((await world.request("code", "/", { headers: { cookie: world.cookie } })).status).toBeLessThan(500);
  });

  test("cost --allow opens them for this month, and the notifier does not close them again", async () => {
    expect((await ops(world, ["cost", "--allow"])).stdout).not.toBe("");
    expect(await eventually(60, async () => (await ask("And now?")).includes("It is sunny."))).toBe(true);
    expect(await eventually(60, async () => ((await money())?.usd ?? 0) >= 6)).toBe(true);
    expect((await money())?.closed).toBe(false);
    expect(await ask("And then?")).toContain("It is sunny.");
  });
}
