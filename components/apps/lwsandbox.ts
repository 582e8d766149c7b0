import { isIP } from "node:net";
import { z } from "zod";
import { architectureOf } from "../alicloud/hooks/architecture";
import { instanceMemoryGiB } from "../alicloud/prices/instance-memory";
import { type K3sRelease, k3sFolder, k3sNetwork, k3sOpenings, k3sRelease, k3sSubnets, k3sUrl } from "./k3s";
import { agentSandboxesKey, agentService, agentUid } from "./lwsandbox-agent";
import { tagOf } from "../images";
import { maxPasswordBytes } from "../reverse-proxy/password-hash";
import { type KeyRule, type PathRule, type Refusal, edgeNetwork, hostOf } from "../routes";
import * as check from "../settings/checks";
import { overlap } from "../settings/networks";
import { type Problem, when } from "../settings/problem";
import { type PlainValues, bool, list, object, secret, text, integer } from "../settings/setting";
import { type StackValues, appKind } from "./app";

const name = "lwsandbox";

/** The password that liteboxd takes when it is given none; everybody knows it, and it counts as none at later starts. */
const publicPassword = "liteboxd-admin";

const adminPassword = check.password
  .refine((value) => Buffer.byteLength(value) <= maxPasswordBytes, {
    error: `is longer than ${maxPasswordBytes} bytes`,
  })
  .refine((value) => value !== publicPassword, { error: "is the default password of liteboxd" });

const sha256 = z.string("is missing").regex(/^[0-9a-f]{64}$/, "is not a SHA-256: 64 digits of 0-9 and a-f");
const k3sReleaseSchema: z.ZodType<K3sRelease> = z.strictObject(
  {
    version: z.string("is missing").regex(/^v1\.\d+\.\d+\+k3s\d+$/, "is not a version of k3s, such as v1.34.2+k3s1"),
    binarySha256: sha256,
    imagesSha256: sha256,
  },
  { error: "is not an object of version, binarySha256 and imagesSha256" },
);

const settings = {
  lwsandboxEnabled: bool({
    description: "lwsandbox (liteboxd): throw-away sandboxes for code, on k3s; needs a host with 8 GiB of memory.",
    example: "true",
    default: false,
  }),
  lwsandboxSubdomain: text(check.subdomain, {
    description: "Subdomain of lwsandbox.",
    example: "sandbox",
    default: "sandbox",
  }),
  lwsandboxAdminUsername: text(check.loginName, {
    description: "User name of lwsandbox's own login; it cannot be changed after the first start.",
    example: "admin",
    default: "admin",
  }),
  lwsandboxAdminPassword: secret(adminPassword, {
    description:
      "Password of that user; a new one replaces a password that was set in the pages. Default: generated; see pulumi stack output appLogins --show-secrets.",
    example: "'a long passphrase of yours'",
  }),
  lwsandboxSessionMaxAge: integer(60, 31_536_000, {
    description: "Lifetime of a session of that login, in seconds.",
    example: "86400",
    default: 86_400,
  }),
  lwsandboxMinimumMemoryMiB: integer(1024, 1_048_576, {
    description: "Minimum memory of the host, in MiB; a machine sold with 8 GiB has slightly less.",
    example: "7168",
    default: 7168,
  }),
  lwsandboxWorkers: integer(0, 50, {
    description:
      "Number of additional machines that run sandboxes (target alicloud). They are created, and drained and deleted when you lower the number.",
    example: "2",
    default: 0,
  }),
  lwsandboxWorkerType: text(check.instanceType, {
    description: "Instance type of those machines. Default: the host's.",
    example: "ecs.e-c1m4.large",
  }),
  lwsandboxWorkerHosts: list(check.knownHostLine, {
    description:
      "The same for the target existing: one line for each machine, as ssh-keyscan -t ed25519 ADDRESS prints it. hostUser and hostPrivateKey are used to log in there, too.",
    example: "'[\"203.0.113.8 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP6EyXTbGNhwwWaLlb18EZWpMGcMx2ioZ3wmeVQ3q9aB\"]'",
    default: [],
  }),
  lwsandboxOrigins: list(check.httpsOrigin, {
    description:
      "Origins of web pages whose scripts may call lwsandbox's API, with a key of its own and never with a session. Pages of other origins may not.",
    example: "'[\"https://app.example.com\"]'",
    default: [],
  }),
  lwsandboxHealth: bool({
    description:
      "Answers monitors at /health of lwsandbox without the sign-in: up (200) or down (503), and nothing else.",
    example: "true",
    default: false,
  }),
  lwsandboxK3s: object(k3sReleaseSchema, {
    description:
      "Version of k3s that runs the sandboxes, and the SHA-256 checksums of its two files k3s and k3s-airgap-images-amd64.tar.zst (in the release's sha256sum-amd64.txt).",
    example: `'${JSON.stringify(k3sRelease)}'`,
    default: k3sRelease,
  }),
  lwsandboxK3sUrl: text(check.webBase, {
    description:
      "URL of a folder from which those two files are downloaded. Default: k3s's releases on GitHub, with network mainland the mirror k3s.",
    example: "https://mirror.example.com/k3s",
  }),
};

