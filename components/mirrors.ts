/** Kinds of downloads that a mirror takes over, as the setting `mirrors` names them. */
export const mirrorKinds = ["apt", "dockerApt", "dockerHub", "ghcr", "npm", "pypi", "go", "k3s"] as const;

export type MirrorKind = (typeof mirrorKinds)[number];

interface MirrorRow {
  /** What comes from it. */
  readonly what: string;
  /** Mirrors that serve mainland China: the first is the default, `ops doctor --host` times all of them. */
  readonly mirrors: readonly [string, ...string[]];
}

/**
 * Every mirror in one table, as public pages named them in November 2026; whether one answers a host, `ops doctor --host` finds out. None of
 * them is trusted with more than it must be: apt's packages are signed, images and the files of k3s are pinned by digest, Python's packages
 * by hash, npm's of a lock file too, Go's modules by a checksum database.
 */
export const mirrorTable: Readonly<Record<MirrorKind, MirrorRow>> = {
  // https://github.com/alibaba/mirrors, https://github.com/tuna/mirror-web (_posts/help), https://github.com/ustclug/mirrorhelp. By
  // http://, since an image has no certificates before its first package.
  apt: {
    what: "packages of Debian and Ubuntu",
    mirrors: ["http://mirrors.aliyun.com", "http://mirrors.tuna.tsinghua.edu.cn", "http://mirrors.ustc.edu.cn"],
  },
  // The same three: docker-ce of each.
  dockerApt: {
    what: "packages of Docker",
    mirrors: [
      "https://mirrors.aliyun.com/docker-ce/linux",
      "https://mirrors.tuna.tsinghua.edu.cn/docker-ce/linux",
      "https://mirrors.ustc.edu.cn/docker-ce/linux",
    ],
  },
  // https://gist.github.com/y0ngb1n/7e8f16af3242c7815e7ca2f0833d3ea6 (June 2026), https://github.com/DaoCloud/public-image-mirror, whose
  // list of images (allows.txt of 2026-08-21) has neither restic/restic nor tsl0922/ttyd.
  dockerHub: { what: "images of Docker Hub", mirrors: ["docker.1ms.run", "docker.m.daocloud.io"] },
  // https://github.com/bestK/dockerhub2ghcr.io names Nanjing University's; the list of DaoCloud's has no fslongjin.
  ghcr: { what: "images of ghcr.io", mirrors: ["ghcr.nju.edu.cn", "ghcr.1ms.run", "ghcr.m.daocloud.io"] },
  // https://npmmirror.com, https://github.com/CaptainOfPhB/nrm-ng (registry.json)
  npm: {
    what: "npm packages",
    mirrors: [
      "https://registry.npmmirror.com",
      "https://mirrors.cloud.tencent.com/npm",
      "https://mirrors.huaweicloud.com/repository/npm",
    ],
  },
  // https://developer.aliyun.com/mirror/pypi, https://mirrors.tuna.tsinghua.edu.cn/help/pypi/, https://mirrors.tencent.com/help/pypi.html
  pypi: {
    what: "Python packages",
    mirrors: [
      "https://mirrors.aliyun.com/pypi/simple",
      "https://pypi.tuna.tsinghua.edu.cn/simple",
      "https://mirrors.cloud.tencent.com/pypi/simple",
    ],
  },
  // https://goproxy.cn/setup/, https://developer.aliyun.com/mirror/goproxy
  go: { what: "Go modules", mirrors: ["https://goproxy.cn", "https://mirrors.aliyun.com/goproxy"] },
  // https://docs.k3s.io/zh/quick-start names it; its folders have - for the + of a version.
  k3s: { what: "k3s", mirrors: ["https://rancher-mirror.rancher.cn/k3s"] },
};

/** Mirrors in use, by kind. */
export type Mirrors = Readonly<Record<MirrorKind, string>>;

/** Mirrors by kind, as an operator names some of them. */
export type MirrorOverrides = { readonly [K in MirrorKind]?: string | undefined };

/** The mirrors of a stack: one that the operator names, else the first of the table; undefined: everything comes from where it is published. */
export function resolveMirrors(network: "world" | "mainland", overrides: MirrorOverrides): Mirrors | undefined {
  if (network === "world") return undefined;
  const resolved = mirrorKinds.map((kind) => [
    kind,
    (overrides[kind] ?? mirrorTable[kind].mirrors[0]).replace(/\/+$/, ""),
  ]);
  return Object.fromEntries(resolved) as Mirrors;
}

/** Go's modules, where they are published. */
export const goProxy = "https://proxy.golang.org";

/** Docker's packages, where Docker publishes them. */
export const dockerAptRepository = "https://download.docker.com/linux";

/**
 * The image reference by which a mirror has the same image; by the same digest, where it has one. Docker Hub and ghcr.io have mirrors, any
 * other registry is left.
 */
export function mirroredImage(reference: string, mirrors: Mirrors | undefined): string {
  if (mirrors === undefined) return reference;
  const [first = "", ...rest] = reference.split("/");
  const registry = rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? first : undefined;
  if (registry === "ghcr.io") return [mirrors.ghcr, ...rest].join("/");
  if (registry !== undefined && registry !== "docker.io") return reference;
  const path = registry === undefined ? [first, ...rest] : rest;
  // Docker's short names (https://pkg.go.dev/github.com/distribution/reference#ParseNormalizedNamed).
  return [mirrors.dockerHub, ...(path.length === 1 ? ["library"] : []), ...path].join("/");
}

/** Where a mirror has the files of a release of k3s. */
export function k3sMirror(mirrors: Mirrors, version: string): string {
  return `${mirrors.k3s}/${version.replaceAll("+", "-")}`;
}

/** Hosts that Debian and Ubuntu publish packages at, as extended regular expressions. */
const distributions = [
  "deb\\.debian\\.org",
  "security\\.debian\\.org",
  "ftp[0-9]*(\\.[a-z]+)?\\.debian\\.org",
  "([a-z0-9-]+\\.)*archive\\.ubuntu\\.com",
  "security\\.ubuntu\\.com",
  "ports\\.ubuntu\\.com",
];

/**
 * A program for `sed -E` that takes a line of apt's sources to the mirror. Sources of anybody else stay. (security.debian.org has its
 * packages at / as well, a mirror below /debian-security alone.)
 */
export function aptSources(mirror: string): string {
  const security = "s#https?://security\\.debian\\.org(/debian-security)?/?([[:space:]]|$)";
  return `${security}#${mirror}/debian-security\\2#g;s#https?://(${distributions.join("|")})/#${mirror}/#g`;
}
