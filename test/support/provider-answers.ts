// Stands in for the providers' plugins: what they answer in addition to a resource's inputs, and what their functions return.
import { createHash } from "node:crypto";
import { placementRequestSchema } from "../../components/alicloud/hooks/placement";
import { type KeyPair, keyPair } from "./keys";
import type { AccountPrices } from "./prices";
import { type Plain, textOf, withoutSecrets } from "./plain";

/** What a provider adds to the inputs of a resource. */
export interface Answer {
  /** As the provider gives it; undefined: of no interest. */
  readonly id?: string;
  readonly plain: Readonly<Record<string, string>>;
  readonly secret: Readonly<Record<string, string>>;
}

/** The public address that Alibaba Cloud gives to a stack. */
export const eipAddress = "203.0.113.20";
export const publicIpv6Address = "2001:db8:1::7";
export const newestImage = "ubuntu_24_04_x64_20G_alibase_20260119.vhd";

/** Of the tunnel that Cloudflare made. */
export const madeTunnelToken = Buffer.from('{"a":"account","t":"made","s":"bWFkZQ=="}').toString("base64");

const nothing: Answer = { plain: {}, secret: {} };

/** Random values depend on the name and on `randomness` alone, as if kept in state between two runs. */
export function answerOf(
  type: string,
  name: string,
  inputs: Readonly<Record<string, Plain>>,
  randomness: string,
): Answer {
  const bytes = createHash("sha512").update(`${randomness} ${name}`).digest();
  switch (type) {
    case "random:index/randomBytes:RandomBytes": {
      const random = bytes.subarray(0, Number(withoutSecrets(inputs["length"])));
      const base64 = random.toString("base64");
      // https://github.com/hashicorp/terraform-provider-random/blob/main/internal/provider/resource_bytes.go
      return { ...nothing, id: base64, secret: { base64, hex: random.toString("hex") } };
    }
    case "random:index/randomPassword:RandomPassword": {
      const letters = bytes.toString("base64").replace(/[^A-Za-z0-9]/g, "");
      const result = letters.slice(0, Number(withoutSecrets(inputs["length"])));
      return { ...nothing, id: "none", secret: { result, bcryptHash: "$2a$10$mock" } };
    }
    case "tls:index/privateKey:PrivateKey": {
      const pair = keyOf(`${randomness} ${name}`);
      return { plain: { publicKeyOpenssh: `${pair.public}\n` }, secret: { privateKeyOpenssh: pair.private } };
    }
    case "command:local:Command":
      return { ...nothing, plain: { stdout: stdoutOf(inputs), stderr: "" } };
    case "random:index/randomString:RandomString": {
      const result = bytes.toString("hex").slice(0, Number(withoutSecrets(inputs["length"])));
      return { ...nothing, id: result, plain: { result } };
    }
    case "alicloud:oss/bucket:Bucket":
      return { ...nothing, plain: { intranetEndpoint: "oss-internal.example.com" } };
    case "alicloud:ram/policy:Policy":
      return { ...nothing, plain: { type: "Custom" } };
    case "alicloud:ram/accessKey:AccessKey":
      return { ...nothing, secret: { secret: "made-key-secret" } };
    case "alicloud:ecs/eipAddress:EipAddress":
      return { ...nothing, plain: { ipAddress: eipAddress } };
    default:
      return nothing;
  }
}

const keys = new Map<string, KeyPair>();

function keyOf(name: string): KeyPair {
  const known = keys.get(name) ?? keyPair();
  keys.set(name, known);
  return known;
}

/** The first of everything asked for is in stock. */
function stdoutOf({ create, stdin }: Readonly<Record<string, Plain>>): string {
  const script = /cloudcode-hook\.cjs ([a-z-]+)/.exec(create === undefined ? "" : textOf(create))?.[1];
  if (script === "newest-image") return `${newestImage}\n`;
  if (script !== "place" && script !== "choose-type") return "";
  const { region, zones, ...request } = placementRequestSchema.parse(JSON.parse(textOf(withoutSecrets(stdin))));
  const [instanceType] = request.instanceTypes;
  const [diskCategory] = request.diskCategories;
  return `${JSON.stringify({ region, zoneId: zones[0] ?? `${region}a`, instanceType, diskCategory })}\n`;
}

/** What a provider's function was asked. */
export interface Call {
  readonly token: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly provider: string | undefined;
}

/** What the account already holds. */
export interface Account {
  /** Zones in Alibaba Cloud DNS. @default none */
  readonly dnsZones?: readonly string[];
  /** Zone of each existing vSwitch by id. @default none */
  readonly vswitches?: Readonly<Record<string, string>>;
  /** Ids of the images. @default there are none */
  readonly images?: readonly string[];
  /** @default everything has a price in USD */
  readonly prices?: AccountPrices;
  /** Why every function of the provider fails. @default none does */
  readonly fault?: string;
}

/** Answers a provider's function. @throws Error for one that the program does not need */
export function callOf(
  { token, inputs }: Call,
  { dnsZones = [], vswitches = {}, images = [], fault }: Account,
): object {
  // As an error of gRPC, which the SDK takes the details of.
  if (fault !== undefined) throw Object.assign(new Error(fault), { details: fault });
  switch (token) {
    case "alicloud:dns/getAlidnsDomains:getAlidnsDomains":
      return { domains: dnsZones.map((domainName) => ({ domainName })) };
    case "alicloud:vpc/getSwitches:getSwitches": {
      const ids = Array.isArray(inputs["ids"]) ? inputs["ids"] : [];
      const found = Object.entries(vswitches).filter(([id]) => ids.includes(id));
      return { vswitches: found.map(([id, zoneId]) => ({ id, zoneId })) };
    }
    case "alicloud:ecs/getImages:getImages":
      return { images: images.filter((id) => id === inputs["imageId"]).map((id) => ({ id })) };
    case "alicloud:vpc/getIpv6Addresses:getIpv6Addresses":
      return { addresses: [{ id: "ipv6-address-id", ipv6Address: publicIpv6Address }] };
    case "cloudflare:index/getZeroTrustTunnelCloudflaredToken:getZeroTrustTunnelCloudflaredToken":
      return { token: madeTunnelToken };
    default:
      throw new Error(`the program calls ${token}, which it does not need`);
  }
}
