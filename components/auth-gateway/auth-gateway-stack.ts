import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Images } from "../images";
import { type Route, hostOf, portalNetwork, portalSubdomain } from "../routes";
import type { Person } from "../settings/people";
import type { MailSettings, OperatorSettings } from "../settings/settings";
import { ComposeStack, type StackContext } from "../stack/compose-stack";
import type { ReleaseSource } from "../stack/release";
import { accessRules } from "./access-rules";
import { argon2Cost, keptHash, operatorHashes } from "./password-hash";

/** Uid that Authelia runs as; its secret files belong to it. */
const autheliaUid = 8000;

export interface GatewaySettings {
  /** Domain that the login covers, with all names below it. */
  readonly domain: string;
  /** Routes of all Apps: the access rules are made of them. */
  readonly routes: readonly Route[];
  /** Who signs in. */
  readonly operator: OperatorSettings;
  /** Who else does; undefined: nobody. */
  readonly people: readonly Person[] | undefined;
  /** Mail server for one-time codes; undefined: they go to a file on the host. */
  readonly mail: MailSettings | undefined;
  /** Image references by name. */
  readonly images: Images;
  /** Time zone of the container, as in tz's database. */
  readonly timeZone: string;
}

export interface AuthGatewayStackArgs extends Omit<GatewaySettings, "domain">, StackContext {
  /** The same, where it may be known only once the host has its address. */
  readonly domain: pulumi.Output<string>;
}

/** Authelia: one login for every Route, its rules computed from them. */
export class AuthGatewayStack extends pulumi.ComponentResource {
  /** The operator's first password. A later change in the portal is not seen here. */
  readonly password: pulumi.Output<string>;
  /** Likewise those of people, by name. */
  readonly peoplePasswords: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: AuthGatewayStackArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloudcode:index:AuthGatewayStack", name, {}, opts);
    const child = { parent: this };
    const secret = (role: string, options: pulumi.CustomResourceOptions = {}) =>
      new random.RandomPassword(`${name}-${role}`, { length: 64, special: false }, { ...child, ...options }).result;

    this.password =
      args.operator.password ??
      new random.RandomPassword(`${name}-password`, { length: 24, special: false }, child).result;
    // The salt stays in state, so that the same password gives the same hash at every run.
    const salt = new random.RandomBytes(`${name}-salt`, { length: 16 }, child).base64;
    const hashes = pulumi.all([this.password, salt, args.digestKey]).apply((values) => operatorHashes(...values));
    const people = (args.people ?? []).map(({ name: person }) => {
      const password = new random.RandomPassword(`${name}-password-of-${person}`, { length: 24, special: false }, child)
        .result;
      const own = new random.RandomBytes(`${name}-salt-of-${person}`, { length: 16 }, child).base64;
      return { person, password, hash: pulumi.all([password, own, args.digestKey]).apply((of) => keptHash(...of)) };
    });
    this.peoplePasswords = Object.fromEntries(people.map(({ person, password }) => [person, pulumi.secret(password)]));
    // A new key would lock Authelia out of its database; kept data keeps its key (authelia/authelia#3023).
    const encryptionKey = secret("encryption-key", { protect: !args.deleteData });

    new ComposeStack(
      name,
      {
        ...args,
        release: args.domain.apply((domain) => authGatewayRelease({ ...args, domain })),
        secrets: {
          passwordHash: hashes.current,
          earlierHash: hashes.earlier,
          sessionSecret: secret("session-secret"),
          resetSecret: secret("reset-secret"),
          encryptionKey,
          smtpPassword: args.mail?.password ?? "",
          ...Object.fromEntries(people.map(({ person, hash }) => [hashOf(person), hash])),
        },
      },
      child,
    );
    this.registerOutputs({ password: pulumi.secret(this.password) });
  }
}

/** Name of the secret that holds the hash of a person's first password. */
const hashOf = (person: string) => `hash-of-${person}`;

/** What Authelia runs with, but for its secrets. */
export function authGatewayRelease(args: GatewaySettings): ReleaseSource {
  const { domain, routes, operator, people = [], mail } = args;
  const email = operator.email ?? `${operator.username}@${domain}`;
  return {
    template: "auth-gateway",
    ...(people.length > 0 && { also: { "admit.sh": "people/admit.sh" } }),
    values: {
      images: args.images,
      timeZone: args.timeZone,
      domain,
      portalUrl: `https://${hostOf({ subdomain: portalSubdomain }, domain)}`,
      indexUrl: `https://${domain}`,
      network: portalNetwork,
      username: operator.username,
      email,
      people: people.map(({ name, mail: address }) => ({ name, mail: address, secret: hashOf(name) })),
      resetDisabled: mail === undefined,
      mail: mail && { address: mail.address, sender: mail.sender ?? email },
      mailLogin: mail?.username,
      session: {
        ...operator.session,
        // https://www.authelia.com/configuration/session/introduction/#remember_me
        remembered: operator.session.remembered === "off" ? "-1" : operator.session.remembered,
      },
      argon2: { ...argon2Cost },
      rules: accessRules(routes, domain, { operator: operator.username, people }).map((rule) => ({ ...rule })),
    },
    plan: {
      networks: [portalNetwork],
      // Its sessions are in Valkey, and SQLite locks its file between processes.
      startFirstAlone: ["authelia"],
      check: {
        service: "authelia",
        // On a new host the key does not exist yet.
        command:
          "env AUTHELIA_STORAGE_ENCRYPTION_KEY_FILE=/run/secrets/encryption-key authelia config validate --config /etc/authelia/configuration.yml",
      },
      drill: {
        // Without its key nobody reads the database.
        needs: ["db.sqlite3", "encryption-key", "users.yml"].map((path) => ({ volume: "config", path })),
        asks: [
          {
            service: "authelia",
            about: "passkeys",
            command: `authelia storage user webauthn list ${operator.username}`,
          },
        ],
      },
    },
    owners: { "secrets/": autheliaUid, "configuration.yml": autheliaUid },
  };
}
