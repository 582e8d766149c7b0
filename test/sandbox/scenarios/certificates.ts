import { connect } from "node:tls";
import { pauseAcme, resumeAcme } from "../../../sandbox/acme/pebble";
import { type World, eventually } from "../world";

/** Certificates always come, and public ones return by themselves. */
export function certificates(world: World): void {
  const publicIssuer = /^Pebble/;
  const internalIssuer = /^Caddy Local Authority/;
  const issuer = (subdomain: string) => issuerOf(world.sandbox.host.address, world.nameOf(subdomain));
  const issuedBy = (subdomain: string, name: RegExp) => async () => name.test(await issuer(subdomain));

  test("the ACME authority signs every name, and its chain verifies", async () => {
    for (const name of ["", "auth", "code"]) expect(await issuer(name)).toMatch(publicIssuer);
    const root = await world.sandbox.acme.issuingRoot();
    await expect(issuerOf(world.sandbox.host.address, world.nameOf("code"), root)).resolves.toMatch(publicIssuer);
  });

  test("while no authority answers, the internal one signs; afterwards the public certificate comes by itself", async () => {
    await pauseAcme(world.sandbox.name);
    try {
      world.sandbox.configure({ opencodeSubdomain: "later", fallbackCertificateMinutes: "2" });
      await world.up();
      expect(await eventually(180, issuedBy("later", internalIssuer))).toBe(true);
      expect((await world.request("later", "/global/health", { headers: { cookie: world.cookie } })).status).toBe(200);
    } finally {
      await resumeAcme(world.sandbox.name);
    }
    expect(await eventually(240, issuedBy("later", publicIssuer))).toBe(true);
    world.sandbox.configure({ opencodeSubdomain: undefined, fallbackCertificateMinutes: undefined });
    await world.up();
  });
}

function issuerOf(host: string, servername: string, ca?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host, port: 443, servername, ...(ca === undefined ? { rejectUnauthorized: false } : { ca }) },
      () => {
        const { issuer } = socket.getPeerCertificate();
        socket.end();
        resolve(String(issuer.CN));
      },
    );
    socket.on("error", reject);
  });
}
