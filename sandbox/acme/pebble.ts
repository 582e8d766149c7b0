import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { type BaseArgs, baseImage } from "../host/base";
import { aptInstallStep, buildImage } from "../host/build";
import { run } from "../../cli/run";
import { withLock } from "@cloudcode/offline-kit/toolchain/lock";
import { asMyself, removeService, serviceAnswers, startService } from "../host/service";
import { goBinary } from "../host/tools";
import type { Say } from "../../cli/run";

// renovate: datasource=go depName=github.com/letsencrypt/pebble/v2
export const pebbleVersion = "v2.10.1";
const PORT = 14000;

/** Where the authority listens, and where it finds the sites that ask for certificates. */
export interface AcmeArgs {
  readonly name: string;
  /** The outer machine's address on the sandbox's network. */
  readonly bindAddress: string;
  /** The key of the authority behind `caPem` is kept here, so all sandboxes with this cache share it. */
  readonly cacheDir: string;
  /** Every name resolves to this address when the authority validates it: the host's. */
  readonly resolveTo: string;
  readonly say: Say;
}

/** A running ACME authority. */
export interface Acme {
  readonly directoryUrl: string;
  /** Signs the HTTPS certificate of the ACME server itself; an ACME client has to trust it. */
  readonly caPem: string;
  /** The root of the certificates that it issues now. */
  readonly issuingRoot: () => Promise<string>;
}

/**
 * Starts Pebble, an authority that validates for real, on ports 80 and 443, but whose roots nobody trusts; or keeps it
 * if it runs. Its accounts and roots live in its memory until {@link stopAcme} or a restart of the outer machine's Docker.
 */
export async function startAcme(args: AcmeArgs): Promise<Acme> {
  const inner = innerAddress(args.bindAddress);
  const image = await pebbleImage(args);
  const folder = join(args.cacheDir, "acme");
  const settings = join(folder, args.bindAddress);
  mkdirSync(settings, { recursive: true });
  await withLock(
    join(folder, "lock"),
    () => undefined,
    () => certify(image, folder, args.bindAddress),
  );
  writeFileSync(join(settings, "pebble.json"), JSON.stringify({ pebble: pebbleSettings(inner) }));
  const caPem = readFileSync(join(folder, "ca.pem"), "utf8");
  const directoryUrl = `https://${args.bindAddress}:${PORT}/dir`;
  args.say(`Starting the ACME authority at ${directoryUrl}`);
  await startService({
    container: authorityOf(args.name),
    image,
    options: ["--volume", `${settings}:/acme:ro`, "--env", "PEBBLE_VA_NOSLEEP=1", "--env", "PEBBLE_WFE_NONCEREJECT=0"],
    command: ["sh", "-c", AUTHORITY, "sh", inner, args.resolveTo],
    ready: async () => (await read(`https://${inner}:${PORT}/dir`, caPem)).includes("newOrder"),
  });
  const door = {
    container: doorOf(args.name),
    image,
    options: [],
    command: ["socat", `TCP-LISTEN:${PORT},bind=${args.bindAddress},reuseaddr,fork`, `TCP:${inner}:${PORT}`],
    ready: async () => (await read(directoryUrl, caPem)).includes("newOrder"),
  };
  await startService(door);
  return { directoryUrl, caPem, issuingRoot: () => read(`https://${inner}:${PORT + 1000}/roots/0`, caPem) };
}

/** Removes the authority; its accounts and roots are gone then. */
export async function stopAcme(name: string): Promise<void> {
  await removeService(doorOf(name));
  await removeService(authorityOf(name));
}

/** Refuses all connections, as an authority that is down; accounts and roots stay as they are. */
export async function pauseAcme(name: string): Promise<void> {
  await run("docker", ["stop", "-t", "1", doorOf(name)]);
}

