import { bundleHost, commit, fullMainland, mainland, mirrorHosts } from "../support/mainland";
import { type ProgramRun, runProgram } from "../support/program";
import { type ReleaseName, arrivedFiles } from "../support/releases";

/** A text that reaches the host or a worker. */
interface Sent {
  /** `STACK PATH`, the path as the template has it. */
  readonly place: string;
  readonly text: string;
}

/** Everything that reaches the host or a worker. */
async function sent(run: ProgramRun): Promise<Sent[]> {
  const names = run.resources
    .filter(({ inputs }) => JSON.stringify(inputs["stdin"] ?? "").includes("payload"))
    .map(({ name }) => name as ReleaseName);
  const stacks = await Promise.all(
    names.map(async (name) =>
      [...(await arrivedFiles(run, name))].map(([path, { content }]) => ({ place: `${name} ${path}`, text: content })),
    ),
  );
  return stacks.flat();
}

const kept = new Map<object, Promise<readonly Sent[]>>();
/** The same of the program with these settings, which runs once for them. */
function sentWith(settings: Readonly<Record<string, string>>): Promise<readonly Sent[]> {
  const known = kept.get(settings) ?? runProgram(settings).then(sent);
  kept.set(settings, known);
  return known;
}

const behindScheme = /\b[a-z][a-z0-9+.-]*:\/\/(?:[^\s"'`<>/@]*@)?([A-Za-z0-9_.-]+)/g;
const beforeImage = /(?<![\w./-])((?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?)\/[a-z0-9][\w./-]*(?::[\w.-]+|@sha256)/g;
// Without the endings of file names and of calls, such as .sh and .run: where a host of those is asked, one of the others finds it.
const bare =
  /(?<![\w.@/-])(?:[a-z0-9_-]+\.)+(?:com|org|net|io|cn|dev|edu|eu|ai|cc|cloud|xyz|top|ru|jp|kr|tw|hk|sg|uk|de|fr|us)(?![\w-]|\.[a-z])/g;

/** Hosts that a text names outside of comments: behind a scheme, before the path of an image, or anywhere else. */
function hostsIn(text: string): string[] {
  const code = text.replaceAll(/^\s*(#(?!!)|\/\/|\*|\/\*).*$/gm, "");
  const found = [behindScheme, beforeImage].flatMap((form) => [...code.matchAll(form)].map(([, host = ""]) => host));
  return [...found, ...[...code.matchAll(bare)].map(([host]) => host)].filter((host) => /[a-z]\.[a-z]/i.test(host));
}

interface Reason {
  /** Of `STACK PATH`. */
  readonly place: RegExp;
  /** Of the whole host. */
  readonly host: RegExp;
  readonly why: string;
}

/** What is no download, although a text names the host. */
const reasons: readonly Reason[] = [
  {
    place: /./,
    host: /(^|\.)example\.com|cases\.pages\.dev/,
    why: "the operator's own names, as these settings give them",
  },
  { place: /image\/Dockerfile$/, host: new RegExp(`^${bundleHost}$`), why: "the operator's Git bundles" },
  {
    place: /image\/Dockerfile$/,
    host: /^sum\.golang\.google\.cn$/,
    why: "Go's checksums, at Google's address for mainland China",
  },
  { place: /^edge-release live\/Caddyfile$/, host: /^acme(-v02)?\./, why: "certificates: acmeDirectories" },
  { place: /image\/ssh_known_hosts$/, host: /(github|gitlab)\.com$/, why: "host keys" },
  {
    place: /^donation-release (site\.yaml|image\/src\/config\.ts)$/,
    host: /^connect\.linux\.do$/,
    why: "where visitors sign in: donationLinuxDoAuthUrl",
  },
  {
    place: /^donation-release image\/src\/credential\.ts$/,
    host: /^(api\.anthropic|chatgpt|www\.googleapis)\.com$/,
    why: "words that a donated credential may have",
  },
  {
    place: /^donation-release image\/package-lock\.json$/,
    host: /^(github|opencollective)\.com$/,
    why: "links to who asks for donations",
  },
  {
    place: /^docker-install (cloudcode-check|apt\.sh|look\/5-docker\.sh)$|-upkeep apt\.sh$/,
    host: /^(docker|containerd)\.io$/,
    why: "names of packages",
  },
  {
    place: /host\/registries\.yaml$|-agent registries\.yaml$/,
    host: /^(docker|ghcr)\.io$/,
    why: "registries that have a mirror there",
  },
  {
    place: /host\/cluster\.yaml$|-agent cluster\.yaml$/,
    host: /(^|\.)(kubernetes|k8s)\.io$/,
    why: "names of the Kubernetes API",
  },
  {
    place: /^docker-install cloudcode-(name|page)$|page\/checks\.zh\.json$/,
    host: /^(checkipv4\.dedyn\.io|desec\.io|www\.duckdns\.org|sslip\.io)$/,
    why: "providers of free names, which are refused here",
  },
  {
    place: /^docker-install cloudcode-alert$/,
    host: /^(oapi\.dingtalk\.com|open\.(feishu\.cn|larksuite\.com)|qyapi\.weixin\.qq\.com)$/,
    why: "forms of alertWebhook",
  },
  {
    place: /^docker-install volumes\/lists\.py$|^notify-release image\/notify\/\w+\.py$/,
    host: /^(restic\.readthedocs\.io|github\.com|www\.alibabacloud\.com)$/,
    why: "links to documentation",
  },
  {
    place: /live\/site\/(icon\.svg|index\.html)$/,
    host: /^(www\.w3\.org|caddyserver\.com)$/,
    why: "a name of XML, and a link",
  },
];

/** `HOST in PLACE` of what is neither a mirror nor explained. */
const unexplained = (texts: readonly Sent[]) =>
  texts.flatMap(({ place, text }) =>
    [...new Set(hostsIn(text))]
      .filter(
        (host) => !mirrorHosts.includes(host) && !reasons.some((one) => one.place.test(place) && one.host.test(host)),
      )
      .map((host) => `${host} in ${place}`),
  );

interface Stage {
  readonly name: string | undefined;
  readonly base: string;
  /** Instructions behind FROM, each on one line. */
  readonly lines: readonly string[];
}

function stagesOf(dockerfile: string): Stage[] {
  const lines = dockerfile
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n");
  return lines.reduce<Stage[]>((stages, line) => {
    const [, base, name] = /^FROM (\S+)(?: AS (\S+))?$/.exec(line) ?? [];
    if (base !== undefined) return [...stages, { base, name, lines: [] }];
    const last = stages.at(-1);
    return last === undefined ? stages : [...stages.slice(0, -1), { ...last, lines: [...last.lines, line] }];
  }, []);
}

/** Commands that download, and the line of the same stage, or of the one it begins with, that takes them to a mirror. */
const downloaders: readonly (readonly [command: RegExp, mirrored: RegExp])[] = [
  [
    /^apt(-get)? .*(update|install)/,
    /^RUN sed -i 's#http:\/\/deb\\\.debian\\\.org\/#http:\/\/mirrors\.aliyun\.com\/#'/,
  ],
  [/^(npm|npx) (ci|install|exec)/, /^(ARG|ENV).* NPM_CONFIG_REGISTRY=https:\/\/registry\.npmmirror\.com( |$)/],
  [
    /^pip3? (?!.*--no-index)(install|download|wheel)/,
    /^(ARG|ENV).* PIP_INDEX_URL=https:\/\/mirrors\.aliyun\.com\/pypi\/simple( |$)/,
  ],
  [/^go (build|install|mod|get|run)/, /^(ARG|ENV).* GOPROXY=https:\/\/goproxy\.cn,direct( |$)/],
  // Nothing takes these to a mirror.
  [/^(git (fetch|clone|pull|submodule)|curl|wget|cargo|gem|bun|pnpm|yarn|uv|composer|apk) /, /^$/],
];

/** What of a Dockerfile asks elsewhere than a mirror. */
function unmirrored(dockerfile: string): string[] {
  const stages = stagesOf(dockerfile);
  const named = (name: string) => stages.find((stage) => stage.name === name);
  return stages.flatMap(({ base, lines }) => {
    const before = [...(named(base)?.lines ?? [])];
    const faults: string[] = [];
    if (!named(base) && !mirrorHosts.includes(base.split("/")[0] ?? "")) faults.push(`FROM ${base}`);
    for (const line of lines) {
      const [, from] = /^COPY --from=(\S+)/.exec(line) ?? [];
      if (from !== undefined && !named(from)) faults.push(line);
      if (/^ADD .*:\/\//.test(line) && !line.includes(`"https://${bundleHost}/`)) faults.push(line);
      for (const command of line.startsWith("RUN ") ? line.slice(4).split(/ *(?:&&|\|\||[;|]) */) : [])
        for (const [form, mirrored] of downloaders)
          if (form.test(command) && !before.some((one) => mirrored.test(one.replace(/^(ARG|ENV) /, "$1  "))))
            faults.push(command);
      before.push(line);
    }
    return faults;
  });
}

const dockerfiles = (texts: readonly Sent[]) => texts.filter(({ place }) => /image\/Dockerfile$/.test(place));

describe.each([
  ["the least of every App", mainland],
  ["nearly every setting, a worker too", fullMainland],
])("in mainland China, with %s", (_what, settings) => {
  let texts: readonly Sent[];
  beforeAll(async () => {
    jest.spyOn(console, "warn").mockImplementation(() => undefined);
    texts = await sentWith(settings);
  }, 60_000);
  const text = (place: string) => texts.find((one) => one.place === place)?.text ?? "";

  it("nothing that reaches a machine names a host to download from but the mirrors", () => {
    expect(unexplained(texts)).toEqual([]);
  });

  it("every command of an image's build asks a mirror", () => {
    expect(dockerfiles(texts).map(({ place }) => place)).toEqual(
      ["opencode", "tg-signer", "donation", "casecheck", "notify"].map((name) => `${name}-release image/Dockerfile`),
    );
    expect(dockerfiles(texts).flatMap((one) => unmirrored(one.text))).toEqual([]);
  });

  it("images keep the digest that they are pinned by", () => {
    expect(text("edge-release compose.yaml")).toMatch(
      /image: "?docker\.1ms\.run\/library\/caddy:[\w.-]+@sha256:[0-9a-f]{64}"?\n/,
    );
  });

  it("sources come as a bundle, and are no other commit", () => {
    for (const name of ["casecheck", "tg-signer"]) {
      expect(text(`${name}-release image/Dockerfile`)).toContain(
        `ADD ["https://${bundleHost}/${name}.bundle", "/tmp/source.bundle"]\n`,
      );
      expect(text(`${name}-release image/Dockerfile`)).toContain(`test "$(git rev-parse HEAD)" = ${commit}\n`);
    }
  });

  it("k3s comes from the mirror, and its containerd asks mirrors alone", () => {
    expect(text("lwsandbox-release host/settings.sh")).toMatch(
      /^url=https:\/\/rancher-mirror\.rancher\.cn\/k3s\/v1\.34\.2-k3s1$[^]*^mirrors_only=yes$/m,
    );
    expect(text("lwsandbox-release host/registries.yaml")).toContain(
      "ghcr.io:\n    endpoint:\n      - https://ghcr.nju.edu.cn\n",
    );
  });
});

describe("these tests", () => {
  it("have no reason that nothing needs", async () => {
    const texts = [...(await sentWith(mainland)), ...(await sentWith(fullMainland))];
    const needed = ({ place, host }: Reason) =>
      texts.some((one) => place.test(one.place) && hostsIn(one.text).some((name) => host.test(name)));
    expect(reasons.filter((reason) => !needed(reason)).map(({ why }) => why)).toEqual([]);
  }, 60_000);

  it("see what the same stack downloads from elsewhere, where the world is not the mainland", async () => {
    const texts = await sent(await runProgram({ ...mainland, network: "world", sources: "{}" }));
    expect(unexplained(texts)).toEqual(
      expect.arrayContaining([
        "download.docker.com in docker-install settings.sh",
        "docker.io in edge-release compose.yaml",
        "docker.io in docker-install backup-settings.sh",
        "docker.io in opencode-release image/Dockerfile",
        "github.com in casecheck-release image/Dockerfile",
        "github.com in tg-signer-release image/Dockerfile",
        "github.com in lwsandbox-release host/settings.sh",
        "ghcr.io in lwsandbox-release compose.yaml",
      ]),
    );
    for (const { place, text } of dockerfiles(texts))
      expect([place, unmirrored(text).length > 1]).toEqual([place, true]);
    const all = dockerfiles(texts).flatMap(({ text }) => unmirrored(text));
    for (const command of [
      /^apt-get update/,
      /^npm ci/,
      /^npm install/,
      /^pip install/,
      /^git fetch/,
      /^FROM docker\.io/,
    ])
      expect(all.filter((one) => command.test(one))).not.toEqual([]);
  }, 60_000);
});
