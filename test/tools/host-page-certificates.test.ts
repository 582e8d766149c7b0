import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createServer } from "node:tls";
import { selfSigned } from "@cloudcode/alicloud-emulator/self-signed";
import { PageHost, type PageReport as Report, pageScript } from "../support/page-host";

let machine: PageHost;
beforeEach(() => {
  machine = new PageHost();
});
afterEach(() => {
  machine.remove();
});

describe("certificates", () => {
  /** Caddy by its handshakes: a name has the days left and the authority that the test says. */
  async function shown(certificates: Readonly<Record<string, { days: number; authority?: string }>>): Promise<Report> {
    const contexts = Object.entries(certificates).map(([name, { days, authority }]) => {
      const file = (end: string) => join(machine.folder, `${name}.${end}`);
      const subject = `/CN=${authority ?? "Public Authority"}`;
      spawnSync("openssl", [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        file("key"),
        "-out",
        file("crt"),
        "-subj",
        subject,
        "-days",
        String(days),
      ]);
      return [name, { key: readFileSync(file("key")), cert: readFileSync(file("crt")) }] as const;
    });
    const { key, certificate } = selfSigned(["nobody"]);
    const server = createServer({ key, cert: certificate });
    server.on("tlsClientError", () => undefined);
    for (const [name, context] of contexts) server.addContext(name, context);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    machine.home(Object.keys(certificates));
    const env = {
      ...process.env,
      ...machine.environment(),
      CLOUDCODE_CADDY: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    };
    const child = spawn("sh", [pageScript], { stdio: "inherit", env });
    expect((await once(child, "close"))[0]).toBe(0);
    server.close();
    return machine.read();
  }

  it("are counted by the first that ends, and the fallback is red", async () => {
    const { checks, certificate } = await shown({
      "home.example.com": { days: 90 },
      "auth.home.example.com": { days: 60 },
      "code.home.example.com": { days: 80, authority: "Caddy Local Authority - ECC Intermediate" },
    });
    expect(checks).toMatchObject([
      {
        name: "certificate home.example.com",
        state: "ok",
        seen: expect.stringMatching(/^(89|90) days left$/) as string,
      },
      {
        name: "certificate auth.home.example.com",
        state: "ok",
        seen: expect.stringMatching(/^(59|60) days left$/) as string,
      },
      {
        name: "certificate code.home.example.com",
        state: "red",
        seen: "the internal fallback, for which browsers show a warning",
      },
    ]);
    expect(certificate.count).toBe(3);
    expect(Math.round(((certificate.until ?? 0) - Date.now() / 1000) / 86_400)).toBe(60);
  });

  it.each([
    [{ begin: -70, end: 20.5 }, "ok", "20 days left"],
    [{ begin: -71, end: 19 }, "red", "it should have been renewed"],
    [{ begin: -91, end: -1 }, "red", "it has expired"],
  ])("are judged as ops status does: %j", ({ begin, end }, state, seen) => {
    const at = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
    machine.program(
      "openssl",
      `#!/bin/sh\ncase $1 in s_client) ;; *) echo 'notBefore=${at(begin)}'; echo 'notAfter=${at(end)}'; echo 'issuer=CN = X' ;; esac\n`,
    );
    machine.home(["home.example.com"]);
    expect(machine.run().checks).toMatchObject([{ state, seen }]);
  });

  it("that are not shown are red", () => {
    machine.home(["home.example.com"]);
    expect(machine.run()).toMatchObject({
      checks: [{ name: "certificate home.example.com", state: "red", seen: "the server sent none" }],
      certificate: { count: 0, until: null },
    });
  });

  it("of a name that is no name are not asked for", () => {
    machine.home(["home.example.com; touch x", "-connect", "a b"]);
    expect(machine.run().checks).toEqual([]);
  });
});
