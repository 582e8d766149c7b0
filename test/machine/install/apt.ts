import type { Scene } from "./scene";

/** A package of nothing but its name and version. */
const makePackage = (name: string, version: string) =>
  `mkdir -p /root/p/DEBIAN && printf 'Package: ${name}\\nVersion: ${version}\\nArchitecture: all\\nMaintainer: x <x@example.com>\\nDescription: x\\n' >/root/p/DEBIAN/control && dpkg-deb -b /root/p /root/repo/${name}_${version}.deb >/dev/null`;

/** Sources, keys and updates of the machine. */
export function aptStep(scene: () => Scene): void {
  const words = (script: string) => scene().machine.words(script);
  const list = "/etc/apt/sources.list.d/neighbour.list";
  afterEach(() => words(`rm -f ${list}; apt-get -qq update`));

  it("a dead source of somebody else is named, and does not stop what comes from the others", async () => {
    await words(
      `echo 'deb [trusted=yes] http://127.0.0.1:9/vendor stable main' >${list}; DEBIAN_FRONTEND=noninteractive apt-get -qq purge -y unattended-upgrades`,
    );
    const { ok, warned } = await scene().install();
    expect(ok).toBe(true);
    expect(warned).toContain("apt gets no lists from http://127.0.0.1:9/vendor: its packages get no updates");
    expect(await words("command -v unattended-upgrade")).toBe("/usr/bin/unattended-upgrade");
  });

  it("Docker's updates come by themselves, and status is red while they have not come", async () => {
    // A repository that calls itself Docker's, with a newer containerd.io than the one that is installed.
    await words(
      `rm -rf /root/repo; mkdir -p /root/repo; ${makePackage("containerd.io", "1.0")}; dpkg -i /root/repo/containerd.io_1.0.deb || dpkg -i --force-all /root/repo/containerd.io_1.0.deb
       ${makePackage("containerd.io", "2.0")}; command -v apt-ftparchive || DEBIAN_FRONTEND=noninteractive apt-get install -qq -y apt-utils
       cd /root/repo && apt-ftparchive packages . >Packages && apt-ftparchive -o APT::FTPArchive::Release::Origin=Docker -o APT::FTPArchive::Release::Label='Docker CE' release . >/tmp/Release && mv /tmp/Release .
       echo 'deb [trusted=yes] file:/root/repo ./' >${list}; apt-get -qq update`,
    );
    expect(await scene().install()).toMatchObject({ ok: true });
    expect(await words("/opt/cloudcode/bin/cloudcode-check | grep '^updates'")).toMatch(
      /^updates\tred\t.*containerd\.io 1\.0 \(2\.0\)/,
    );
    expect(
      await words(
        "unattended-upgrade --dry-run --debug 2>&1 | grep -E 'Packages that will be upgraded|Allowed origins'",
      ),
    ).toMatch(
      /Allowed origins are:.*origin=Docker,label=Docker CE[\s\S]*Packages that will be upgraded:.*containerd\.io/,
    );
    await words("dpkg -i /root/repo/containerd.io_2.0.deb");
    expect(await words("/opt/cloudcode/bin/cloudcode-check | grep '^updates'")).not.toContain("containerd.io");
    // Newer ones would not come from a source that is gone. Some versions of apt read a folder in place, and then know of none.
    await words("mv /root/repo /root/gone");
    expect(await words("/opt/cloudcode/bin/cloudcode-check | grep '^updates'")).toMatch(
      /^updates\tred\twhat runs the containers gets no updates: (file:\/root\/repo\/\S* does not answer|no source of apt has containerd\.io); /,
    );
    await words("rm -r /root/gone; dpkg --purge --force-all containerd.io");
  });

  it("is not asked to remove what others have installed", async () => {
    await words(`rm -rf /root/repo; mkdir -p /root/repo; printf 'Package: theirs\\n' >/dev/null
      mkdir -p /root/q/DEBIAN; printf 'Package: theirs\\nVersion: 1\\nArchitecture: all\\nMaintainer: x <x@example.com>\\nConflicts: unattended-upgrades\\nDescription: x\\n' >/root/q/DEBIAN/control
      DEBIAN_FRONTEND=noninteractive apt-get -qq purge -y unattended-upgrades; dpkg-deb -b /root/q /root/theirs.deb; dpkg -i /root/theirs.deb`);
    const { ok, said } = await scene().install();
    expect(ok).toBe(false);
    expect(said.split("\n")[0]).toMatch(
      /^cloudcode: these packages could not be installed: unattended-upgrades; they take the place of theirs/,
    );
    expect(await words("dpkg-query -W -f '${Status}' theirs")).toBe("install ok installed");
    await words("dpkg --purge theirs");
    expect(await scene().install()).toMatchObject({ ok: true });
  });

  it("automaticUpdates false gives the configuration back", async () => {
    expect(await scene().install({ automaticUpdates: "false" })).toMatchObject({ ok: true });
    expect(
      await words("apt-config dump | grep -c Docker; ls /etc/apt/apt.conf.d/60cloudcode-updates 2>/dev/null"),
    ).toBe("0");
    expect(await scene().install()).toMatchObject({ ok: true });
    expect(await words("apt-config dump | grep -c Docker")).toBe("1");
  });

  it("a repository that is not signed with Docker's key is refused, and apt works as before", async () => {
    await scene().machine.install("apt-utils", "gpg", "gpg-agent", "openssl", "python3");
    await scene().machine.run(foreignRepository);
    // As if Docker had come from the true one, and the setting now names another.
    const source = "/etc/apt/sources.list.d/cloudcode-docker.list";
    await words(`echo '# the true one' >${source}`);
    const files = await scene().files();
    const dockerAptRepository = "https://127.0.0.1:8443/linux";
    const { ok, said } = await scene().install({ dockerPackages: "docker-ce", dockerAptRepository });
    await words("systemctl stop foreign");
    expect([ok, said.split("\n")[0]]).toEqual([
      false,
      `cloudcode: ${dockerAptRepository} is not signed with Docker's key (9DC8 5822 9FC7 DD38 854A E2D8 8D81 803C 0EBF CD88): set dockerAptRepository to a true mirror, or dockerPackages to distribution`,
    ]);
    expect(await scene().files()).toBe(files);
    await words(`rm ${source}`);
  });
}

