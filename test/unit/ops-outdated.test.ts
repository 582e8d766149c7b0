import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { defaultImages } from "../../components/images";
import { judgeImage, listTags, newerTag, parseReference } from "../../ops/commands/outdated";

describe("a newer tag", () => {
  it.each<[string, string[], string | undefined]>([
    [
      "2.11.7-alpine",
      ["2.11.7-alpine", "2.11.10-alpine", "2.12.0", "2.9.9-alpine", "latest", "3-alpine"],
      "2.11.10-alpine",
    ],
    ["4.39.20", ["4.39.20", "4.39.3", "4.40.0-beta1", "v9.9.9", "4"], undefined],
    ["v6.9.41", ["v6.9.41", "v6.10.0", "7.0.0"], "v6.10.0"],
    ["8.1-alpine", ["8.1-alpine", "8.1.3-alpine", "9.0-alpine", "9.0"], "9.0-alpine"],
    ["trixie-slim", ["trixie-slim", "forky-slim"], undefined],
  ])("of %s among %j is %s", (tag, all, newer) => {
    expect(newerTag(tag, all)).toBe(newer);
  });

  it("makes a check red with what to do, and none leaves it", () => {
    expect(judgeImage("caddy", "2.1.0", ["2.1.0", "2.2.0"])).toMatchObject({
      state: "red",
      seen: "2.1.0, newer is 2.2.0",
    });
    expect(judgeImage("caddy", "2.1.0", ["2.1.0"])).toEqual({ name: "image caddy", state: "ok", seen: "2.1.0" });
  });
});

it("every pinned image has a registry, a repository and a tag", () => {
  for (const reference of Object.values(defaultImages))
    expect(parseReference(reference).registry).toMatch(/^(docker|ghcr)\.io$/);
  expect(parseReference("docker.io/library/caddy:2.1-alpine@sha256:00")).toEqual({
    registry: "docker.io",
    repository: "library/caddy",
    tag: "2.1-alpine",
  });
  expect(() => parseReference("caddy")).toThrow("caddy is not an image reference with a tag");
});

describe("the tags of a repository", () => {
  it("are listed with the token that the registry asks for", async () => {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? "", "http://x");
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      if (url.pathname === "/token") {
        response.end(
          JSON.stringify({ token: `${url.searchParams.get("service") ?? ""}|${url.searchParams.get("scope") ?? ""}` }),
        );
      } else if (request.headers.authorization === "Bearer the registry|repository:library/caddy:pull") {
        response.end(JSON.stringify({ name: "library/caddy", tags: ["2.1.0"] }));
      } else {
        const challenge = `Bearer realm="${base}/token",service="the registry",scope="repository:library/caddy:pull"`;
        response.writeHead(401, { "www-authenticate": challenge }).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      expect(await listTags(base, "library/caddy")).toEqual(["2.1.0"]);
    } finally {
      server.close();
    }
    await expect(listTags("http://127.0.0.1:9", "library/caddy")).rejects.toThrow();
  });
});
