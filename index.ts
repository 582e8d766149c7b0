import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { disabledApps, enabledApps } from "./components/apps/registry";
import { AuthGatewayStack } from "./components/auth-gateway/auth-gateway-stack";
import { openTunnels } from "./components/cloudflare/provision";
import { ClusterWorker } from "./components/workers/app-worker";
import { DockerEngine } from "./components/host/docker-engine";
import { sslipName } from "./components/host/names";
import { provisionHost } from "./components/host/platform";
import { operations } from "./components/operations";
import * as outputs from "./components/outputs";
import { ReverseProxyStack } from "./components/reverse-proxy/reverse-proxy-stack";
import { readSettings } from "./components/settings/read";
import { ComposeStack } from "./components/stack/compose-stack";

/** The whole flow; data goes one way. Pulumi runs what a program exports. */
async function cloudcode() {
  const settings = readSettings();
  const { images, timeZone, deleteData } = settings;

  const host = await provisionHost(settings);
  // Not RandomBytes, whose id is its value and stands in plain state.
  const digestKey = new random.RandomPassword("digest-key", { length: 64, special: false }).result;
  const base = { host, templatesRoot: join(__dirname, "stack-templates"), digestKey, deleteData };
  const domain = pulumi.output(settings.domain ?? host.publicAddress.apply(sslipName));
  const engine = new DockerEngine("docker", {
    ...base,
    ...settings.docker,
    alerts: settings.alerts,
    freeName: settings.freeName,
    backup: settings.backup,
    resticImage: images.restic,
  });
  const context = { ...base, engine };

  // Plain values: the routes are known before any resource exists, so gateway, proxy and Apps are applied side by side.
  const apps = await openTunnels(enabledApps(settings));
  const routes = apps.flatMap((app) => app.routes);
  const edge = { ...context, domain, routes, images, timeZone };

  const gateway = new AuthGatewayStack("auth", { ...edge, operator: settings.operator, mail: settings.mail });
  const proxy = new ReverseProxyStack("edge", { ...edge, certificates: settings.certificates });
  const stacks = apps.map(({ release, ...app }) => {
    const stack = new ComposeStack(app.name, { ...context, ...app, release: domain.apply(release) });
    if (app.worker)
      for (const worker of host.workers)
        new ClusterWorker(worker.name, {
          ...{ ...base, worker, updates: settings.docker },
          ...{ release: app.worker, stack },
        });
    return { ...app, secrets: stack.secrets };
  });
  // What is switched off while the machine sleeps is taken from it when it is awake again.
  if (host.reachable === undefined)
    for (const name of disabledApps(settings)) new ComposeStack(name, { ...context, secrets: {} });

  return {
    url: pulumi.interpolate`https://${domain}`,
    urls: domain.apply((name) => outputs.appUrls(routes, name)),
    adminUsername: settings.operator.username,
    adminPassword: gateway.password,
    appLogins: { ...outputs.appLogins(stacks), ...outputs.outerLogins(proxy) },
    publicAddress: outputs.proven(host, host.publicAddress),
    sshCommand: outputs.proven(host, outputs.sshCommand(host)),
    sshPrivateKey: outputs.proven(host, outputs.sshPrivateKey(host)),
    nextSteps: outputs.nextSteps(settings, host, domain),
    ...(engine.backupPassword && { backupPassword: pulumi.secret(engine.backupPassword) }),
    operations: outputs.proven(host, operations(host, settings, routes, apps, domain)),
    ...(host.monthlyCost && { monthlyCostUsd: host.monthlyCost }),
  };
}

export = cloudcode;