/** A mirror with a key of its own, which it also hands out where Docker's repository has Docker's. */
const foreignRepository = `
. /etc/os-release
rm -rf /root/repo /root/gpg
suite=/root/repo/linux/$ID/dists/$VERSION_CODENAME
mkdir -p $suite/stable/binary-amd64
: >$suite/stable/binary-amd64/Packages
cd $suite
release() { apt-ftparchive $(for part in "$@"; do echo "-o APT::FTPArchive::Release::$part"; done) release . ; }
release Origin=Docker Suite=$VERSION_CODENAME Codename=$VERSION_CODENAME Components=stable Architectures=amd64 >/tmp/Release
mv /tmp/Release .
export GNUPGHOME=/root/gpg
mkdir -m 700 /root/gpg
gpg --batch --quiet --quick-gen-key --passphrase '' mallory@example.com default default never
gpg --batch --clearsign -o InRelease Release
gpg --armor --export >/root/repo/linux/$ID/gpg
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -days 2 -keyout /root/repo.key -out /usr/local/share/ca-certificates/repo.crt
update-ca-certificates
cat >/root/serve.py <<'END'
import http.server, os, ssl
os.chdir("/root/repo")
http.server.SimpleHTTPRequestHandler.protocol_version = "HTTP/1.1"
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8443), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/usr/local/share/ca-certificates/repo.crt", "/root/repo.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
END
systemd-run --unit foreign python3 /root/serve.py
for _ in 1 2 3 4 5 6 7 8 9 10; do curl -fsS -o /dev/null https://127.0.0.1:8443/linux/$ID/gpg && exit; sleep 1; done
exit 1`;
