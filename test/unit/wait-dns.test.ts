import { verdict } from "../../cli/names-seen";
import { waitForNames } from "../../scripts/wait-dns";

const address = "203.0.113.7";

describe("the verdict on what the DNS says", () => {
  const apex = { name: "home.example.com", addresses: [address] };
  const below = { name: "*.home.example.com", addresses: [address] };

  it.each([
    ["no wildcard", apex, { ...below, addresses: [] }, "home.example.com is right; *.home.example.com has no address"],
    [
      "an earlier host",
      { ...apex, addresses: ["198.51.100.1"] },
      below,
      "home.example.com points to 198.51.100.1; *.home.example.com is right",
    ],
    [
      "two hosts",
      apex,
      { ...below, addresses: [address, "198.51.100.1"] },
      "home.example.com is right; *.home.example.com points to 203.0.113.7 and 198.51.100.1",
    ],
    [
      "no answer",
      { ...apex, addresses: [], fault: "ETIMEOUT" },
      below,
      "the DNS server did not answer for home.example.com (ETIMEOUT); *.home.example.com is right",
    ],
  ])("%s", (_case, one, other, sentence) => {
    expect(verdict(address, [one, other])).toEqual({ done: false, sentence });
  });

  it("is good when each name has the address alone", () => {
    const sentence = "home.example.com and *.home.example.com point to 203.0.113.7";
    expect(verdict(address, [apex, below])).toEqual({ done: true, sentence });
  });
});

/** Waits with a clock of its own; `answer` says what a name has at a second, an error code in place of addresses. */
async function wait(seconds: number, answer: (name: string, second: number) => readonly string[] | string) {
  let clock = 0;
  const said: string[] = [];
  const asked: string[] = [];
  const result = await waitForNames(
    { domain: "home.example.com", address, seconds },
    {
      lookUp: (name) => {
        asked.push(name);
        const found = answer(name, clock / 1000);
        return typeof found === "string"
          ? Promise.reject(Object.assign(new Error("no"), { code: found }))
          : Promise.resolve(found);
      },
      say: (line) => said.push(line),
      now: () => clock,
      pause: (milliseconds) => {
        clock += milliseconds;
        return Promise.resolve();
      },
    },
  ).catch((error: unknown) => (error instanceof Error ? error.message : ""));
  return { result, said, asked, seconds: clock / 1000 };
}

describe("npm run dns", () => {
  it("tells each change once and ends when both names are right", async () => {
    const { result, said, seconds } = await wait(600, (name, second) => {
      if (second >= 20) return [address];
      return name === "home.example.com" && second >= 10 ? [address] : "ENOTFOUND";
    });
    expect({ result, seconds }).toEqual({
      result: "home.example.com and *.home.example.com point to 203.0.113.7.",
      seconds: 20,
    });
    expect(said).toEqual([
      "Waiting: home.example.com has no address; *.home.example.com has no address",
      "Waiting: home.example.com is right; *.home.example.com has no address",
    ]);
  });

  it("fails after the bound and says what is wrong", async () => {
    const { result, seconds } = await wait(60, (name) =>
      name === "home.example.com" ? ["198.51.100.1"] : "ESERVFAIL",
    );
    expect(seconds).toBeLessThanOrEqual(60);
    expect(result).toBe(
      "Not correct after 60 seconds: home.example.com points to 198.51.100.1; the DNS server did not answer for *.home.example.com (ESERVFAIL); expected: 203.0.113.7. Create the two A records at the DNS provider of home.example.com, then run this again.",
    );
  });

  it("asks for another name below the domain each time, since resolvers remember a name that was not there", async () => {
    const { asked } = await wait(20, () => []);
    const below = asked.filter((name) => name !== "home.example.com");
    expect(below.length).toBeGreaterThan(2);
    expect(new Set(below).size).toBe(below.length);
    for (const name of below) expect(name).toMatch(/^[a-z0-9-]+\.home\.example\.com$/);
  });
});
