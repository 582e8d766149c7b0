import { accessLine, renderAccess, signIns, summary } from "../../ops/commands/access-log";
import { inOrder } from "../../ops/commands/history";
import { shapes } from "../../ops/shapes";

const line = (more: object = {}, request: object = {}) =>
  JSON.stringify({
    level: "info",
    ts: 1795897059.5,
    logger: "http.log.access.access",
    msg: "handled request",
    request: {
      remote_ip: "192.0.2.9",
      client_ip: "192.0.2.1",
      proto: "HTTP/2.0",
      method: "GET",
      host: "code.home.example.com",
      uri: "/session…",
      ...request,
    },
    bytes_read: 0,
    duration: 0.0123,
    size: 5,
    status: 200,
    ...more,
  });
const access = (more: object = {}, request: object = {}) => {
  const found = accessLine(line(more, request));
  if (found === undefined) throw new Error("no line");
  return found;
};

describe("a line of the access log", () => {
  it("is a request", () => {
    expect(access()).toEqual({
      time: "2026-11-28T20:17:39.500Z",
      address: "192.0.2.1",
      method: "GET",
      host: "code.home.example.com",
      path: "/session…",
      status: 200,
      bytes: 5,
      seconds: 0.0123,
    });
    expect(shapes.logs.safeParse(access({ device: "laptop" })).error).toBeUndefined();
    expect(renderAccess(access({ device: "laptop" }))).toBe(
      "2026-11-28T20:17:39.500Z  192.0.2.1  200  GET code.home.example.com/session…  12 ms  laptop",
    );
    expect(shapes.logs.safeParse(access({ user: "jo" })).error).toBeUndefined();
    expect(renderAccess(access({ user: "jo" }))).toMatch(/ {2}12 ms {2}jo$/);
    // A stranger's, in a stack with people.
    expect(access({ user: "" })).toEqual(access());
  });

  it.each(["", "half of a li", "null", "[]", "{}", line().slice(0, -2), line({ status: "200" }), line({ ts: null })])(
    "is none: %j",
    (text) => {
      expect(accessLine(text)).toBeUndefined();
    },
  );

  it("does nothing to a terminal, whatever a stranger sent", () => {
    const uri = "/\u001b]52;c;eA==\u0007\u001b[2J\u001b[31m\nfake\t\u202e\u009b1m";
    const printed = renderAccess(access({}, { uri, method: "G\u001bX", host: "a\nb" }));
    expect(printed).not.toMatch(/[\p{Cc}\p{Bidi_C}]/u);
    expect(printed).toContain("/]52;c;eA==");
  });
});

describe("the summary", () => {
  it("has the busiest addresses and names, and what was refused most", () => {
    const requests = [
      ...Array.from({ length: 12 }, (_, i) => access({}, { client_ip: `192.0.2.${i + 100}` })),
      access({ status: 401 }, { uri: "/.env" }),
      access({ status: 401 }, { uri: "/.env" }),
      access({ status: 403, ts: 1795897099.5 }, { uri: "/x", method: "POST", host: "auth.home.example.com" }),
    ];
    const found = summary(requests);
    expect(shapes.status.safeParse(found).error).toBeUndefined();
    expect(found).toMatchObject({ requests: 15, refused: 3, until: "2026-11-28T20:18:19.500Z" });
    expect(found.addresses).toHaveLength(10);
    expect(found.addresses[0]).toEqual({ address: "192.0.2.1", requests: 3, refused: 3 });
    expect(found.hosts).toEqual([
      { host: "code.home.example.com", requests: 14 },
      { host: "auth.home.example.com", requests: 1 },
    ]);
    expect(found.refusals).toEqual([
      { request: "401 GET code.home.example.com/.env", requests: 2 },
      { request: "403 POST auth.home.example.com/x", requests: 1 },
    ]);
  });
});

describe("sign-ins", () => {
  const portal = "auth.home.example.com";
  const post = (uri: string, status = 200, host = portal, method = "POST") => access({ status }, { uri, host, method });

  it("are what the portal accepted, however the path is written", () => {
    const requests = [
      post("/api/firstfactor"),
      post("/api/firstfactor", 401),
      post("/api/%66irstfactor/passkey"),
      post("/api/secondfactor/totp…"),
      post("/api/secondfactor/totp", 200, "code.home.example.com"),
      post("/api/secondfactor/webauthn", 200, portal, "GET"),
      post("/api/state"),
      post("/api/%zz"),
    ];
    expect(signIns(requests, portal).map(({ operator, action, result }) => `${action} ${result} ${operator}`)).toEqual([
      "sign-in password accepted from 192.0.2.1",
      "sign-in passkey accepted from 192.0.2.1",
      "sign-in one-time code accepted from 192.0.2.1",
    ]);
  });

  describe("of a stack with people", () => {
    const start = 1_795_897_059;
    const signIn = (path: string, after = 0, client = "192.0.2.1") =>
      access({ ts: start + after }, { uri: path, host: portal, method: "POST", client_ip: client });
    const by = (user: string, after: number, client = "192.0.2.1") =>
      access({ ts: start + after, user }, { uri: "/", host: "code.home.example.com", client_ip: client });
    const names = (requests: Parameters<typeof signIns>[0], seen: Parameters<typeof signIns>[0]) =>
      signIns(requests, portal, seen).map(({ operator }) => operator);

    it("say who came from that address right after it", () => {
      const seen = [by("mia", -5), by("", 1), by("jo", 2), by("jo", 3), by("mia", 4, "192.0.2.7"), by("mia", 3600)];
      expect(names([signIn("/api/secondfactor/totp"), signIn("/api/firstfactor/passkey")], seen)).toEqual([
        "jo from 192.0.2.1",
        "jo from 192.0.2.1",
      ]);
    });

    it("name all of an address who may have been it, and nobody where nobody came", () => {
      expect(names([signIn("/api/secondfactor/totp")], [by("jo", 2), by("mia", 9)])).toEqual([
        "jo or mia from 192.0.2.1",
      ]);
      expect(names([signIn("/api/secondfactor/totp")], [by("jo", 61), by("jo", 1, "192.0.2.7")])).toEqual([
        "from 192.0.2.1",
      ]);
    });

    it("name nobody while a second factor is missing: whoever comes then signed in before", () => {
      expect(names([signIn("/api/firstfactor")], [by("jo", 2)])).toEqual(["from 192.0.2.1"]);
    });
  });

  it("stand among the changes in the order of their times", () => {
    const change = { operator: "jo", stack: "opencode", action: "apply", release: "r1", result: "running" };
    const changes = ["2026-11-28T20:00:00Z", "2026-11-28T21:00:00Z"].map((time) => ({ time, ...change }));
    const lines = inOrder(changes, signIns([post("/api/firstfactor")], portal));
    expect(lines.map(({ action }) => action)).toEqual(["apply", "sign-in", "apply"]);
    expect(shapes.history.safeParse(lines).error).toBeUndefined();
  });
});
