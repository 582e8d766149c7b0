import { mirrorIn, reachableResolver } from "./outer";
import { subnetFor } from "./network";
import { sources } from "./base";

describe("the Debian mirror of the outer machine", () => {
  test("is read from deb822 files", () => {
    const text =
      "Types: deb\nURIs: http://mirror.test/debian/\nSuites: bookworm\n\nTypes: deb\nURIs: http://mirror.test/debian-security\n";
    expect(mirrorIn(text)).toEqual({
      archive: "http://mirror.test/debian",
      security: "http://mirror.test/debian-security",
    });
  });

  test("is read from one-line files, and guesses where security fixes are", () => {
    expect(
      mirrorIn("# deb http://old.test/debian x\ndeb [arch=amd64] https://mirror.test/debian bookworm main\n"),
    ).toEqual({
      archive: "https://mirror.test/debian",
      security: "https://mirror.test/debian-security",
    });
  });

  test("is unknown on Ubuntu", () => {
    expect(mirrorIn("deb http://mirror.test/ubuntu noble main\n")).toBeUndefined();
  });
});

describe("the resolver of the outer machine", () => {
  test("keeps servers that a container can reach", () => {
    expect(reachableResolver("# comment\nnameserver 127.0.0.53\nnameserver 192.0.2.53\nsearch lan\n")).toBe(
      "nameserver 192.0.2.53\nsearch lan\n",
    );
  });

  test("is of no use when it listens on loopback only", () => {
    expect(reachableResolver("nameserver ::1\nnameserver 127.0.0.53\n")).toBeUndefined();
  });
});

test("a sandbox's subnet depends on its name, and the next one follows on a collision", () => {
  const first = subnetFor("demo", 0);
  expect(subnetFor("demo", 0)).toEqual(first);
  expect(first.cidr).toMatch(/^10\.213\.\d+\.0\/24$/);
  expect(new Set(Array.from({ length: 256 }, (_, attempt) => subnetFor("demo", attempt).cidr)).size).toBe(256);
});

test("the image's apt also takes updates and security fixes", () => {
  expect(sources("deb http://mirror.test/debian trixie main\n").trim().split("\n")).toEqual([
    "deb http://mirror.test/debian trixie main",
    "deb http://mirror.test/debian trixie-updates main",
    "deb http://mirror.test/debian-security trixie-security main",
  ]);
});
