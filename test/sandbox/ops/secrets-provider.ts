import { cacheDir } from "../../../cli/cache";
import { type Output, type Say, run } from "../../../cli/run";
import { type World, failureOf, secrets } from "../world";
import { type Kms, startKms, stopKms } from "./kms";
import { ops } from "./run";

/** A KMS key instead of the passphrase, for a stack that is in use. */
export function secretsProvider(world: World, name: string, say: Say): void {
  let kms: Kms;
  let key = "";
  /** Without the passphrase, as on a machine that only ever had the KMS. */
  const env = () => ({ ...kms.env, PULUMI_CONFIG_PASSPHRASE: "" });
  const stackEncryptedBy = async () => {
    const state = JSON.parse(await world.stateText()) as {
      deployment: { secrets_providers: { type: string; state: { url?: string } } };
    };
    return state.deployment.secrets_providers;
  };
  const pulumi = (args: readonly string[], input?: string): Promise<Output> =>
    world.sandbox.pulumi(args, { env: env(), ...(input !== undefined && { input }) });

  beforeAll(async () => {
    kms = await startKms(name, cacheDir, say);
    key = await kms.createKey();
  });
  afterAll(() => stopKms(name));

  test("a new stack takes a KMS key, and keeps secrets without a passphrase", async () => {
    const at = ["--stack", "kms", "--non-interactive", "--cwd", world.sandbox.folder];
    const cli = (args: readonly string[], input = "") =>
      run(world.sandbox.engine.pulumi, [...args, ...at], { env: { ...world.sandbox.env, ...env() }, input });
    await cli(["stack", "init", "--no-select", "--secrets-provider", key]);
    await cli(["config", "set", "--secret", "adminPassword"], secrets.adminPassword);
    expect((await cli(["config", "get", "adminPassword"])).stdout.trim()).toBe(secrets.adminPassword);
    await cli(["stack", "rm", "--yes"]);
  });

  test("a stack in use moves from its passphrase to a KMS key; nothing changes but who can read it", async () => {
    await world.up();
    await world.sandbox.pulumi(["stack", "change-secrets-provider", key], { env: kms.env });
    expect(await stackEncryptedBy()).toMatchObject({ type: "cloud", state: { url: key } });
    expect(await world.stateText()).not.toContain(secrets.adminPassword);
    await pulumi(["preview", "--expect-no-changes"]);
    world.sandbox.configure({ opencodeMemoryMiB: "1260" });
    await pulumi(["up", "--yes"]);
    const limit = "docker inspect --format '{{.HostConfig.Memory}}' cloudcode-opencode-server-1";
    expect(await world.onHost(limit)).toBe(String(1260 * 2 ** 20));
    expect((await pulumi(["stack", "output", "--show-secrets", "--json"])).stdout).toContain("PRIVATE KEY");
    expect((await ops(world, ["ssh", "echo there"], { env: env() })).stdout).toBe("there\n");
  });

  test("doctor names it, and says in a sentence when it is out of reach or refuses", async () => {
    const doctor = async (more: Readonly<Record<string, string>> = {}) => {
      const { stdout } = await ops(world, ["doctor"], { env: { ...env(), ...more } });
      return stdout;
    };
    expect(await doctor()).toMatch(/ok +secrets +awskms:\/\/.*: the configuration can be decrypted/);
    const down = await kms.whileDown(async () => [
      await failureOf(ops(world, ["doctor"], { env: env() })),
      await failureOf(ops(world, ["status"], { env: env() })),
    ]);
    const sentence = "the KMS that keeps the key of this stack's secrets cannot be reached (dial tcp 127.0.0.1:7180:";
    for (const words of down) expect(words).toContain(sentence);
    expect(down[0]).toMatch(/RED +secrets/);
    const none = { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "", AWS_EC2_METADATA_DISABLED: "true" };
    expect(await failureOf(ops(world, ["doctor"], { env: { ...env(), ...none } }))).toMatch(
      /RED +secrets +the KMS .* refuses the credentials of this shell/,
    );
  });

  test("and back to a passphrase", async () => {
    await world.sandbox.pulumi(["stack", "change-secrets-provider", "passphrase"], { env: kms.env });
    expect(await stackEncryptedBy()).toMatchObject({ type: "passphrase" });
    await kms.whileDown(() => world.sandbox.pulumi(["preview", "--expect-no-changes"]));
  });
}
