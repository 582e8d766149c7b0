import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { disabledApps, enabledApps } from "./components/apps/registry";
import { edgeSecrets, sharedSecrets } from "./components/apps/shared-secrets";
import { AuthGatewayStack } from "./components/auth-gateway/auth-gateway-stack";
import { checkFirewalls, openTunnels, openZone } from "./components/cloudflare/provision";
import { HomeComponent } from "./components/home";
import { guardDestroy, protectedParts } from "./components/destroy/guard";
import { ClusterWorker } from "./components/workers/app-worker";
import { DockerEngine } from "./components/host/docker-engine";
import { Host } from "./components/host/host";
import { sslipName } from "./components/host/names";
import { Network } from "./components/host/network";
import { openPlatform } from "./components/host/platform";
import { operations } from "./components/operations";
import { notifierNetwork } from "./components/notify/notifier-release";
import { NotifierStack } from "./components/notify/notifier-stack";
import * as outputs from "./components/outputs";
import { readOwnApps } from "./components/own-apps/own-apps";
import { ReverseProxyStack } from "./components/reverse-proxy/reverse-proxy-stack";
import { readSettings, warningsOf } from "./components/settings/read";
import type { Settings } from "./components/settings/settings";
import { ComposeStack } from "./components/stack/compose-stack";
import type { HomeOutputs } from "./library";

/** A machine and the Apps on it, behind one login. */
export class Home extends HomeComponent {
  /** The whole flow; data goes one way. */
  protected override async build(settings: Settings): Promise<HomeOutputs> {
    const { images, mirrors, timeZone, deleteData, news } = settings;
    const child = { parent: this };
    for (const warning of warningsOf(settings)) void pulumi.log.warn(warning, this);
    const builtIn = enabledApps(settings);
    const ownApps = readOwnApps(settings.ownApps, builtIn, process.cwd());

    const makeRecords = await openZone(settings);
    const firewalls = await checkFirewalls(builtIn, settings, this);
    const platform = await openPlatform(settings, this);
    const network = new Network("host-network", { platform }, platform.options);
    const host = new Host("host", { platform, network }, platform.options);
    // Not RandomBytes, whose id is its value and stands in plain state.
    const digestKey = new random.RandomPassword("digest-key", { length: 64, special: false }, child).result;
    const base = { host, templatesRoot: join(__dirname, "stack-templates"), digestKey, deleteData };
    const domain = pulumi.output(settings.domain ?? host.publicAddress.apply(sslipName));
    const records = makeRecords?.(host, this) ?? [];
    const engine = new DockerEngine(
      "docker",
      {
        ...base,
        ...settings.docker,
        alerts: settings.alerts,
        news: news !== undefined,
        freeName: settings.freeName,
        domainAddress: settings.domainAddress,
        standby: settings.standby,
        backup: settings.backup,
        resticImage: images.restic,
      },
      child,
    );
    const context = { ...base, engine };

    // Plain values: the routes are known before any resource exists, so gateway, proxy and Apps are applied side by side.
    const apps = await openTunnels([...builtIn, ...ownApps({ key: digestKey, domain })], firewalls, this);
    const routes = apps.flatMap((app) => app.routes);
    const edge = { ...context, domain, routes, images, timeZone };

    const { operator, people, mail, certificates } = settings;
    const gateway = new AuthGatewayStack("auth", { ...edge, operator, people, mail }, child);
    const shared = sharedSecrets(apps, this);
    const proxy = new ReverseProxyStack(
      "edge",
      {
        ...edge,
        certificates,
        modelKeys: edgeSecrets(apps, shared),
        // Not before its names are there: a failed request for a certificate counts towards the authority's limits.
        domain: afterAll(records, domain),
        networks: news ? [notifierNetwork] : [],
        money: news !== undefined,
        ...(people && { accounts: { operator: operator.username, people } }),
        // It ends the streams of a removed person, whom the gateway must not let in again by then.
        after: people ? [gateway] : [],
      },
      child,
    );
    const stacks = apps.map(({ release, ...app }) => {
      const secrets = { ...app.secrets, ...proxy.secretsOf(app.routes), ...shared(app) };
      const applied = { ...context, ...app, secrets, release: domain.apply(release) };
      const stack = new ComposeStack(app.name, applied, child);
      const { worker: part } = app;
      const workers = !part
        ? []
        : host.workers.map((worker) => {
            const args = { ...base, worker, updates: settings.docker, release: part, stack };
            return new ClusterWorker(worker.name, args, child);
          });
      return { ...app, stack, workers, secrets: stack.secrets };
    });
    // What is disabled while the machine is off is removed when the machine runs again.
    if (!host.poweredOn)
      for (const name of disabledApps(settings)) new ComposeStack(name, { ...context, secrets: {} }, child);
    const parts: pulumi.Resource[] = [
      network,
      host,
      ...records,
      engine,
      gateway,
      proxy,
      ...stacks.flatMap(({ stack, workers }) => [stack, ...workers]),
    ];
    if (news || !host.poweredOn) {
      const { serverPassword } = proxy.secretsOf(apps.flatMap((app) => app.routes));
      const heard = { ...edge, mirrors, news, apps, certificates, serverPassword };
      // It reads the gateway's database, looks at Caddy's certificates, and joins an App's network.
      const notifier = new NotifierStack("notifier", heard, {
        ...child,
        dependsOn: [gateway, proxy, ...stacks.map((app) => app.stack)],
      });
      parts.push(notifier);
    }
    guardDestroy(protectedParts(settings), parts, this);

    return {
      url: pulumi.interpolate`https://${domain}`,
      urls: domain.apply((name) => outputs.appUrls(routes, name)),
      publicAddress: outputs.proven(host, host.publicAddress),
      ...(Object.keys(proxy.deviceKeys).length > 0 && { deviceKeys: pulumi.secret(pulumi.all(proxy.deviceKeys)) }),
      adminUsername: operator.username,
      adminPassword: gateway.password,
      ...(people && { peoplePasswords: pulumi.secret(pulumi.all(gateway.peoplePasswords)) }),
      appLogins: { ...outputs.appLogins(stacks), ...outputs.basicAuthLogins(proxy) },
      sshCommand: outputs.proven(host, outputs.sshCommand(host)),
      sshPrivateKey: outputs.proven(host, outputs.sshPrivateKey(host)),
      nextSteps: outputs.nextSteps(settings, host, domain),
      ...(engine.backupPassword && { backupPassword: pulumi.secret(engine.backupPassword) }),
      operations: outputs.proven(host, operations(host, settings, routes, apps, domain)),
      ...(host.monthlyCost && { monthlyCost: host.monthlyCost }),
    };
  }
}

/** A value that waits for resources. */
function afterAll(resources: readonly pulumi.Resource[], value: pulumi.Output<string>): pulumi.Output<string> {
  const made = pulumi.all(resources.map(({ urn }) => urn));
  return resources.length === 0 ? value : pulumi.all([value, made]).apply(([known]) => known);
}

/** The program: the Home that the stack's configuration describes. Pulumi runs what a program exports. */
export default async function cloudcode(): Promise<HomeOutputs> {
  return new Home("home", readSettings()).outputs;
}
