// Lets Chromium trust one certificate authority without touching the machine's or the user's list of them.
import { createHash, X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import type { DetailedPeerCertificate } from "node:tls";

/**
 * Node checks the chain against the authority; Chromium then accepts the keys of exactly that chain, so also the other
 * names signed by its intermediate. (Passkeys do not work on a page whose certificate error was merely clicked away.)
 */
export async function pinnedTo(address: string, servername: string, caPem: string): Promise<string> {
  const [host = "", port = "443"] = address.split(":");
  const chain = await new Promise<readonly X509Certificate[]>((resolve, reject) => {
    const socket = connect({ host, port: Number(port), servername, ca: caPem }, () => {
      resolve(certificates(socket.getPeerCertificate(true)));
      socket.end();
    });
    socket.once("error", reject);
  });
  const hashes = chain.map((one) =>
    createHash("sha256")
      .update(one.publicKey.export({ type: "spki", format: "der" }))
      .digest("base64"),
  );
  return `--ignore-certificate-errors-spki-list=${hashes.join(",")}`;
}

function certificates(peer: DetailedPeerCertificate, seen: readonly string[] = []): X509Certificate[] {
  const own = new X509Certificate(peer.raw);
  const issuer = peer.issuerCertificate as DetailedPeerCertificate | undefined;
  if (!issuer || seen.includes(peer.fingerprint256)) return [own];
  return [own, ...certificates(issuer, [...seen, peer.fingerprint256])];
}
