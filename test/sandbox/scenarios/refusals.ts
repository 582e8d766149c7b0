import { typeAndBase64 } from "../../../components/settings/checks";
import type { World } from "../world";
import { failureOf } from "../world";

/** Wrong input is reported in one sentence, before anything is touched. */
export function refusals(world: World): void {
  test("a preview lists every problem of the configuration at once, each with its fix", async () => {
    const { sandbox } = world;
    sandbox.configure({ hostPrt: "22", domain: "nip.io", hostWaitSeconds: "soon" });
    const words = await failureOf(sandbox.pulumi(["preview"]));
    sandbox.configure({ hostPrt: undefined, domain: undefined, hostWaitSeconds: "20" });
    expect(words).toContain("the configuration has 3 problems; nothing was touched.");
    expect(words).toContain("hostPrt is not a setting; the nearest is hostPort");
    expect(words).toContain("domain is shared by everybody");
    expect(words).toContain("fix: pulumi config set hostWaitSeconds 600");
  });

  test("a preview opens no SSH connection", async () => {
    expect(await world.sshConnections(() => world.sandbox.pulumi(["preview"]))).toBe(0);
  });

  test("a machine with another host key is refused by name before anything travels", async () => {
    const { sandbox } = world;
    const right = world.config()["cloudcode:hostKey"];
    sandbox.configure({ hostKey: typeAndBase64(sandbox.loginKey.publicKey) });
    const words = await world.upFails();
    sandbox.configure({ hostKey: right });
    expect(words).toContain(`Host key: ${sandbox.host.address} port 22 showed ssh-ed25519`);
  });

  test("a key the host does not know is reported as a fault of authentication", async () => {
    const { sandbox } = world;
    await sandbox.pulumi(["config", "set", "--secret", "hostPrivateKey"], { input: sandbox.hostKey.privateKey });
    const words = await world.upFails();
    await sandbox.pulumi(["config", "set", "--secret", "hostPrivateKey"], { input: sandbox.loginKey.privateKey });
    expect(words).toContain("Authentication:");
    expect(words).not.toContain("PRIVATE KEY");
  });

  test("a port where nobody listens is reported as a fault of TCP, after the bounded wait", async () => {
    const { sandbox } = world;
    sandbox.configure({ hostPort: "2222", hostWaitSeconds: "5" });
    const words = await world.upFails();
    sandbox.configure({ hostPort: undefined, hostWaitSeconds: "60" });
    expect(words).toContain("port 2222 accepted no connection within 5 s (ECONNREFUSED)");
  });
}
