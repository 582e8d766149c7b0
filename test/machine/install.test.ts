import { dockerStep } from "./install/docker";
import { aptStep } from "./install/apt";
import { interruptedRuns } from "./install/interrupted";
import { settingsGivenBack } from "./install/settings";
import { sshStep } from "./install/ssh";
import { wall } from "./install/wall";
import { Scene } from "./install/scene";
import { chosenSystems } from "./machine";

// Packages are installed first, and the first run of all makes an image of each system.
jest.setTimeout(15 * 60_000);

describe.each(chosenSystems)("install.sh on %s", (system) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.start(system);
  });
  afterAll(() => scene.machine.remove());

  it("makes a fresh machine ready; a second time it changes nothing", async () => {
    const first = await scene.install();
    expect(first).toMatchObject({ ok: true, said: expect.stringMatching(/^host is ready: /) as string });
    await scene.makeImage();
    const before = await scene.files();
    const started = await scene.machine.words("systemctl show docker ssh -p ActiveEnterTimestamp -p MainPID");
    expect(await scene.install()).toMatchObject({ ok: true });
    expect(await scene.files()).toBe(before);
    expect(await scene.machine.words("systemctl show docker ssh -p ActiveEnterTimestamp -p MainPID")).toBe(started);
  });

  describe("Docker", () => {
    dockerStep(() => scene);
  });

  describe("sshd", () => {
    sshStep(() => scene);
  });

  describe("the wall before the metadata service", () => {
    wall(() => scene);
  });

  describe("a setting that goes", () => {
    settingsGivenBack(() => scene);
  });

  describe("apt", () => {
    aptStep(() => scene);
  });

  describe("a run that is cut off", () => {
    interruptedRuns(() => scene);
  });
});
