import { credentials, inPortal } from "../portal-api";
import { type World, failureOf } from "../world";
import { thirdPassword } from "./data";

/** Destroy takes away what was made, and the data only when told so. */
export function destroy(world: World): void {
  const volumes = () => world.onHost("docker volume ls --format '{{.Name}}' | grep -c ^cloudcode- || true");
  const containers = () => world.onHost("docker ps --all --format '{{.Names}}'");

  test("destroy refuses to forget the key of data it would keep", async () => {
    const words = await failureOf(world.sandbox.pulumi(["destroy", "--yes", "--skip-preview"]));
    expect(words).toContain("auth-encryption-key");
    expect(words).toContain("protect");
  });

  test("destroy --exclude-protected leaves no container and keeps data and key; up brings the same home back", async () => {
    await world.sandbox.pulumi(["destroy", "--yes", "--skip-preview", "--exclude-protected"]);
    expect(await containers()).toBe("");
    expect(await volumes()).toBe("9");
    await world.up();
    expect(await world.onHost("docker exec cloudcode-opencode-server-1 cat /home/opencode/workspace/kept.txt")).toBe(
      "precious",
    );
    // The gateway opens its kept database with its kept key, or it would not be healthy; its sessions are new.
    await inPortal(world, async (call) => {
      expect(await call("POST", "/api/firstfactor", credentials(thirdPassword))).toBe(200);
    });
  });

  test("with deleteData, destroy leaves no container, network, volume or file", async () => {
    world.sandbox.configure({ deleteData: "true" });
    await world.up();
    await world.sandbox.pulumi(["destroy", "--yes", "--skip-preview"]);
    expect(await containers()).toBe("");
    expect(await volumes()).toBe("0");
    expect(await world.onHost("docker network ls --format '{{.Name}}' | grep cloudcode || true")).toBe("");
    expect(await world.onHost("ls /opt/cloudcode/stacks")).toBe("");
  });
}