/** Answers again after {@link pauseAcme}. */
export async function resumeAcme(name: string): Promise<void> {
  await run("docker", ["start", doorOf(name)]);
  const running = async () =>
    (await run("docker", ["inspect", "--format", "{{.State.Running}}", doorOf(name)])).stdout.trim() === "true";
  await serviceAnswers({ container: doorOf(name), ready: running });
}

const authorityOf = (name: string) => `cloudcode-${name}-acme`;
/** Pebble forgets everything when it ends, so what a pause ends is only the relay in front of it. */
const doorOf = (name: string) => `cloudcode-${name}-acme-door`;

/** A loopback address that belongs to this sandbox alone, for what the host must not reach directly. */
const innerAddress = (bindAddress: string) => bindAddress.replace(/^\d+/, "127");

const AUTHORITY = `pebble-challtestsrv -dnsserver "$1:8053" -management "$1:8055" -defaultIPv4 "$2" -defaultIPv6 "" \\
  -http01 "" -https01 "" -tlsalpn01 "" -doh "" &
exec pebble -config /acme/pebble.json -dnsserver "$1:8053"`;

const pebbleSettings = (address: string) => ({
  listenAddress: `${address}:${PORT}`,
  managementListenAddress: `${address}:${PORT + 1000}`,
  certificate: "/acme/cert.pem",
  privateKey: "/acme/key.pem",
  httpPort: 80,
  tlsPort: 443,
  retryAfter: { authz: 1, order: 1 },
  keyAlgorithm: "ecdsa",
});

/** Its image, which can be built before its address is known. */
export async function pebbleImage(args: BaseArgs): Promise<string> {
  const module = "github.com/letsencrypt/pebble/v2/cmd";
  return buildImage(
    {
      name: "pebble",
      dockerfile: `FROM ${await baseImage(args)}
RUN ${aptInstallStep(["socat", "openssl"])}
COPY bin/ /usr/local/bin/
`,
      copies: {
        "bin/pebble": await goBinary(args, `${module}/pebble`, pebbleVersion),
        "bin/pebble-challtestsrv": await goBinary(args, `${module}/pebble-challtestsrv`, pebbleVersion),
      },
    },
    args.say,
  );
}

/** Makes the authority behind the ACME server's own HTTPS once, and a certificate from it unless a good one is there. */
async function certify(image: string, folder: string, address: string): Promise<void> {
  const mount = ["--volume", `${folder}:/acme`, "--workdir", "/acme"];
  await run("docker", [
    "run",
    "--rm",
    "--network",
    "none",
    ...asMyself(),
    ...mount,
    image,
    "sh",
    "-euc",
    CERTIFY,
    "sh",
    address,
  ]);
}

const CERTIFY = `
new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
if ! openssl x509 -in ca.pem -checkend 31536000 -noout >/dev/null 2>&1; then
  openssl req -x509 $new -keyout ca.key -out ca.pem -days 3650 -subj "/CN=cloudcode sandbox ACME server" \\
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
  rm -f */cert.pem
fi
cd "$1"
if ! openssl x509 -in cert.pem -checkend 2592000 -noout >/dev/null 2>&1; then
  inner="127.\${1#*.}"
  openssl req $new -keyout key.pem -out request.pem -subj "/CN=$1"
  echo "subjectAltName=IP:$1,IP:$inner,DNS:localhost" >extensions
  openssl x509 -req -in request.pem -CA ../ca.pem -CAkey ../ca.key -days 365 -extfile extensions -out cert.pem
fi
`;

/** The body of an HTTPS answer from a server that `ca` vouches for. */
function read(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(
      url,
      { ca, timeout: 5_000, agent: false, headers: { "user-agent": "cloudcode-sandbox" } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`${url} answered ${response.statusCode ?? "nothing"}: ${text.slice(0, 200)}`));
        });
      },
    );
    request.on("timeout", () => request.destroy(new Error(`${url} does not answer`)));
    request.on("error", reject);
  });
}