/**
 * What scripts call with a key of liteboxd's own (https://github.com/fslongjin/liteboxd): its gateway by the token of one
 * sandbox, its API by an API key. Of the paths about logins and keys themselves a key may see only who it is.
 */
const keys = (origins: readonly string[]): readonly KeyRule[] => [
  {
    origins,
    path: "/api/v1/sandbox/*",
    header: "X-Access-Token",
    value: "[0-9a-f]+",
    // What runs in a sandbox must not get hold of a session.
    withoutCookies: "\\bliteboxd_session=[^;]*(; )?",
    upstream: "lwsandbox-gateway:8081",
  },
  ...[{ path: "/api/v1/auth/me" }, { path: "/api/v1/*", except: ["/api/v1/auth/*", "/api/v1/sandbox/*"] }].map(
    (paths) => ({
      ...paths,
      origins,
      header: "Authorization",
      value: "Bearer lbxk_[0-9A-Za-z_-]+",
      withoutCookies: ".+",
      upstream: "lwsandbox-server:8080",
    }),
  ),
];

/**
 * What a template may ask for, in JSON or in a file of YAML; Go reads the names in any letters. Of a sandbox with allowedDomains liteboxd
 * would say that it runs, and it would reach nothing. Its CLI signs in by the password of the pages, which stand behind the sign-in portal.
 */
const refusals: readonly Refusal[] = [
  {
    path: "/api/v1/auth/login",
    reason:
      "The password alone does not sign in from outside. Create an API key in the pages, behind the sign-in portal, and give it to your program as its token.",
  },
  {
    path: "/api/v1/templates/*",
    body: String.raw`(?im)([^\\]"allowedDomains"\s*:\s*\[\s*"|(^[ \t-]*|[\x7b,]\s*)allowedDomains:\s*(\[\s*[^\]\s]|-))`,
    reason:
      "allowedDomains does not work here: it needs Cilium, and this cluster has flannel. Leave it out and set allowInternetAccess, for all of the internet or none.",
  },
  {
    path: "/api/v1/templates/*",
    body: String.raw`(?im)([^\\]"persistence"\s*:\s*\x7b[^\x7b\x7d]*"enabled"\s*:\s*true|(^[ \t-]*|[\x7b,]\s*)persistence:\s*(\x7b[^\x7d]*|([a-z]+:[^\n]*\s+)*)enabled:\s*true)`,
    reason:
      "Persistent sandboxes do not work here: they need privileges and access to the machine, which no sandbox gets. Keep files outside of the sandbox.",
  },
];

/** For monitors. */
const health: PathRule = {
  path: "/health",
  policy: "bypass",
  healthOf: [
    { upstream: "lwsandbox-server:8080", path: "/readyz" },
    { upstream: "lwsandbox-gateway:8081", path: "/readyz" },
    { upstream: "lwsandbox-web:80", path: "/" },
  ],
};

