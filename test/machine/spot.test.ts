import type { runProgram } from "../support/program";
import { runAlicloud } from "../support/program";
import { arrivedFiles } from "../support/releases";
import { until } from "../../cli/run";
import { Machine, chosenSystems } from "./machine";

// The first run on a machine makes an image of each system.
jest.setTimeout(15 * 60_000);

const release = "/root/release";
/** As install.sh calls its parts. */
const installation = `(
set -eu
here=${release}
exec 3>&1 >/dev/null 2>&1
fail() { echo "cloudcode: $*" >&3; exit 1; }
. ${release}/settings.sh
for part in transaction operations; do . ${release}/$part.sh; done
trap 'code=$?; set +e; [ $code = 0 ] || { changing && back; }' EXIT
alone
set_spot
)`;

/** Alibaba Cloud's metadata service at its own address: it asks for a token, and its answer about the end is the file /root/end. */
const metadata = `
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, code, body):
        self.send_response(code); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def do_PUT(self):
        self.answer(200 if self.headers.get("X-aliyun-ecs-metadata-token-ttl-seconds") else 403, b"token")
    def do_GET(self):
        if self.headers.get("X-aliyun-ecs-metadata-token") != "token": return self.answer(403, b"")
        if self.path != "/latest/meta-data/instance/spot/termination-time" or not os.path.exists("/root/end"): return self.answer(404, b"")
        self.answer(200, open("/root/end", "rb").read().strip())
http.server.ThreadingHTTPServer(("100.100.100.200", 80), Handler).serve_forever()
`;

describe.each(chosenSystems.slice(0, 1))("the notice of a spot machine, on %s", (system) => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await Machine.start(system, "spot");
    await machine.install("curl", "jq", "python3");
    await machine.run("cat >/root/metadata.py", { input: metadata });
    await machine.run(`ip address add 100.100.100.200/32 dev lo
      systemd-run --quiet --unit metadata python3 /root/metadata.py
      mkdir -p /opt/cloudcode/bin /opt/cloudcode/stacks/notify/queue /usr/local/bin
      printf '#!/bin/sh\\necho "$*" >>/root/docker\\ncase $1 in ps) echo c1 ;; esac\\n' >/usr/local/bin/docker
      chmod 755 /usr/local/bin/docker`);
  });
  afterAll(() => machine.remove());

  /** Brings the host's release, and installs what is of the notice. */
  async function install(run: ReturnType<typeof runProgram>): Promise<string> {
    const files = await arrivedFiles(await run, "docker-install");
    await machine.run(`rm -rf ${release}; mkdir -p ${release}`);
    for (const [path, { content }] of files)
      if (/^(cloudcode-(spot|notify|check)|check-space|settings\.sh|transaction|operations)/.test(path))
        await machine.run(`cat >${release}/${path}`, { input: content });
    await machine.run(
      `cd ${release} && install -m 755 cloudcode-notify cloudcode-check check-space.sh /opt/cloudcode/bin/`,
    );
    return machine.words(installation);
  }
  const check = () => machine.words("/opt/cloudcode/bin/cloudcode-check | grep '^spot'");
  const waitFor = (pattern: RegExp, look: () => Promise<string>) =>
    until(90, async () => (pattern.test(await look()) ? true : undefined), look);

  it("is asked for by a timer, again and again, which leaves the journal quiet", async () => {
    expect(await install(runAlicloud({ charge: "spot" }))).toBe("");
    expect(
      await machine.words("systemctl is-enabled cloudcode-spot.timer; systemctl is-active cloudcode-spot.timer"),
    ).toBe("enabled\nactive");
    await waitFor(/^spot\tok\tno notice/, check);
    const first = await machine.words("cut -f 1 /run/cloudcode-spot/last");
    await until(
      90,
      async () => ((await machine.words("cut -f 1 /run/cloudcode-spot/last")) === first ? undefined : true),
      () => machine.words("systemctl list-timers --all"),
    );
    expect(await machine.words("journalctl --quiet --no-pager -u cloudcode-spot.service")).toBe("");
  });

  it("is acted upon by the service that systemd starts: news, and a clean stop of the containers", async () => {
    await machine.run("date -u -d '+70 seconds' +%Y-%m-%dT%H:%M:%SZ >/root/end");
    await waitFor(/^stop --time 20 c1$/m, () => machine.words("cat /root/docker"));
    expect(await machine.words("cat /opt/cloudcode/stacks/notify/queue/*")).toMatch(
      /^spot\nAlibaba Cloud takes the spot machine \S+ back at .*Z\n[^]*There are no backups here/,
    );
    expect(await check()).toMatch(
      /^spot\tred\tAlibaba Cloud takes this machine back at \S+Z\tonce it is gone: npm run ops -- heal/,
    );
  });

  it("is no longer asked for where the machine is not a spot machine: timer, script and notes are gone", async () => {
    expect(await install(runAlicloud({}))).toBe("");
    expect(
      await machine.words(
        "ls -d /run/cloudcode-spot /opt/cloudcode/bin/cloudcode-spot /etc/systemd/system/cloudcode-spot* /etc/systemd/system/*/cloudcode-spot* 2>/dev/null",
      ),
    ).toBe("");
    expect(await check()).toBe("");
  });
});
