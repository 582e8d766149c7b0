import { z } from "zod";
import * as check from "../checks";
import { choice, bool, list, secret, text, integer } from "../setting";

/** Where the host comes from, and what is true of the whole stack. */
export const targetSettings = {
  target: choice(["alicloud", "existing"], "is neither alicloud nor existing", {
    description:
      "Where the host comes from: alicloud (network, machine, disk and address are created on Alibaba Cloud) or existing (a machine reachable over SSH).",
    example: "existing",
    default: "alicloud",
  }),
  domain: text(check.cookieDomain, {
    description:
      "Domain of the Apps; it and *.domain must point to the host. NAME.duckdns.org and NAME.dedyn.io are free (see domainToken). Default: <address>.sslip.io, a name shared with strangers: browsers treat their pages as the same site as yours, and all share one certificate rate limit.",
    example: "home.example.com",
  }),
  domainProvider: text(z.enum(["cloudflare"], "is not cloudflare"), {
    description:
      "cloudflare: the program creates the A and AAAA records of domain and of *.domain in your zone at Cloudflare. Default: the records of a free domain are maintained by the host (see domainToken), those of a zone in Alibaba Cloud DNS are created with the target alicloud, all others are yours to create.",
    example: "cloudflare",
  }),
  domainToken: secret(check.accessToken, {
    description:
      "Token for the DNS records of the domain. Of the provider of a free domain, NAME.duckdns.org (https://www.duckdns.org) or NAME.dedyn.io (https://desec.io): with it the host maintains the records of the domain and of all names below it. Or, with domainProvider cloudflare, an API token of Cloudflare with the permissions Zone: Read and DNS: Edit for that zone.",
    example: "01234567-89ab-cdef-0123-456789abcdef",
  }),
  domainAddress: text(check.ipAddress, {
    description:
      "IP address that the records of the domain get, such as that of a VPN, if domainToken is set. Default: the public address of the host.",
    example: "192.168.1.5",
  }),
  standby: bool({
    description:
      "Whether this machine waits for a home that npm run ops -- move brings: the Apps are installed and not started, and no DNS records are made. That command sets and removes it.",
    example: "true",
    default: false,
  }),
  sshCidrs: list(check.cidr, {
    description:
      "Networks that may connect to SSH on the host; required for alicloud (find yours: curl -4 https://ifconfig.me). Default: the host's own firewall decides.",
    example: "'[\"203.0.113.0/24\"]'",
    default: [],
  }),
  webCidrs: list(check.cidr, {
    description:
      "Networks that may connect to the Apps (ports 80 and 443); only with acmeDns, because certificate authorities connect from everywhere otherwise. With the target existing your own firewall enforces it. Default: everywhere.",
    example: "'[\"203.0.113.0/24\"]'",
    default: [],
  }),
  timeZone: text(check.timeZone, {
    description: "Time zone of the containers.",
    example: "Asia/Singapore",
    default: "UTC",
  }),
  deleteData: bool({
    description: "Whether removing an App, or everything, also deletes its data.",
    example: "true",
    default: false,
  }),
};

/** A machine that is there already. */
export const existingSettings = {
  hostAddress: text(check.address, { description: "IP address or name of the host.", example: "203.0.113.7" }),
  hostPort: integer(1, 65535, { description: "SSH port of the host.", example: "22", default: 22 }),
  hostUser: text(check.unixUser, {
    description: "SSH user: root, or a user who may use sudo without a password.",
    example: "root",
    default: "root",
  }),
  hostPrivateKey: secret(check.privateKey, {
    description: "SSH private key of that user, without a passphrase (PEM or OpenSSH format).",
    example: "< ~/.ssh/id_ed25519",
  }),
  hostKey: text(check.hostKey, {
    description:
      "SSH host key of the host, pinned: its key type and base64, as ssh-keyscan or the machine's console prints it.",
    example: '"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP6EyXTbGNhwwWaLlb18EZWpMGcMx2ioZ3wmeVQ3q9aB"',
  }),
  hostWaitSeconds: integer(5, 3600, {
    description: "Longest time to wait for the host to answer SSH, in seconds.",
    example: "600",
    default: 600,
  }),
};
