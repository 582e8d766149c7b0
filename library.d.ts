// Written by `npm run settings` from the settings table (components/settings/table.ts): edit that, or scripts/library-types.ts.
import * as pulumi from "@pulumi/pulumi";

/** An existing machine. */
export interface ExistingTarget {
  readonly kind: "existing";
  /** IP address or name of the host. */
  readonly hostAddress: string;
  /** SSH port of the host. Default: 22. */
  readonly hostPort?: number | undefined;
  /** SSH user: root, or a user who may use sudo without a password. Default: root. */
  readonly hostUser?: string | undefined;
  /** SSH private key of that user, without a passphrase (PEM or OpenSSH format). */
  readonly hostPrivateKey: pulumi.Input<string>;
  /** SSH host key of the host, pinned: its key type and base64, as ssh-keyscan or the machine's console prints it. */
  readonly hostKey: string;
  /** Longest time to wait for the host to answer SSH, in seconds. Default: 600. */
  readonly hostWaitSeconds?: number | undefined;
  /** Whether domain has an ICP filing; without one, mainland China blocks the site and its certificates. Default: false. */
  readonly icpFiled?: boolean | undefined;
}

/** Network, machine, disk and address are created on Alibaba Cloud. */
export interface AlicloudTarget {
  readonly kind: "alicloud";
  /** Region of Alibaba Cloud (https://www.alibabacloud.com/help/en/ecs/user-guide/regions-and-zones). Default: ap-southeast-1. */
  readonly region?: string | undefined;
  /** Whether domain has an ICP filing; without one, mainland China blocks the site and its certificates. Default: false. */
  readonly icpFiled?: boolean | undefined;
  /** stopped: the machine is off and not billed, disks and address are kept. Nothing on the host is changed while it is off. Default: running. */
  readonly power?: "running" | "stopped" | undefined;
  /** Acceptable instance types; a new machine gets the cheapest in stock within the budget and keeps it, another list gives it the first one that can be had. Default: ["ecs.e-c1m2.large","ecs.t6-c1m2.large","ecs.u1-c1m2.large","ecs.c7.large"]. */
  readonly instanceTypes?: readonly string[] | undefined;
  /** Acceptable zones of the region. Default: all. Default: []. */
  readonly zones?: readonly string[] | undefined;
  /** Acceptable categories of both disks; a new machine gets the cheapest, then kept. Default: ["cloud_essd_entry","cloud_essd","cloud_auto"]. */
  readonly diskCategories?: readonly string[] | undefined;
  /** System image of the machine; a change replaces the machine and keeps the data. Default: the newest Ubuntu 24.04 at creation. */
  readonly hostImage?: string | undefined;
  /** Machine that `npm run ops -- import-state` adopted from the old CLI; it keeps its zone, type, disk category and image. */
  readonly adoptedInstance?: string | undefined;
  /** Size of the system disk, in GiB; it contains the system and the sources of images, but no data. Default: 20. */
  readonly systemDiskGiB?: number | undefined;
  /** Size of the encrypted data disk, in GiB; you can enlarge it later. Default: 20. */
  readonly dataDiskGiB?: number | undefined;
  /** Bandwidth limit of the public address, in Mbit/s; traffic is billed by volume. Default: 20. */
  readonly bandwidthMbps?: number | undefined;
  /** Outbound traffic in the price estimate, in GB a month. Default: 5. */
  readonly trafficGbPerMonth?: number | undefined;
  /** How the machine is billed: payAsYouGo, spot (Alibaba Cloud can take it away at any time) or subscription. Default: payAsYouGo. */
  readonly charge?: "payAsYouGo" | "spot" | "subscription" | undefined;
  /** Highest price of a spot machine, in USD an hour. Default: up to the pay-as-you-go price. */
  readonly spotPriceLimitUsd?: number | undefined;
  /** Whether npm run ops -- heal buys a pay-as-you-go machine when no spot machine can be had in the zone of the data disk; after 24 hours it looks for a spot machine again. Default: false. */
  readonly spotFallback?: boolean | undefined;
  /** Length of the subscription, in months; after that it renews itself for one month each time. Default: 1. */
  readonly subscriptionMonths?: number | undefined;
  /** Highest acceptable price of a month, in USD; what has no price is refused. 0: no limit. An account that is billed in another currency needs budget. Default: 30. */
  readonly budgetUsd?: number | undefined;
  /** The same in the account's currency, in place of budgetUsd. Default: budgetUsd. */
  readonly budget?: number | undefined;
  /** Days that the weekly snapshots of the data disk are kept. Default: 28. */
  readonly snapshotRetentionDays?: number | undefined;
  /** Snapshot from which the data disk is created; it has no effect on an existing disk. */
  readonly restoreFromSnapshot?: string | undefined;
  /** Whether pulumi destroy takes a final snapshot of the data disk, which stays (only with deleteData). Default: false. */
  readonly finalSnapshot?: boolean | undefined;
  /** Whether Alibaba Cloud and Pulumi refuse to delete the machine and its address. Default: false. */
  readonly protectMachine?: boolean | undefined;
  /** An existing VPC to use. Default: a new one. */
  readonly vpcId?: string | undefined;
  /** An existing vSwitch in vpcId to use. Default: a new one. */
  readonly vswitchId?: string | undefined;
  /** Network of a new VPC. Default: 192.168.0.0/16. */
  readonly vpcCidr?: string | undefined;
  /** Network of a new vSwitch, within the VPC's. Default: 192.168.1.0/24. */
  readonly vswitchCidr?: string | undefined;
  /** Whether the machine also has a public IPv6 address. Default: false. */
  readonly ipv6?: boolean | undefined;
  /** The IPv6 gateway of vpcId, if it already has one: a VPC can have only one. Default: a new one. */
  readonly ipv6GatewayId?: string | undefined;
  /** Resource group of everything that is created. Default: the account's. */
  readonly resourceGroupId?: string | undefined;
  /** Longest time to wait for the host to answer SSH, in seconds. Default: 600. */
  readonly hostWaitSeconds?: number | undefined;
}

