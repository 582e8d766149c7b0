import { textOf } from "../support/plain";
import { NameProviders, duckToken } from "../support/name-providers";
import { runProgram } from "../support/program";
import { arrivedFiles } from "../support/releases";
import { Machine, chosenSystems } from "./machine";

// The first run on a machine makes an image of each system.
jest.setTimeout(15 * 60_000);

const release = "/root/release";
/** What install.sh gives its parts: only words of its own reach its caller, and a failure is taken back. */
const installation = `(
set -eu
here=${release}
exec 3>&1 >/dev/null 2>&1
fail() { echo "cloudcode: $*" >&3; exit 1; }
for part in transaction operations name; do . ${release}/$part.sh; done
trap 'code=$?; set +e; [ $code = 0 ] || { changing && back; }' EXIT
alone
set_name
)`;

describe.each(chosenSystems.slice(0, 1))("the records of a free name, on %s", (system) => {
  let machine: Machine;
  let providers: NameProviders;
  beforeAll(async () => {
    machine = await Machine.start(system, "name");
    await machine.install("curl", "jq");
    providers = await NameProviders.start(machine.address.replace(/\d+$/, "1"));
    const place = machine.address.replace(/\d+$/, `1:${providers.port}`);
    const ways = providers.names.map((name) => `connect-to = "${name}:443:${place}"`);
    await machine.run("cat >/root/ca.pem", { input: providers.tls.certificate });
    await machine.run("cat >/root/.curlrc", { input: ['cacert = "/root/ca.pem"', ...ways, ""].join("\n") });
    await bring({ domain: "home.duckdns.org", domainToken: duckToken });
  });
  afterAll(async () => {
    providers.stop();
    await machine.remove();
  });

  /** Brings the files of the host's release, with no wait after what was written. */
  async function bring(settings: Readonly<Record<string, string>>): Promise<void> {
    const files = await arrivedFiles(await runProgram(settings), "docker-install");
    await machine.run(`rm -rf ${release}; mkdir -p ${release} /opt/cloudcode/bin`);
    for (const [path, { content }] of files)
      if (/^(cloudcode-name|cloudcode-check|check-space|name[.-]|transaction|operations|gone)/.test(path))
        await machine.run(`cat >${release}/${path}`, { input: content });
    await machine.run(`sed -i 's/^settle_seconds=.*/settle_seconds=0/' ${release}/name-settings.sh`);
    await machine.run(`install -m 755 ${release}/cloudcode-check ${release}/check-space.sh /opt/cloudcode/bin/`);
  }
  const install = () => machine.words(installation);
  const left = `ls -d /opt/cloudcode/name /opt/cloudcode/bin/cloudcode-name /etc/systemd/system/cloudcode-name* /etc/systemd/system/*/cloudcode-name* 2>/dev/null`;
  const check = () => machine.words("/opt/cloudcode/bin/cloudcode-check | grep '^name'");

  it("leave nothing behind where they cannot be set for the first time", async () => {
    providers.trouble = [{ status: 200, body: "KO" }];
    expect(await install()).toMatch(/^cloudcode: the records of the name could not be set: DuckDNS refuses \(KO\)/);
    expect(await machine.words(left)).toBe("");
    expect(await machine.words("systemctl is-active cloudcode-name.timer")).toBe("inactive");
    expect(await check()).toMatch(/^name\tnone\t/);
  });

  it("are set within the installation, by a token that only root reads, and looked at by a timer", async () => {
    expect(await install()).toBe("");
    expect(providers.duck.ipv4).toBe("203.0.113.7");
    expect(
      await machine.words("systemctl is-enabled cloudcode-name.timer; systemctl is-active cloudcode-name.timer"),
    ).toBe("enabled\nactive");
    expect(await machine.words("stat -c '%a %U %n' /opt/cloudcode/name /opt/cloudcode/name/token.conf")).toBe(
      "700 root /opt/cloudcode/name\n600 root /opt/cloudcode/name/token.conf",
    );
    expect(await check()).toBe("name\tok\thome.duckdns.org has 203.0.113.7");
  });

  it("are right again after the timer's service, which systemd runs", async () => {
    providers.duck = { ipv4: "192.0.2.1", ipv6: "2001:db8::1" };
    await machine.run("systemctl start cloudcode-name");
    expect(providers.duck).toEqual({ ipv4: "203.0.113.7", ipv6: "" });
  });

  it("turn status red when the provider refuses, and green when it takes them again", async () => {
    providers.trouble = [{ status: 200, body: "KO" }];
    expect(await machine.words("systemctl start cloudcode-name")).toContain("failed");
    expect(await check()).toMatch(
      /^name\tred\tDuckDNS refuses \(KO\): home\.duckdns\.org is not a name of the account/,
    );
    await machine.run("systemctl start cloudcode-name");
    expect(await check()).toContain("\tok\t");
    expect(await machine.words("journalctl --no-pager -u cloudcode-name")).not.toContain(duckToken);
  });

  it("stop an `up` that a provider refuses, and one that cannot set them for the first time; not one that finds it busy", async () => {
    const busy = { status: 503, body: "busy", headers: { "retry-after": "120" } };
    providers.trouble = [{ status: 200, body: "KO" }];
    expect(await install()).toMatch(/^cloudcode: the records of the name could not be set: DuckDNS refuses \(KO\)/);
    providers.trouble = [busy, busy, busy];
    expect(await install()).toMatch(/could not be set: DuckDNS is too busy \(HTTP 503\): busy/);
    providers.trouble = [];
    expect(await install()).toBe("");
    expect(await check()).toContain("\tok\t");
    providers.trouble = [busy, busy, busy];
    expect(await install()).toBe("");
    expect(await check()).toContain("\tred\tDuckDNS is too busy");
    providers.trouble = [];
  });

  it("are left alone without the token: timer, script and token are gone", async () => {
    await bring({});
    await install();
    expect(await machine.words(left)).toBe("");
    expect(await check()).toMatch(/^name\tnone\t/);
  });

  it("are no longer kept on a machine that stays behind after a destroy, nor is anything else of that kind", async () => {
    await bring({ domain: "home.duckdns.org", domainToken: duckToken });
    expect(await install()).toBe("");
    // As set_backups, set_alerts, set_page, set_space and set_notify leave them.
    await machine.run(`cd /etc/systemd/system; mkdir -p /opt/cloudcode/backup /opt/cloudcode/alerts /opt/cloudcode/notify /opt/cloudcode/space
      printf '[Service]\nExecStart=/bin/sleep 600\n' >cloudcode-updates.service
      cp cloudcode-updates.service cloudcode-space.service
      for name in backup alert page news spot prune; do
        printf '[Service]\nExecStart=/bin/sleep 600\n' >cloudcode-$name.service
        printf '[Timer]\nOnActiveSec=1h\n[Install]\nWantedBy=timers.target\n' >cloudcode-$name.timer
      done
      systemctl daemon-reload; systemctl enable --now cloudcode-backup.timer cloudcode-alert.timer cloudcode-page.timer cloudcode-news.timer cloudcode-spot.timer cloudcode-prune.timer
      systemctl start cloudcode-backup cloudcode-updates cloudcode-space cloudcode-prune`);
    const words = (await runProgram({})).resource("docker-removal").inputs["delete"];
    const [, remote] = /cloudcode-hook\.cjs reach (.+)$/s.exec(textOf(words)) ?? [];
    if (remote === undefined) throw new Error(`the removal has no command for the machine: ${textOf(words)}`);
    await machine.run(`install -m 755 ${release}/gone.sh /opt/cloudcode/bin/`);
    expect(await machine.words(`sh -c ${remote} 2>/dev/null; echo $?`)).toBe("0");
    expect(await machine.words(`ls /opt/cloudcode | grep -v host; ls -R /etc/systemd/system | grep cloudcode`)).toBe(
      "bin",
    );
    expect(await machine.words("systemctl list-units --all --plain --no-legend 'cloudcode-*'")).toBe("");
    // A second time, as after a destroy that was cut off.
    expect(await machine.words(`sh -c ${remote} 2>/dev/null; echo $?`)).toBe("0");
  });
});
