import { Machine, chosenSystems } from "./machine";

// The first run on a machine makes an image of each system.
jest.setTimeout(15 * 60_000);

describe.each(chosenSystems)("%s", (system) => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await Machine.start(system, "look");
  });
  afterAll(() => machine.remove());

  it("is what it is called, and runs systemd", async () => {
    const { stdout } = await machine.run('. /etc/os-release && echo "$ID $VERSION_ID" && cat /proc/1/comm');
    expect(stdout).toBe(`${system}\nsystemd\n`);
  });
});