/** The Apps; an App that is listed is on. */
export interface Apps {
  /** See docs/apps/opencode.md. */
  readonly opencode?:
    | {
  /** Subdomain of OpenCode. Default: code. */
    readonly subdomain?: string | undefined;
    /** Web terminal for OpenCode's workspace, at /terminal. Default: true. */
    readonly terminal?: boolean | undefined;
    /** Memory limit of OpenCode and everything that runs in its workspace, in MiB. Default: 2048. */
    readonly memoryMiB?: number | undefined;
    /** Memory limit of the server of OpenCode's web terminal, in MiB. What runs in the terminal counts toward opencodeMemoryMiB. Default: 1024. */
    readonly terminalMemoryMiB?: number | undefined;
    /** Budget of disk space for OpenCode's home folder, in GiB: npm run ops -- status warns from 80 % and is red at 100 %; nothing is deleted or refused. Not set: it warns when little of the disk is free. */
    readonly diskGiB?: number | undefined;
    /** Version of OpenCode. 2.x migrates the data of 1.x permanently: the host keeps a copy first, and npm run ops -- rollback opencode restores version and data. Default: 1.18.33. */
    readonly version?: string | undefined;
    /** Debian packages to install in OpenCode's workspace, when its image is built. Default: []. */
    readonly packages?: readonly string[] | undefined;
    /** Ports of dev servers in OpenCode's workspace, each shown at https://PORT-SUBDOMAIN.DOMAIN after the sign-in, such as 3000-code.DOMAIN. Default: []. */
    readonly previews?: readonly number[] | undefined;
    /** Number of sandboxes of lwsandbox that OpenCode's agent may have at a time: there it runs code apart from the workspace and its keys. Needs lwsandboxEnabled. 0: none. Default: 0. */
    readonly sandboxes?: number | undefined;
    /** Names of OpenCode's own clients, such as opencode attach and its desktop and phone apps. Each gets a key: pulumi stack output deviceKeys --show-secrets. Default: []. */
    readonly devices?: readonly string[] | undefined;
    /** Key of Anthropic's API, for OpenCode. */
    readonly anthropicApiKey?: pulumi.Input<string> | undefined;
    /** Key of OpenAI's API, for OpenCode. */
    readonly openaiApiKey?: pulumi.Input<string> | undefined;
    /** Address of an OpenAI-compatible API, for OpenCode. */
    readonly openaiBaseUrl?: string | undefined;
    /** More model providers for OpenCode: name, kind (openai, openai-compatible, anthropic, anthropic-compatible), baseUrl, models, default (the model that OpenCode starts with), small (the model for titles) and prices (USD for a million tokens, by model: input, output, cacheRead, cacheWrite). Default: []. */
    readonly providers?: readonly Readonly<Record<string, unknown>>[] | undefined;
    /** Models of the donation site that OpenCode may use through CLIProxyAPI, as the provider `donation` with its own key. Needs donationEnabled. Default: []. */
    readonly donationModels?: readonly string[] | undefined;
    /** API keys of opencodeProviders, by name. */
    readonly providerKeys?: pulumi.Input<string> | undefined;
    /** Most that OpenCode's models may cost in a month, in USD as OpenCode counts it: there is news at 50, 80 and 100 %. At 100 % models that have a key from this configuration give no more answers until npm run ops -- cost --allow or the next month. OpenCode then calls them by way of Caddy and does not have the keys itself. Needs notify. */
    readonly monthlyLimitUsd?: number | undefined;
      }
    | undefined;
  /** See docs/apps/tg-signer.md. */
  readonly tgSigner?:
    | {
  /** Subdomain of TG Signer. Default: tg. */
    readonly subdomain?: string | undefined;
    /** api_id of your Telegram app, from https://my.telegram.org. Needed by TG Signer. */
    readonly apiId?: number | undefined;
    /** api_hash of the same Telegram app. Needed by TG Signer. */
    readonly apiHash?: pulumi.Input<string> | undefined;
    /** Proxy to Telegram, if the host cannot reach it: socks5://, socks4:// or http://. Special characters of user and password as %xx. */
    readonly proxy?: pulumi.Input<string> | undefined;
    /** Password of TG Signer's own user admin; it replaces a password that was set in TG Signer's pages. Default: generated; see pulumi stack output appLogins --show-secrets. */
    readonly adminPassword?: pulumi.Input<string> | undefined;
    /** Which login comes before TG Signer's own: authelia, or basic (a password that Caddy asks for; no second factor; after 5 wrong passwords an address waits 15 minutes). Default: authelia. */
    readonly outerLogin?: "authelia" | "basic" | undefined;
    /** User of the login that Caddy asks for. Default: admin. */
    readonly basicUsername?: string | undefined;
    /** Password of the login that Caddy asks for. Default: generated. */
    readonly basicPassword?: pulumi.Input<string> | undefined;
    /** Memory limit of TG Signer, in MiB. Default: 512. */
    readonly memoryMiB?: number | undefined;
    /** WebDAV server that TG Signer backs up to, by https:// since sessions travel there. Warning: where the backup there is not what this host wrote last, a start of TG Signer deletes its sessions and tasks and loads that backup. */
    readonly webdavUrl?: string | undefined;
    /** User of the WebDAV server. */
    readonly webdavUsername?: string | undefined;
    /** Password of the WebDAV server. */
    readonly webdavPassword?: pulumi.Input<string> | undefined;
    /** Folder or file of the backup on the WebDAV server. */
    readonly webdavPath?: string | undefined;
    /** Longest time between a change and its backup, in seconds. Default: 300. */
    readonly webdavIntervalSeconds?: number | undefined;
    /** Password that encrypts this backup, which gives full access to your Telegram accounts. */
    readonly webdavEncryptionKey?: pulumi.Input<string> | undefined;
    /** Confirms that a backup on the WebDAV server that this host did not write replaces the data on the host's volume at a start of TG Signer. Default: false. */
    readonly webdavReplacesVolume?: boolean | undefined;
      }
    | undefined;
  /** See docs/apps/donation.md. */
  readonly donation?:
    | {
  /** Subdomain of the donation site. Default: donate. */
    readonly subdomain?: string | undefined;
    /** Subdomain of the model proxy (CLIProxyAPI) of the donation site. Default: models. */
    readonly proxySubdomain?: string | undefined;
    /** Client id at https://connect.linux.do, with the redirect URI https://SUBDOMAIN.DOMAIN/linuxdo/callback. Needed by the donation site. */
    readonly linuxDoClientId?: string | undefined;
    /** Secret of that client. Needed by the donation site. */
    readonly linuxDoClientSecret?: pulumi.Input<string> | undefined;
    /** Where visitors log in (OAuth 2.0 authorization endpoint). Default: https://connect.linux.do/oauth2/authorize. */
    readonly linuxDoAuthUrl?: string | undefined;
    /** OAuth 2.0 token endpoint of the same server. Default: https://connect.linux.do/oauth2/token. */
    readonly linuxDoTokenUrl?: string | undefined;
    /** User information endpoint of the same server. Default: https://connect.linux.do/api/user. */
    readonly linuxDoUserUrl?: string | undefined;
    /** Numeric ids of the Linux Do users who administer the donation site. Default: []. */
    readonly adminLinuxDoIds?: readonly string[] | undefined;
    /** Quota that one donation gives, in new-api's units (500000 are one US dollar there). Default: 2000000. */
    readonly quotaAmount?: number | undefined;
    /** Where donors reach you when their quota could not be added: an https:// or mailto: address. */
    readonly contact?: string | undefined;
    /** Address of the new-api server. Needed by the donation site. */
    readonly newApiUrl?: string | undefined;
    /** System access token of an administrator of new-api. Needed by the donation site. */
    readonly newApiAdminToken?: pulumi.Input<string> | undefined;
    /** Numeric id of that administrator at new-api; older versions of new-api need both. */
    readonly newApiAdminUser?: number | undefined;
      }
    | undefined;
  /** See docs/apps/casecheck.md. */
  readonly casecheck?:
    | {
  /** How CaseCheck is reached: caddy (a subdomain behind the sign-in portal) or tunnel (a Cloudflare Tunnel, without the sign-in portal; it opens no port on the host). Default: caddy. */
    readonly published?: "caddy" | "tunnel" | undefined;
    /** Subdomain of CaseCheck, if Caddy publishes it. Default: casecheck. */
    readonly subdomain?: string | undefined;
    /** Opens CaseCheck's pages and API to people who cannot pass the sign-in portal, such as participants who check in; they still sign in to CaseCheck. Default: false. */
    readonly open?: boolean | undefined;
    /** Lets anyone who can reach CaseCheck create an account, if it is open or published through a tunnel; the number of accounts has no limit. Without it, only people who have signed in at the portal can create one, and nobody through a tunnel. Default: false. */
    readonly openRegistration?: boolean | undefined;
    /** Origins of front ends of CaseCheck that are elsewhere, such as Cloudflare Pages: their scripts may call its API, without any cookie. It must be open or published through a tunnel. Default: []. */
    readonly origins?: readonly string[] | undefined;
    /** Shows the description of CaseCheck's API (/docs, /redoc) behind the sign-in portal, at casecheckSubdomain also if a tunnel publishes CaseCheck. Default: false. */
    readonly docs?: boolean | undefined;
    /** Token of a Cloudflare Tunnel that you created by hand. Its public hostname must route to http://web:8080 (Cloudflare: Zero Trust, Networks, Tunnels). Use it instead of casecheckCloudflareApiToken. */
    readonly tunnelToken?: pulumi.Input<string> | undefined;
    /** Public hostname of the Cloudflare Tunnel. */
    readonly tunnelHost?: string | undefined;
    /** Cloudflare API token that creates the tunnel, its public hostname, Access and the firewall's rules (permissions: Cloudflare Tunnel: Edit, Access: Apps and Policies: Edit, and in the zone DNS: Edit, Zone: Read and Zone WAF: Edit; casecheckFirewall needs the last two). */
    readonly cloudflareApiToken?: pulumi.Input<string> | undefined;
    /** Cloudflare account ID, from the overview of the zone. */
    readonly cloudflareAccountId?: string | undefined;
    /** Zone ID of the domain that casecheckTunnelHost is in, from the same page. */
    readonly cloudflareZoneId?: string | undefined;
    /** Adds rules to the firewall of the zone at Cloudflare, for casecheckTunnelHost: a limit on sign-in, registration and check-in, a rule against crawlers and scanners, and Cloudflare's managed rules, as far as the plan of the zone has them. All other rules of the zone stay. Only with casecheckCloudflareApiToken. Default: true. */
    readonly firewall?: boolean | undefined;
    /** Mail addresses that Cloudflare Access admits, with a code that it sends to them. Default: everybody is admitted. Default: []. */
    readonly accessEmails?: readonly string[] | undefined;
    /** IDs of identity providers of your Cloudflare account: Access admits everybody who can sign in there, so name none where anybody can get an account, such as Google. Default: []. */
    readonly accessIdentityProviders?: readonly string[] | undefined;
    /** IDs of rule groups of Cloudflare Access, which can name groups of an identity provider, mail domains and more: Access admits their members. Default: []. */
    readonly accessGroups?: readonly string[] | undefined;
    /** IDs of service tokens of Cloudflare Access: programs that send such a token are admitted. Default: []. */
    readonly accessServiceTokens?: readonly string[] | undefined;
    /** Password of CaseCheck's user admin. Default: generated; see pulumi stack output appLogins --show-secrets. */
    readonly adminPassword?: pulumi.Input<string> | undefined;
    /** Memory limit of CaseCheck's API, in MiB; its other services have fixed limits. Default: 384. */
    readonly memoryMiB?: number | undefined;
    /** How many daily dumps of CaseCheck's database are kept in its volume backups. Default: 7. */
    readonly backupsKept?: number | undefined;
      }
    | undefined;
  /** See docs/apps/lwsandbox.md. */
  readonly lwsandbox?:
    | {
  /** Subdomain of lwsandbox. Default: sandbox. */
    readonly subdomain?: string | undefined;
    /** User name of lwsandbox's own login; it cannot be changed after the first start. Default: admin. */
    readonly adminUsername?: string | undefined;
    /** Password of that user; a new one replaces a password that was set in the pages. Default: generated; see pulumi stack output appLogins --show-secrets. */
    readonly adminPassword?: pulumi.Input<string> | undefined;
    /** Lifetime of a session of that login, in seconds. Default: 86400. */
    readonly sessionMaxAge?: number | undefined;
    /** Minimum memory of the host, in MiB; a machine sold with 8 GiB has slightly less. Default: 7168. */
    readonly minimumMemoryMiB?: number | undefined;
    /** Number of additional machines that run sandboxes (target alicloud). They are created, and drained and deleted when you lower the number. Default: 0. */
    readonly workers?: number | undefined;
    /** Instance type of those machines. Default: the host's. */
    readonly workerType?: string | undefined;
    /** The same for the target existing: one line for each machine, as ssh-keyscan -t ed25519 ADDRESS prints it. hostUser and hostPrivateKey are used to log in there, too. Default: []. */
    readonly workerHosts?: readonly string[] | undefined;
    /** Origins of web pages whose scripts may call lwsandbox's API, with a key of its own and never with a session. Pages of other origins may not. Default: []. */
    readonly origins?: readonly string[] | undefined;
    /** Answers monitors at /health of lwsandbox without the sign-in: up (200) or down (503), and nothing else. Default: false. */
    readonly health?: boolean | undefined;
    /** Version of k3s that runs the sandboxes, and the SHA-256 checksums of its two files k3s and k3s-airgap-images-amd64.tar.zst (in the release's sha256sum-amd64.txt). Default: {"version":"v1.34.2+k3s1","binarySha256":"15811d34187e03fe29d0e46108c42cc33e62cec1b3d9d80f50944536ebcad40a","imagesSha256":"24359781bd775f513691e98031853d79eac53e265f7d72d1e7325df4f3b18eb0"}. */
    readonly k3s?: Readonly<Record<string, string>> | undefined;
    /** URL of a folder from which those two files are downloaded. Default: k3s's releases on GitHub, with network mainland the mirror k3s. */
    readonly k3sUrl?: string | undefined;
      }
    | undefined;
}