/** liteboxd's server, gateway and pages; all of it is two_factor but for what carries a key. */
export const lwsandbox = appKind({
  name,
  settings,
  enabled: "lwsandboxEnabled",
  subdomains: ["lwsandboxSubdomain"],
  workers: {
    count: "lwsandboxWorkers",
    instanceType: "lwsandboxWorkerType",
    hosts: "lwsandboxWorkerHosts",
    openings: k3sOpenings,
  },
  reserved: { title: "the networks of k3s", cidrs: k3sSubnets },
  problems: (values, stack) => [
    ...memoryProblems(values.lwsandboxMinimumMemoryMiB ?? 0, stack),
    ...processorProblems(values, stack),
    ...workerProblems(values, stack),
    ...when(
      stack.mirrors?.k3s !== undefined && values.lwsandboxK3sUrl !== undefined,
      "lwsandboxK3sUrl",
      "has its mirror in mirrors, too (k3s): set only one of the two",
    ),
    ...when(
      stack.opencodeEnabled === false && (stack.opencodeSandboxes ?? 0) > 0,
      "opencodeSandboxes",
      "needs OpenCode, which is off: opencodeEnabled",
    ),
    ...when(
      k3sSubnets.some((subnet) => overlap(subnet, stack.dockerAddressPool ?? "")),
      "dockerAddressPool",
      `overlaps with ${k3sSubnets.join(", ")}, the networks of k3s, which lwsandbox needs`,
    ),
  ],
  warnings(_values, { images, mirrors }) {
    const own = ["liteboxdServer", "liteboxdGateway", "liteboxdWeb"] as const;
    const unchecked = own.filter(
      (image) => mirrors && images[image].startsWith(`${mirrors.ghcr}/`) && !images[image].includes("@sha256:"),
    );
    return when(
      unchecked.length > 0,
      "images",
      `has no digest for ${unchecked.join(", ")}, so nothing proves that ${mirrors?.ghcr ?? ""} serves what their author published`,
    );
  },
  app(values, { images, mirrors, timeZone, registryMirrors, hostAddress, agentSandboxes }) {
    const network = edgeNetwork(name);
    const { lwsandboxSubdomain: subdomain } = values;
    const hasAgent = agentSandboxes > 0;
    const k3s = {
      ...values.lwsandboxK3s,
      ...k3sNetwork,
      url: (values.lwsandboxK3sUrl ?? k3sUrl(values.lwsandboxK3s.version, mirrors)).replace(/\/+$/, ""),
      workers: values.lwsandboxWorkers > 0 || values.lwsandboxWorkerHosts.length > 0,
      // Empty: the address by which the host goes out.
      nodeAddress: hostAddress ?? "",
    };
    return {
      routes: [
        {
          subdomain,
          network,
          upstream: "lwsandbox-web:80",
          policy: "two_factor",
          paths: [
            ...(values.lwsandboxHealth ? [health] : []),
            { path: "/api/v1/sandbox/*", upstream: "lwsandbox-gateway:8081" },
            { path: "/api/v1/*", upstream: "lwsandbox-server:8080" },
          ],
          keys: keys(values.lwsandboxOrigins),
          refusals,
          title: "lwsandbox",
          version: tagOf(images.liteboxdServer),
          summary: { en: "Throw-away sandboxes for code", zh: "一次性代码沙箱" },
        },
      ],
      release: (domain) => ({
        template: name,
        without: hasAgent ? [] : ["agent/"],
        ...(hasAgent && { secretFiles: { "agent-key": "agentKey" } }),
        values: {
          images,
          mirrors,
          timeZone,
          network,
          registryMirrors,
          agent: hasAgent && {
            alias: agentService.upstream.replace(/:.*/, ""),
            user: `${agentUid}:${agentUid}`,
            most: String(agentSandboxes),
          },
          url: `https://${hostOf({ subdomain }, domain)}`,
          adminUsername: values.lwsandboxAdminUsername,
          sessionMaxAge: String(values.lwsandboxSessionMaxAge),
          k3s,
        },
        plan: {
          networks: [network],
          startFirst: ["web"],
          // A machine has one k3s.
          drill: { without: ["server", "gateway", "web", ...(hasAgent ? ["agent", "agent-key"] : [])] },
          memory: { mib: values.lwsandboxMinimumMemoryMiB, setting: "lwsandboxMinimumMemoryMiB" },
          processor: "x86_64",
        },
        owners: { "agent-key": agentUid, "agent/guard.py": agentUid },
      }),
      worker: {
        template: `${name}/host`,
        values: { k3s, registryMirrors, mirrors },
        members: `${k3sFolder}/worker.sh`,
        uninstall: `${k3sFolder}/gone.sh`,
      },
      secrets: values.lwsandboxAdminPassword ? { adminPassword: values.lwsandboxAdminPassword } : {},
      generated: values.lwsandboxAdminPassword === undefined ? { adminPassword: 24 } : {},
      shared: hasAgent ? { agentKey: agentSandboxesKey } : {},
      login: { username: values.lwsandboxAdminUsername, secret: "adminPassword" },
    };
  },
});

