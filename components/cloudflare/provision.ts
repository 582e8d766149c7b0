import type * as pulumi from "@pulumi/pulumi";
import type { App } from "../apps/app";

/** The Apps, where those that have asked for a tunnel have it: its token is among their secrets. */
export async function openTunnels(apps: readonly App[], parent: pulumi.Resource): Promise<App[]> {
  return Promise.all(
    apps.map(async (app) => {
      if (app.tunnel === undefined) return app;
      // Loaded only when needed, as the SDK of a cloud is.
      const { CloudflareTunnel } = await import("./tunnel");
      const { token } = new CloudflareTunnel(`${app.name}-cloudflare`, app.tunnel, { parent });
      return { ...app, secrets: { ...app.secrets, tunnelToken: token } };
    }),
  );
}
