import type { System } from "../../../sandbox/host/base";

/** Something odd that a machine is brought into and out of again. */
export interface OddState {
  readonly name: string;
  /** Where it can be brought about. @default everywhere */
  readonly systems?: readonly System[];
  /** Settings of the stack. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly enter: string;
  readonly leave: string;
  /** `STATE CODE: SENTENCE -> FIX` of all that is found, sorted. */
  readonly found: readonly RegExp[];
}

/** Words of Perl that take a port at 127.0.0.1 for a while. */
const listen = (type: "STREAM" | "DGRAM", port: number) =>
  `socket(S, PF_INET, SOCK_${type}, 0); bind(S, sockaddr_in(${port}, inet_aton("127.0.0.1"))) or die; listen(S, 1); sleep 600`;

const daemon = (text: string) => `mkdir -p /etc/docker && printf '%s' '${text}' >/etc/docker/daemon.json`;
const noDaemon = "rm -rf /etc/docker";

/** What a machine without Docker may be in. */
export const states: readonly OddState[] = [
  {
    name: "nginx on 80 and 443",
    enter: `cp /etc/nginx/nginx.conf /root/nginx.conf
      printf 'server { listen 80; listen [::]:80; listen 443; }' >/etc/nginx/conf.d/two.conf; rm -f /etc/nginx/sites-enabled/default
      sed -i 's/listen \\[::\\]:80;//' /etc/nginx/conf.d/two.conf
      systemctl start nginx`,
    leave: "systemctl stop nginx; rm /etc/nginx/conf.d/two.conf",
    found: [/^red ports: nginx \(service nginx\) serves tcp port 80 -> systemctl disable --now nginx\.service$/],
  },
  {
    name: "a server on one address alone, of names that are traps for a terminal and a shell",
    // $$ is a dollar of the command that systemd starts.
    enter: `systemd-run --quiet --unit 'web@x\\x2d1' perl -MSocket -e '$$0 = "a\\e[2J;\\x24(x)"; ${listen("STREAM", 443)}'; sleep 1`,
    leave: "systemctl stop 'web@x\\x2d1.service'",
    found: [/^red ports: a\?\[2J;\$\(x\) \(service web@x\\x2d1\) serves tcp port 443 -> systemctl disable --now UNIT$/],
  },
  {
    name: "a server of HTTP/3 alone",
    enter: `systemd-run --quiet --unit quic perl -MSocket -e '${listen("DGRAM", 443)}'; sleep 1`,
    leave: "systemctl stop quic",
    found: [/^red ports: perl \(service quic\) serves udp port 443 -> systemctl disable --now quic\.service$/],
  },
  {
    name: "a socket of systemd",
    enter: `printf '[Socket]\\nListenStream=80\\n' >/etc/systemd/system/pages.socket
      printf '[Service]\\nExecStart=/bin/true\\n' >/etc/systemd/system/pages.service
      systemctl daemon-reload; systemctl start pages.socket`,
    leave: "systemctl stop pages.socket; rm /etc/systemd/system/pages.*; systemctl daemon-reload",
    found: [/^red ports: systemd serves tcp port 80 for pages\.socket -> systemctl disable --now pages\.socket$/],
  },
  {
    name: "a source of a vendor that is dead",
    enter: `echo 'deb [trusted=yes] http://user:pa55word@127.0.0.1:9/apt stable main' >/etc/apt/sources.list.d/vendor.list`,
    leave: "rm /etc/apt/sources.list.d/vendor.list",
    found: [
      /^warn apt-sources: apt gets nothing from http:\/\/127\.0\.0\.1:9\/apt: (?!.*pa55word).* -> fix or remove it: grep -rn '127\.0\.0\.1:9\/apt'/,
    ],
  },
  {
    name: "sources that are all dead",
    enter: `cp /etc/apt/sources.list /root/sources.list; sed -i 's#http[^ ]*#http://127.0.0.1:9/apt#' /etc/apt/sources.list`,
    leave: "cp /root/sources.list /etc/apt/sources.list",
    found: [/^red apt-sources: apt gets nothing from http:\/\/127\.0\.0\.1:9\/apt/],
  },
  {
    name: "a file of sources that apt cannot read",
    enter: `echo 'deb nonsense' >/etc/apt/sources.list.d/broken.list`,
    leave: "rm /etc/apt/sources.list.d/broken.list",
    found: [
      /^red apt-broken: apt does not work: .*broken\.list/,
      /^red apt-sources: apt cannot read its sources: .*broken\.list/,
    ],
  },
  {
    name: "a package that is installed by half",
    enter: `mkdir -p /root/half/DEBIAN
      printf 'Package: half\\nVersion: 1\\nArchitecture: all\\nMaintainer: x <x@example.com>\\nDescription: half\\n' >/root/half/DEBIAN/control
      printf '#!/bin/sh\\nexit 1\\n' >/root/half/DEBIAN/postinst; chmod 755 /root/half/DEBIAN/postinst
      dpkg-deb --build /root/half >/dev/null; ! dpkg --install /root/half.deb >/dev/null 2>&1`,
    leave: "dpkg --purge --force-all half >/dev/null 2>&1; rm -rf /root/half*",
    found: [/^red dpkg: these packages are installed by half: half -> dpkg --configure -a/],
  },
  {
    name: "a package whose needs are not met",
    enter: `mkdir -p /root/needy/DEBIAN
      printf 'Package: needy\\nVersion: 1\\nArchitecture: all\\nMaintainer: x <x@example.com>\\nDepends: nowhere-to-be-had\\nDescription: needy\\n' >/root/needy/DEBIAN/control
      dpkg-deb --build /root/needy >/dev/null; dpkg --install --force-depends /root/needy.deb >/dev/null 2>&1`,
    leave: "dpkg --purge needy >/dev/null 2>&1; rm -rf /root/needy*",
    found: [/^red apt-broken: packages that others need are missing: needy -> apt-get --fix-broken install$/],
  },
  {
    name: "an apt that somebody has just locked",
    enter: `systemd-run --quiet --unit locker perl -MFcntl -e '$$lock = pack("s s x4 q q i", F_WRLCK, 0, 0, 0, 0); open(F, ">>", "/var/lib/dpkg/lock-frontend"); fcntl(F, F_SETLK, $$lock) or die; sleep 600'; sleep 1`,
    leave: "systemctl stop locker",
    found: [/^warn apt-locked: perl \(process \d+\) keeps apt locked; it is waited for/],
  },
  {
    name: "held packages of Docker's",
    enter: "echo 'runc hold' | dpkg --set-selections 2>/dev/null; echo 'iptables hold' | dpkg --set-selections",
    leave: "echo 'iptables install' | dpkg --set-selections",
    found: [/^red apt-held: these packages are held, and get no update: iptables -> apt-mark unhold iptables$/],
  },
  {
    name: "no room for packages and images",
    enter: "mount -t tmpfs -o size=1m none /opt; mount -t tmpfs -o nr_inodes=20 none /var/cache/apt",
    leave: "umount /opt /var/cache/apt",
    found: [
      /^red disk: [01] MiB are free for \/opt \(on \/opt\), and 32 MiB are needed -> make room/,
      /^red inodes: \d+ inodes are free for \/var\/cache\/apt \(on \/var\/cache\/apt\), and 100 are needed -> /,
    ],
  },
  {
    name: "/opt and /tmp where nothing may be run",
    enter: "mount -t tmpfs -o noexec none /opt; mkdir -p /root/t; mount -t tmpfs -o noexec none /tmp",
    leave: "umount /opt /tmp",
    found: [
      /^red noexec: nothing may be run below \/opt: \/opt is mounted noexec -> mount -o remount,exec \/opt/,
      /^warn noexec-tmp: \/tmp is mounted noexec/,
    ],
  },
  {
    name: "a file system that is mounted read-only",
    enter: "mount -t tmpfs -o ro none /opt",
    leave: "umount /opt",
    found: [/^red read-only: \/opt cannot be written, not even by root: \/opt tmpfs .* -> mount -o remount,rw \/opt/],
  },
  {
    name: "a first boot that is not over",
    enter: `printf '[Service]\\nType=oneshot\\nExecStart=/bin/sleep 60\\n' >/etc/systemd/system/cloud-final.service
      systemctl daemon-reload; systemctl start --no-block cloud-final; sleep 1`,
    leave: "systemctl stop cloud-final; rm /etc/systemd/system/cloud-final.service; systemctl daemon-reload",
    found: [/^warn cloud-init: cloud-init has not come to the end of this machine's first boot/],
  },
  {
    name: "nothing where cloud-init is masked",
    enter: "systemctl mask cloud-init.service cloud-final.service cloud-init.target 2>/dev/null",
    leave: "systemctl unmask cloud-init.service cloud-final.service cloud-init.target 2>/dev/null",
    found: [],
  },
  {
    name: "a cloud-init that failed at this boot",
    enter: `mkdir -p /run/cloud-init; printf '{ "v1": { "datasource": null, "errors": ["runcmd failed: \\\\"x\\\\""] } }' >/run/cloud-init/result.json`,
    leave: "rm -r /run/cloud-init",
    found: [/^warn cloud-init-failed: cloud-init failed at this boot: runcmd failed/],
  },
  {
    name: "a daemon.json that is none",
    enter: daemon('{"log-driver": "syslog",}'),
    leave: noDaemon,
    found: [/^red daemon-json: \/etc\/docker\/daemon\.json is not valid JSON -> repair it/],
  },
  {
    name: "a daemon.json of another owner, for a Docker that is not there yet",
    enter: daemon(
      '{"hosts": ["unix:///var/run/docker.sock"], "iptables": false, "ip": "127.0.0.1", "userns-remap": "default", "live-restore": false, "default-address-pools": [{"base": "172.80.0.0/16", "size": 24}], "log-opts": {"syslog-address": "udp://192.0.2.1"}}',
    ),
    leave: noDaemon,
    found: [
      /^red daemon-hosts: hosts stands in/,
      /^red daemon-ip: Docker publishes ports at 127\.0\.0\.1 alone/,
      /^red daemon-userns: /,
      /^warn daemon-iptables: Docker sets no firewall rules here/,
      /^warn daemon-keys: these keys of \/etc\/docker\/daemon\.json get cloudcode's values: live-restore, default-address-pools -> /,
    ],
  },
  {
    name: "a network of the machine that covers Docker's",
    settings: { dockerAddressPool: "172.29.0.0/16" },
    enter: "ip route add 172.16.0.0/12 dev eth0",
    leave: "ip route del 172.16.0.0/12",
    found: [/^red address-pool: the network 172\.16\.0\.0\/12 \(eth0\) of this machine covers 172\.29\.0\.0\/16/],
  },
  {
    name: "nothing where a network of the machine takes a part of Docker's",
    settings: { dockerAddressPool: "172.29.0.0/16" },
    enter: "ip route add 172.29.7.0/24 dev eth0",
    leave: "ip route del 172.29.7.0/24",
    found: [],
  },
  {
    name: "other software that manages the machine",
    enter: "mkdir -p /etc/dokploy /usr/local/psa",
    leave: "rm -r /etc/dokploy /usr/local/psa",
    found: [/^warn panel: Dokploy is installed here \(\/etc\/dokploy\)/, /^warn panel: Plesk is installed here/],
  },
  {
    name: "ufw that lets only SSH in",
    enter: `mkdir -p /etc/ufw; cp /etc/ufw/ufw.conf /root/ufw.conf; sed -i 's/^ENABLED=.*/ENABLED=yes/' /etc/ufw/ufw.conf; systemctl start ufw
      printf '%s\\n' '### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in' >>/etc/ufw/user.rules`,
    leave: "cp /root/ufw.conf /etc/ufw/ufw.conf; sed -i '/tuple/d' /etc/ufw/user.rules; systemctl stop ufw",
    found: [
      /^warn ufw: ufw is on and does not let 80\/tcp 443\/tcp 443\/udp in: .* -> ufw allow 80\/tcp && ufw allow 443$/,
    ],
  },
  {
    name: "ufw-docker in the way of all containers",
    enter: `cp /etc/ufw/ufw.conf /root/ufw.conf; cp /etc/ufw/after.rules /root/after.rules; sed -i 's/^ENABLED=.*/ENABLED=yes/' /etc/ufw/ufw.conf; systemctl start ufw
      printf '%s\\n' '### tuple ### allow any 80,443 0.0.0.0/0 any 0.0.0.0/0 in' >>/etc/ufw/user.rules; echo ':DOCKER-USER - [0:0]' >>/etc/ufw/after.rules`,
    leave:
      "cp /root/ufw.conf /etc/ufw/ufw.conf; cp /root/after.rules /etc/ufw/after.rules; sed -i '/tuple/d' /etc/ufw/user.rules; systemctl stop ufw",
    found: [/^red ufw-docker: ufw-docker keeps visitors from all containers/],
  },
  {
    name: "an sshd whose configuration is broken",
    enter: "mkdir -p /run/sshd; echo 'Nonsense yes' >/etc/ssh/sshd_config.d/99-broken.conf",
    leave: "rm /etc/ssh/sshd_config.d/99-broken.conf",
    found: [/^red sshd: sshd refuses its own configuration, and would not start again: .* -> sshd -t says the same/],
  },
  {
    name: "a login shell that is none",
    enter: "usermod --shell /usr/bin/git-shell root",
    leave: "usermod --shell /bin/bash root",
    found: [/^warn login-shell: the login shell of root is \/usr\/bin\/git-shell, which .* -> chsh -s \/bin\/sh root$/],
  },
  {
    name: "nothing where the login shell is fish",
    enter: "usermod --shell /usr/bin/fish root",
    leave: "usermod --shell /bin/bash root",
    found: [],
  },
  {
    name: "a name server at the metadata's address",
    enter: "cp /etc/resolv.conf /root/resolv.conf; printf '\\nnameserver 169.254.169.253\\n' >>/etc/resolv.conf",
    leave: "cat /root/resolv.conf >/etc/resolv.conf",
    found: [
      /^red name-servers: this machine's name server \(.*169\.254\.169\.253\) is at an address of the cloud's metadata/,
    ],
  },
];

const busyHttpd = "tiny /bin/busybox httpd -f -p 80";

/** What a machine with a Docker may be in; a neighbour's container runs on it. */
export const dockerStates: readonly OddState[] = [
  {
    name: "nothing beside a Docker that can be used",
    systems: ["debian 13"],
    settings: { dockerPackages: "distribution" },
    enter: "true",
    leave: "true",
    found: [],
  },
  {
    name: "a Docker that is too old, and the containers on it",
    systems: ["debian 12"],
    enter: "true",
    leave: "true",
    found: [
      /^red docker-old: Docker 20 is too old \(25 is needed\) and has no Compose v2, and the one that dockerPackages selects cannot be installed next to it; it runs neighbour -> remove it, its data stay: apt-get remove docker\.io$/,
    ],
  },
  {
    name: "Traefik in a container",
    systems: ["debian 13"],
    settings: { dockerPackages: "distribution" },
    enter: `docker run --detach --name traefik-1 -p 80:80 -p 443:443 -p 443:443/udp --entrypoint /bin/busybox traefik:v3 httpd -f -p 80`,
    leave: "docker rm --force traefik-1",
    found: [
      /^red ports: the container traefik-1 \(traefik:v3\) serves port 80 -> docker update --restart no traefik-1 && docker stop traefik-1$/,
    ],
  },
  {
    name: "a container in the machine's own network",
    systems: ["debian 13"],
    settings: { dockerPackages: "distribution" },
    enter: `docker run --detach --name own-network --network host ${busyHttpd}; sleep 1`,
    leave: "docker rm --force own-network",
    found: [
      /^red ports: busybox in the container own-network serves tcp port 80 -> docker update --restart no own-network && /,
    ],
  },
  {
    name: "nothing where the ports are our own",
    systems: ["debian 13"],
    settings: { dockerPackages: "distribution" },
    enter: `docker run --detach --name edge --label com.docker.compose.project=cloudcode-edge -p 80:80 -p 443:443 ${busyHttpd}`,
    leave: "docker rm --force edge",
    found: [],
  },
  {
    name: "a swarm, and its service on port 80",
    systems: ["debian 13"],
    settings: { dockerPackages: "distribution" },
    enter: `docker swarm init >/dev/null
      docker service create --quiet --detach --name pages --publish 80:80 --no-resolve-image ${busyHttpd}; sleep 3`,
    leave: "docker swarm leave --force",
    found: [
      /^red ports: the swarm service pages serves port 80 -> docker service rm pages, or docker swarm leave --force$/,
      /^warn swarm: Docker is in swarm mode \(pages\).* -> docker swarm leave --force/,
    ],
  },
  {
    name: "a swarm whose Docker does not start",
    systems: ["debian 13"],
    settings: { dockerPackages: "distribution" },
    enter: `docker swarm init >/dev/null; cp /etc/docker/daemon.json /root/daemon.json 2>/dev/null || true
      kill -STOP $(pgrep -x docker-proxy) 2>/dev/null; ${daemon('{"live-restore": true, "iptables": false}')}
      ! timeout 30 systemctl restart docker`,
    leave: `rm /etc/docker/daemon.json; systemctl reset-failed docker docker.socket; systemctl restart docker; docker swarm leave --force; docker start neighbour`,
    found: [
      /^red docker-stopped: Docker is installed and does not start: .*-> fix what it names/,
      /^warn daemon-iptables: /,
      /^warn failed-units: .*docker\.service/,
      /^warn swarm: Docker is in swarm mode/,
    ],
  },
  {
    name: "a root that speaks to another Docker",
    systems: ["debian 13"],
    settings: { dockerPackages: "distribution" },
    enter: `mkdir -p /root/.docker; echo 'DOCKER_HOST=tcp://192.0.2.1:2375' >>/etc/environment`,
    leave: "sed -i /DOCKER_HOST/d /etc/environment",
    found: [/^red docker-host: root's docker connects to tcp:\/\/192\.0\.2\.1:2375 instead/],
  },
  {
    name: "flags of dockerd that stand for keys",
    systems: ["debian 13"],
    settings: { dockerPackages: "distribution" },
    enter: `mkdir -p /etc/systemd/system/docker.service.d
      printf '[Service]\\nExecStart=\\nExecStart=/usr/sbin/dockerd -H fd:// --ip 127.0.0.1 --live-restore\\n' >/etc/systemd/system/docker.service.d/x.conf
      systemctl daemon-reload; systemctl restart docker`,
    leave: "rm /etc/systemd/system/docker.service.d/x.conf; systemctl daemon-reload; systemctl restart docker",
    found: [/^red daemon-ip: Docker publishes ports at 127\.0\.0\.1 alone/],
  },
];
