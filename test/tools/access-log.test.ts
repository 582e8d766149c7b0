import { deviceSecret, loginSecret } from "../../components/reverse-proxy/sites";
import { accessLine, signInMarks } from "../../ops/commands/access-log";
import { Edge, type HeaderList } from "../support/edge";
import { opencodeSite } from "../support/routes";

const key = `Basic ${Buffer.from("opencode:key-of-the-laptop").toString("base64")}`;
const route = opencodeSite({
  upstreamLogin: {
    name: "opencode",
    username: "opencode",
    secret: "serverPassword",
    parameter: "auth_token",
    devices: ["laptop"],
    tickets: "/pty/\\w+/connect",
  },
  pages: "/",
});

describe("the access log of the real Caddy", () => {
  let edge: Edge;
  const secret = "s3cr3t";
  const guest = `${"0123456789abcdef".repeat(4)}-1795897059`;

  /** Sends a request and gives its line, as it stands in the file. */
  async function logged(host: string, path: string, headers: HeaderList = [], method = "GET"): Promise<string> {
    const before = logLines().length;
    await edge.get(host, path, headers, method);
    for (let tries = 0; tries < 100 && logLines().length === before; tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    return logLines().at(-1) ?? "";
  }
  const logLines = () => edge.accessLog().filter((line) => line !== "");

  beforeAll(async () => {
    edge = await Edge.open([route], {
      secrets: { [loginSecret("opencode")]: "Basic own", [deviceSecret("opencode", "laptop")]: key },
    });
  });
  afterAll(() => {
    edge.close();
  });

  it("has address, name, path and status of each request, at each site", async () => {
    for (const host of ["code", "auth", ""])
      expect(accessLine(await logged(host, "/some/path"))).toMatchObject({
        address: "127.0.0.1",
        method: "GET",
        path: "/some/path",
        status: host === "auth" ? 200 : 401,
        host: host === "" ? "home.example.com" : `${host}.home.example.com`,
      });
  });

  it.each<[string, string, HeaderList, string]>([
    ["a query", `/a?code=${secret}&state=x`, [], "/a…"],
    ["a query without a value", `/a?${secret}`, [], "/a…"],
    ["an encoded question mark", `/a%3F${secret}`.replace(secret, ""), [], "/a%3F"],
    ["a login", "/a", [["Authorization", `Basic ${secret}`]], "/a"],
    ["a cookie", "/a", [["Cookie", `authelia_session=${secret}`]], "/a"],
    ["a referrer", "/a", [["Referer", `https://x/?${secret}`]], "/a"],
    ["a header of an App's own", "/a", [["X-Api-Key", secret]], "/a"],
  ])("holds nothing of %s", async (_name, path, headers, shown) => {
    const line = await logged("code", path, headers);
    expect(accessLine(line)?.path).toBe(shown);
    expect(line).not.toContain(secret);
    expect(line).not.toMatch(/"headers"|"user_id"|"tls"|"resp_headers"/);
  });

  it("holds no key of a guest, however the path is written", async () => {
    for (const path of [`/.guest/${guest}`, `/%2Eguest/${guest}?x`, `/.guest//${guest.replaceAll("0", "%30")}`])
      expect(await logged("code", path)).not.toMatch(/[0-9a-f]{16}|(%3\d.?){4}/);
  });

  it("names a device that came with its key, and not the key", async () => {
    const line = await logged("code", "/session", [["Authorization", key]]);
    expect(accessLine(line)).toMatchObject({ device: "laptop", status: 200 });
    expect(line).not.toContain(key.slice(6));
  });

  it("has the marks of a sign-in that was accepted, and no others have them", async () => {
    const marked = (line: string) => signInMarks.every((mark) => line.includes(mark));
    expect(marked(await logged("auth", "/api/firstfactor", [], "POST"))).toBe(true);
    expect(marked(await logged("auth", "/api/firstfactor"))).toBe(false);
    expect(marked(await logged("code", "/api/firstfactor", [], "POST"))).toBe(false);
    expect(marked(await logged("code", `/"method":"POST","status":200`))).toBe(false);
  });

  it("is one line a request, whatever a stranger sends", async () => {
    const line = await logged("code", `/%0A%1B[2J"}'`);
    expect(accessLine(line)?.path).toMatch(/^\/%0A%1B/);
    expect(line).not.toMatch(/\p{Cc}/u);
  });
});