/** Arguments of a Home: the settings of docs/settings.md. Those of the target and of each App are nested. */
export interface HomeArgs {
  /** Where the machine comes from. */
  readonly target: ExistingTarget | AlicloudTarget;
  /** Default: OpenCode. */
  readonly apps?: Apps | undefined;
  /** Domain of the Apps; it and *.domain must point to the host. NAME.duckdns.org and NAME.dedyn.io are free (see domainToken). Default: <address>.sslip.io, a name shared with strangers: browsers treat their pages as the same site as yours, and all share one certificate rate limit. */
  readonly domain?: string | undefined;
  /** cloudflare: the program creates the A and AAAA records of domain and of *.domain in your zone at Cloudflare. Default: the records of a free domain are maintained by the host (see domainToken), those of a zone in Alibaba Cloud DNS are created with the target alicloud, all others are yours to create. */
  readonly domainProvider?: "cloudflare" | undefined;
  /** Token for the DNS records of the domain. Of the provider of a free domain, NAME.duckdns.org (https://www.duckdns.org) or NAME.dedyn.io (https://desec.io): with it the host maintains the records of the domain and of all names below it. Or, with domainProvider cloudflare, an API token of Cloudflare with the permissions Zone: Read and DNS: Edit for that zone. */
  readonly domainToken?: pulumi.Input<string> | undefined;
  /** IP address that the records of the domain get, such as that of a VPN, if domainToken is set. Default: the public address of the host. */
  readonly domainAddress?: string | undefined;
  /** Whether this machine waits for a home that npm run ops -- move brings: the Apps are installed and not started, and no DNS records are made. That command sets and removes it. Default: false. */
  readonly standby?: boolean | undefined;
  /** Networks that may connect to SSH on the host; required for alicloud (find yours: curl -4 https://ifconfig.me). Default: the host's own firewall decides. Default: []. */
  readonly sshCidrs?: readonly string[] | undefined;
  /** Networks that may connect to the Apps (ports 80 and 443); only with acmeDns, because certificate authorities connect from everywhere otherwise. With the target existing your own firewall enforces it. Default: everywhere. Default: []. */
  readonly webCidrs?: readonly string[] | undefined;
  /** Time zone of the containers. Default: UTC. */
  readonly timeZone?: string | undefined;
  /** Whether removing an App, or everything, also deletes its data. Default: false. */
  readonly deleteData?: boolean | undefined;
  /** Name with which the operator signs in. Default: admin. */
  readonly adminUsername?: string | undefined;
  /** The operator's first password. Default: generated; see pulumi stack output adminPassword --show-secrets. */
  readonly adminPassword?: pulumi.Input<string> | undefined;
  /** The operator's mail address, for one-time codes and alerts. Default: adminUsername@domain. */
  readonly adminEmail?: string | undefined;
  /** Up to four more people, each with a name, a mail address and the Apps that they reach. They have passwords and second factors of their own, but share the Apps' data with you: an App that gives you a shell gives them the same. First passwords: pulumi stack output peoplePasswords --show-secrets. See docs/people.md. Default: []. */
  readonly people?: readonly Readonly<Record<string, unknown>>[] | undefined;
  /** After how long without a request a session ends. The default lets you open your phone the next morning without signing in; a shared device wants 30m. Default: 1d. */
  readonly sessionInactivity?: string | undefined;
  /** After how long a session ends, however busy it is. The default is a week of one person's own devices; a shared device wants 12h. Default: 7d. */
  readonly sessionLifetime?: string | undefined;
  /** How long a device stays signed in that was asked to be remembered, with or without requests; off: the sign-in page does not offer it. Default: 1M. */
  readonly sessionRemembered?: string | undefined;
  /** Mail server for one-time codes: submission://, submissions:// or smtp://. Default: codes go to a file on the host. */
  readonly smtpAddress?: string | undefined;
  /** User of the mail server. */
  readonly smtpUsername?: string | undefined;
  /** Password of the mail server. */
  readonly smtpPassword?: pulumi.Input<string> | undefined;
  /** Sender of mails. Default: adminEmail. */
  readonly smtpSender?: string | undefined;
  /** Contact address for the certificate authorities: ZeroSSL requires one and sends mail to it, Let's Encrypt refuses addresses at example.com. Default: adminEmail, else hostmaster@domain. */
  readonly acmeEmail?: string | undefined;
  /** ACME directories of certificate authorities, in the order in which they are tried; Caddy's internal authority is always the last resort. Default: ["https://acme-v02.api.letsencrypt.org/directory","https://acme.zerossl.com/v2/DV90"]. */
  readonly acmeDirectories?: readonly string[] | undefined;
  /** DNS provider of the domain, by which certificates are issued (the ACME challenge DNS-01), so that no port has to be open to the internet: alidns, cloudflare, desec, digitalocean, duckdns, hetzner, ionos, linode, namecheap, netcup, ovh, porkbun, rfc2136, route53, tencentcloud, vultr; or the Go module of another one of https://github.com/caddy-dns with its version. Caddy is then built on the host, with this module. Default: certificate authorities connect to ports 80 and 443. */
  readonly acmeDns?: string | undefined;
  /** Credentials of acmeDns: its token, or a JSON object if it needs several values (docs/domain.md lists them). Default: domainToken, if that is for the same provider. */
  readonly acmeDnsCredentials?: pulumi.Input<string> | undefined;
  /** One certificate for *.domain in place of one for each App; only with acmeDns. Default: false. */
  readonly acmeWildcard?: boolean | undefined;
  /** PEM root certificate of the ACME servers themselves, for a private certificate authority. */
  readonly acmeTrustedRoot?: string | undefined;
  /** Lifetime of a certificate from the internal authority, in minutes; after two thirds of it the public authorities are tried again. Default: 60. */
  readonly fallbackCertificateMinutes?: number | undefined;
  /** From where the host and its image builds download: world (where each thing is published) or mainland (mirrors that serve mainland China; what cannot work there is refused). Default: world. */
  readonly network?: "world" | "mainland" | undefined;
  /** Mirrors that replace the default ones of network mainland, by name: apt, dockerApt, dockerHub, ghcr, npm, pypi, go, k3s. npm run ops -- doctor --host times them. Default: {}. */
  readonly mirrors?: Readonly<Record<string, string>> | undefined;
  /** Where Docker comes from: docker-ce (Docker's repository) or distribution (the host's own packages). Default: docker-ce. */
  readonly dockerPackages?: "docker-ce" | "distribution" | undefined;
  /** Docker's package repository or a mirror of it. Default: https://download.docker.com/linux, with network mainland the mirror dockerApt. */
  readonly dockerAptRepository?: string | undefined;
  /** Mirrors of Docker Hub that the host pulls from; with network mainland the mirror dockerHub if there are none. Default: []. */
  readonly registryMirrors?: readonly string[] | undefined;
  /** Private registry with all images, used in place of docker.io. */
  readonly imageRegistry?: string | undefined;
  /** Image references that replace the pinned ones, by name: authelia, caddy, caddyBuilder, cliProxyApi, cloudflared, debian, liteboxdGateway, liteboxdServer, liteboxdWeb, opa, postgres, python311, python312, restic, ttyd, valkey. Default: {}. */
  readonly images?: Readonly<Record<string, string>> | undefined;
  /** Git commits that replace the pinned ones which images are built from, by name: casecheck, tgSigner. An address that ends in .bundle is a Git bundle with the commit, which any web server can hold. Default: {}. */
  readonly sources?: Readonly<Record<string, string>> | undefined;
  /** DNS servers of the containers. Default: the host's. Default: []. */
  readonly dockerDns?: readonly string[] | undefined;
  /** Network from which Docker takes the networks of the Apps (a /24 each). Default: 10.201.0.0/16. */
  readonly dockerAddressPool?: string | undefined;
  /** Size of the swap file, in MiB, if the host has no swap; 0 for none. Default: 2048. */
  readonly swapMiB?: number | undefined;
  /** Time server of the host. Default: the distribution's. */
  readonly ntpServer?: string | undefined;
  /** Where restic stores backups: oss (a bucket on Alibaba Cloud and a key for this bucket only, both created for you; needs target alicloud and docs/ram-policy-oss.json), s3:https://HOST/BUCKET/PATH, sftp://USER@HOST:PORT//PATH, or /PATH on the host. Default: no backups. */
  readonly backupRepository?: string | undefined;
  /** Access key id for backups in an S3 store. */
  readonly backupAccessKeyId?: string | undefined;
  /** Secret of backupAccessKeyId. */
  readonly backupSecretAccessKey?: pulumi.Input<string> | undefined;
  /** SSH private key for backups on an SFTP server. */
  readonly backupPrivateKey?: pulumi.Input<string> | undefined;
  /** SSH host key of the SFTP server for backups, pinned. */
  readonly backupHostKey?: string | undefined;
  /** Password that encrypts the backups; without it nobody can read them. Default: generated; see pulumi stack output backupPassword --show-secrets. */
  readonly backupPassword?: pulumi.Input<string> | undefined;
  /** When backups are made, as a calendar event of systemd in the host's time zone (https://www.freedesktop.org/software/systemd/man/latest/systemd.time.html). Default: *-*-* 03:30:00. */
  readonly backupSchedule?: string | undefined;
  /** When the newest backups are restored next to the running Apps, to prove that they work, as a calendar event of systemd; never: only by npm run ops -- drill. Default: *-*-01 05:00:00. */
  readonly drillSchedule?: string | undefined;
  /** For how many days the last backup of each day is kept. Default: 7. */
  readonly backupKeepDaily?: number | undefined;
  /** For how many weeks the last backup of each week is kept. Default: 5. */
  readonly backupKeepWeekly?: number | undefined;
  /** For how many months the last backup of each month is kept. Default: 6. */
  readonly backupKeepMonthly?: number | undefined;
  /** Whether the host installs security updates automatically, including Docker's. Default: true. */
  readonly automaticUpdates?: boolean | undefined;
  /** When the host may reboot for an update that needs it, in the host's time zone; the Apps are unavailable for a minute. Default: never; ops status is red while a reboot is needed. */
  readonly updateRebootTime?: string | undefined;
  /** Deprecated, use notify: URL that a daily self-check posts to, only if something is red (Slack, Mattermost, ntfy and others accept its {"text": …}; DingTalk, WeCom and Feishu get their own format, with "cloudcode" as a keyword). */
  readonly alertWebhook?: pulumi.Input<string> | undefined;
  /** Deprecated, use notify: whether the daily self-check sends a mail to adminEmail through smtpAddress, only if something is red. Default: false. */
  readonly alertMail?: boolean | undefined;
}

