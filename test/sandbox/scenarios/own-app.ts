import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultImages } from "../../../components/images";
import { projectRoot } from "../../../sandbox/folder";
import type { World } from "../world";
import { eventually, failureOf } from "../world";

const name = "notes";
const folder = join(projectRoot, "apps", name);

/** A compose file as people publish them, around an image that the sandbox has. */
const compose = (more = "") => `services:
  web:
    image: ${defaultImages.caddy.replace(/@.*/, "")}
    container_name: ${name}
    entrypoint: [sh, -c, 'date >>/var/notes/starts; exec caddy respond --listen :8080 --body "$$GREETING"']
    environment: ["GREETING=notes at \${CLOUDCODE_URL} with \${TOKEN}"]
    volumes: ["./data:/var/notes"]
${more}`;
const manifest = `title: Notes
port: 8080
health: /
memory: 64
volumes: { ./data: data }
secrets: [TOKEN]
login: { username: me, secret: TOKEN }
`;

function write(more?: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "app.yaml"), manifest);
  writeFileSync(join(folder, "compose.yaml"), compose(more));
}

/** An App that cloudcode does not bring. */
export function ownApp(world: World): void {
  const ask = (headers: Readonly<Record<string, string>>) => world.request(name, "/", { headers });
  const greeting = () => ask({ cookie: world.cookie });
  /** Caddy fetches the certificate of a new name after the reload that brings it. */
  const hasCertificate = () => eventually(60, async () => (await ask({})).status > 0);

  afterAll(() => {
    world.sandbox.configure({ ownApps: undefined });
    rmSync(folder, { recursive: true, force: true });
  });

  test("what is unsafe in its files is refused by name before anything is touched", async () => {
    write("    ports: ['8080:8080']\n    privileged: true\n    network_mode: host\n");
    world.sandbox.configure({ ownApps: [name] });
    const words = await failureOf(world.sandbox.pulumi(["preview"]));
    expect(words).toContain("the Apps of your own have 3 problems; nothing was touched.");
    for (const key of ["ports", "privileged", "network_mode"])
      expect(words).toContain(`compose.yaml services.web.${key} `);
  });

  test("it is behind the portal, at a name of its own, with a secret that an output shows", async () => {
    write();
    await world.up();
    expect(await hasCertificate()).toBe(true);
    expect((await ask({ accept: "text/html" })).status).toBe(302);
    const { stdout } = await world.sandbox.pulumi(["stack", "output", "appLogins", "--show-secrets", "--json"]);
    const logins = JSON.parse(stdout) as Record<string, { username: string; password: string }>;
    const { username, password } = logins["Notes"] ?? { username: "", password: "" };
    expect([username, password]).toEqual(["me", expect.stringMatching(/^[0-9a-f]{48}$/)]);
    expect(await greeting()).toMatchObject({
      status: 200,
      body: `notes at https://${world.nameOf(name)} with ${password}`,
    });
    expect(await world.leaks([password])).toEqual([]);
  });

  test("it is within walls, and status sees it", async () => {
    const inspected = await world.onHost(
      `docker inspect cloudcode-${name}-web-1 --format '{{.HostConfig.Memory}} {{.HostConfig.Privileged}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.HostConfig.PortBindings}} {{.State.Health.Status}}'`,
    );
    expect(inspected).toBe("67108864 false [ALL] [no-new-privileges:true] map[] healthy");
    expect(await world.onHost(`/opt/cloudcode/bin/cloudcode-check recent | grep '^container ${name}/web'`)).toMatch(
      /\tok\t/,
    );
    expect(await world.sandbox.pulumi(["preview"]).then(({ stdout }) => stdout)).toMatch(/unchanged/);
  });

  test("switched off and on again, it has its data and its secret", async () => {
    const before = (await greeting()).body;
    world.sandbox.configure({ ownApps: undefined });
    await world.up();
    expect(
      await world.onHost(`docker ps --all --quiet --filter label=com.docker.compose.project=cloudcode-${name}`),
    ).toBe("");
    world.sandbox.configure({ ownApps: [name] });
    await world.up();
    expect(await hasCertificate()).toBe(true);
    expect((await greeting()).body).toBe(before);
    const starts = await world.onHost(
      `wc -l <"$(docker volume inspect --format '{{.Mountpoint}}' cloudcode-${name}_data)/starts"`,
    );
    expect(Number(starts)).toBeGreaterThanOrEqual(2);
    world.sandbox.configure({ ownApps: undefined });
    await world.up();
    await world.onHost(`docker volume rm cloudcode-${name}_data`);
  });
}
