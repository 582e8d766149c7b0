import * as pulumi from "@pulumi/pulumi";
import { type ModelServer, type Route, appOf } from "../routes";

/** What a call of a server of models must look like, and what Caddy makes of it. */
export interface ModelHandler {
  readonly name: string;
  /** As Caddy's upstream: scheme, host and port. */
  readonly upstream: string;
  readonly host: string;
  /** Put before the path, percent-encoded; empty: nothing. */
  readonly path: string;
  readonly header: string;
  /** Caddy's of that header; several of one name come out joined by commas. */
  readonly placeholder: string;
  /** Names of the secrets that hold the whole header: that of the App, and that of the server. */
  readonly given: string;
  readonly real: string;
}

const nameOf = (app: string, role: "given" | "real", server: string) => `model-${role}-${app}-${server}`;

/** The servers of models behind the edge, of all Apps. */
export function modelHandlers(routes: readonly Route[]): ModelHandler[] {
  return routes.flatMap((route) =>
    (route.models?.servers ?? []).map(({ name, base, login }) => {
      const { protocol, host, pathname } = new URL(base);
      const header = login === "bearer" ? "Authorization" : "X-Api-Key";
      return {
        name,
        upstream: `${protocol}//${host}`,
        host,
        path: pathname.replace(/\/+$/, ""),
        header,
        placeholder: `{http.request.header.${header}}`,
        given: nameOf(appOf(route), "given", name),
        real: nameOf(appOf(route), "real", name),
      };
    }),
  );
}

/**
 * The secrets of these handlers.
 *
 * @param own the key that the App gets
 * @param keys of the servers, by the name of their secret
 */
export function modelSecrets(
  route: Route,
  own: pulumi.Output<string>,
  keys: Readonly<Record<string, pulumi.Input<string>>>,
): Record<string, pulumi.Output<string>> {
  const header = ({ login }: ModelServer, key: pulumi.Input<string>) =>
    pulumi.secret(pulumi.output(key).apply((text) => (login === "bearer" ? `Bearer ${text}` : text)));
  return Object.fromEntries(
    (route.models?.servers ?? []).flatMap((server) => [
      [nameOf(appOf(route), "given", server.name), header(server, own)],
      [nameOf(appOf(route), "real", server.name), header(server, keys[server.secret] ?? "")],
    ]),
  );
}