/** The outputs of a Home. A program returns all of it, so that `npm run ops` can work with the stack. */
export interface HomeOutputs {
  /** Address of the index page. */
  readonly url: pulumi.Output<string>;
  /** Address of each App, by its title. */
  readonly urls: pulumi.Output<Record<string, string>>;
  /** IPv4 address, or name, that the domain points to. */
  readonly publicAddress: pulumi.Output<string>;
  /** Name that the operator signs in with. */
  readonly adminUsername: string;
  /** The operator's first password; a secret. A password that was changed in the portal is not here. */
  readonly adminPassword: pulumi.Output<string>;
  /** First passwords of people, by name; secrets. Only with people. */
  readonly peoplePasswords?: pulumi.Output<Record<string, string>>;
  /** Logins that Apps have of their own, by title; the passwords are secrets. */
  readonly appLogins: Readonly<Record<string, { readonly username: string; readonly password: pulumi.Output<string> }>>;
  /** Keys of OpenCode's own clients, by the client's name; secrets. Only with opencodeDevices. */
  readonly deviceKeys?: pulumi.Output<Record<string, string>>;
  /** A command that opens a shell on the machine; run it in the project's folder. */
  readonly sshCommand: pulumi.Output<string>;
  /** The SSH key that sshCommand logs in with; a secret. */
  readonly sshPrivateKey: pulumi.Output<string>;
  /** Steps for the operator after the first `pulumi up`, in order. */
  readonly nextSteps: pulumi.Output<string[]>;
  /** Password that encrypts the backups; a secret. Only with backups. */
  readonly backupPassword?: pulumi.Output<string>;
  /** Data for `npm run ops`; a secret. */
  readonly operations: pulumi.Output<unknown>;
  /** Price of a month as Alibaba Cloud tells it to the account; target alicloud alone. */
  readonly monthlyCost?: pulumi.Output<{
    /** That the account is billed in, such as USD. */
    readonly currency: string;
    readonly running: number;
    readonly stopped: number;
    /** Parts that cost money but have no known price. */
    readonly notCounted: readonly string[];
  }>;
}

/**
 * A machine and the Apps on it, behind one sign-in. A stack can have only one.
 *
 * Options: all resources on Alibaba Cloud use your `alicloud.Provider` if you pass it as `provider`. The lookups of stock, images and
 * leftover resources use the keys from the environment, as that provider does by default.
 */
export declare class Home extends pulumi.ComponentResource {
  /** @throws Error that lists every problem of the arguments, before any resource is declared */
  constructor(name: string, args: HomeArgs, opts?: pulumi.ComponentResourceOptions);
  /** All outputs, for a program to return. Rejected with one sentence if a cloud does not answer, or lacks something that is set. */
  readonly outputs: Promise<HomeOutputs>;
  readonly url: HomeOutputs["url"];
  readonly urls: HomeOutputs["urls"];
  readonly publicAddress: HomeOutputs["publicAddress"];
  readonly adminPassword: HomeOutputs["adminPassword"];
  readonly sshCommand: HomeOutputs["sshCommand"];
  readonly nextSteps: HomeOutputs["nextSteps"];
}