/** Workers of the other Target, and machines that would be two things at once. */
function workerProblems(
  { lwsandboxWorkers = 0, lwsandboxWorkerType, lwsandboxWorkerHosts = [] }: PlainValues<typeof settings>,
  { target, hostAddress }: StackValues,
): Problem[] {
  if (target === undefined) return [];
  const addresses = lwsandboxWorkerHosts.map((line) => check.knownHost(line).address);
  const twice = addresses.filter((address, index) => addresses.indexOf(address) !== index);
  if (target === "alicloud")
    return [
      ...when(
        addresses.length > 0,
        "lwsandboxWorkerHosts",
        "has no effect with the target alicloud: set lwsandboxWorkers",
      ),
      ...when(
        lwsandboxWorkers === 0 && lwsandboxWorkerType !== undefined,
        "lwsandboxWorkerType",
        "has no effect while lwsandboxWorkers is 0",
      ),
    ];
  return [
    ...when(
      lwsandboxWorkers > 0,
      "lwsandboxWorkers",
      "has no effect with the target existing: list the machines in lwsandboxWorkerHosts",
    ),
    ...when(lwsandboxWorkerType !== undefined, "lwsandboxWorkerType", "has no effect with the target existing"),
    ...when(twice.length > 0, "lwsandboxWorkerHosts", `names ${twice.join(", ")} twice`),
    ...when(
      addresses.length > 0 && hostAddress !== undefined && isIP(hostAddress) !== 4,
      "hostAddress",
      "is not an IPv4 address, which lwsandbox's workers need",
    ),
    ...when(
      hostAddress !== undefined && addresses.includes(hostAddress),
      "lwsandboxWorkerHosts",
      `names ${hostAddress ?? ""}, which is the host itself`,
    ),
  ];
}

/** liteboxd's images are built for x86-64 alone (.github/workflows/release-images.yml of fslongjin/liteboxd names no platforms). */
function processorProblems(
  { lwsandboxWorkerType }: PlainValues<typeof settings>,
  { target, instanceTypes = [] }: StackValues,
): Problem[] {
  if (target !== "alicloud") return [];
  const fault = (type: string) => `contains ${type} with an ARM processor: lwsandbox has images for x86-64 only`;
  const arm = (type: string) => architectureOf(type) === "arm64";
  return [
    ...instanceTypes.filter(arm).map((type) => ({ key: "instanceTypes", fault: fault(type) })),
    ...when(
      lwsandboxWorkerType !== undefined && arm(lwsandboxWorkerType),
      "lwsandboxWorkerType",
      "has an ARM processor: lwsandbox has images for x86-64 only",
    ),
  ];
}

/** Any type of the list may be the one in stock; the memory of an existing host shows only on the host itself. */
function memoryProblems(needed: number, { target, instanceTypes = [] }: StackValues): Problem[] {
  if (target !== "alicloud") return [];
  return instanceTypes.flatMap((type) => {
    const gib = instanceMemoryGiB(type);
    return when(
      gib !== undefined && gib * 1024 < needed,
      "instanceTypes",
      `contains ${type} with ${gib ?? 0} GiB of memory: lwsandbox needs ${needed} MiB (lwsandboxMinimumMemoryMiB); list only types such as ecs.e-c1m4.large or ecs.e-c1m2.xlarge`,
    );
  });
}
