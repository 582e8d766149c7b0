import type { Origin } from "./sandbox";

/** Whose parts a sandbox takes where exactly these hosts answer. */
async function origin(answering: readonly string[], allApps: boolean, standIns?: string): Promise<Origin> {
  jest.resetModules();
  const asked = jest.spyOn(globalThis, "fetch").mockImplementation((url) => {
    const { hostname } = new URL(url instanceof Request ? url.url : url);
    if (!answering.includes(hostname)) return Promise.reject(new TypeError("fetch failed"));
    return Promise.resolve(new Response("", { status: hostname === "github.com" ? 200 : 401 }));
  });
  const before = process.env["CLOUDCODE_STAND_INS"];
  delete process.env["CLOUDCODE_STAND_INS"];
  if (standIns !== undefined) process.env["CLOUDCODE_STAND_INS"] = standIns;
  try {
    const { originOfParts } = await import("./sandbox");
    return await originOfParts(allApps);
  } finally {
    asked.mockRestore();
    if (before === undefined) delete process.env["CLOUDCODE_STAND_INS"];
    else process.env["CLOUDCODE_STAND_INS"] = before;
  }
}

const all = ["registry-1.docker.io", "ghcr.io", "github.com"];

test("the publishers' parts are the default where they can be had", async () => {
  expect(await origin(all, false)).toBe("official");
  expect(await origin(all, true)).toBe("official");
});

test.each(all)("without %s the Apps that are off by default are stand-ins", async (missing) => {
  expect(
    await origin(
      all.filter((one) => one !== missing),
      true,
    ),
  ).toBe("stand-in");
});

test("the core needs Docker Hub alone", async () => {
  expect(await origin(["registry-1.docker.io"], false)).toBe("official");
  expect(await origin(["ghcr.io", "github.com"], false)).toBe("stand-in");
});

test("CLOUDCODE_STAND_INS=1 takes stand-ins all the same", async () => {
  expect(await origin(all, true, "1")).toBe("stand-in");
  expect(await origin(all, false, "1")).toBe("stand-in");
  expect(await origin(all, true, "0")).toBe("official");
});
