import { parse } from "yaml";
import { z } from "zod";

const webUrl = z.url({ protocol: /^https?$/ });
const linuxDoId = z.number().int().positive();

const schema = z.strictObject({
  "linux-do-connect": z.strictObject({
    "client-id": z.string().min(1),
    "client-secret": z.string().min(1),
    "redirect-uri": webUrl,
    "auth-url": webUrl.default("https://connect.linux.do/oauth2/authorize"),
    "token-url": webUrl.default("https://connect.linux.do/oauth2/token"),
    "userinfo-url": webUrl.default("https://connect.linux.do/api/user"),
  }),
  "admin-linux-do-ids": z.array(linuxDoId).default([]),
  donation: z.strictObject({
    "quota-amount": z.number().int().positive().default(2_000_000),
    contact: z.url({ protocol: /^(https|mailto)$/ }).optional(),
  }),
  "model-proxy": z.strictObject({ url: webUrl, "management-key": z.string().min(1) }),
});

const environment = z.object({
  NEW_API_BASE_URL: webUrl,
  NEW_API_ADMIN_TOKEN: z.string().min(1),
  NEW_API_ADMIN_USER: z.string().regex(/^\d+$/).optional(),
});

/** Everything the service is given from outside. */
export interface Config {
  readonly oauth: {
    readonly clientId: string;
    readonly clientSecret: string;
    readonly redirectUri: string;
    readonly authUrl: string;
    readonly tokenUrl: string;
    readonly userUrl: string;
  };
  /** Where visitors see the site: the origin of the redirect URI. */
  readonly origin: string;
  readonly adminIds: readonly number[];
  /** Quota of one donation, in new-api's units. */
  readonly quotaAmount: number;
  /** `https://` or `mailto:` address where donors reach a person; undefined: none is shown. */
  readonly contact: string | undefined;
  readonly modelProxy: { readonly url: string; readonly managementKey: string };
  readonly newApi: {
    readonly baseUrl: string;
    readonly adminToken: string;
    /** Id of the token's owner, which older releases of new-api want next to the token. */
    readonly adminUser: string | undefined;
  };
}

/**
 * @param text a YAML file with the keys of {@link schema}
 * @param env the process's environment; its new-api variables
 * @throws Error that names every key at fault, and no value
 */
export function readConfig(text: string, env: Readonly<Record<string, string | undefined>>): Config {
  const file = schema.safeParse(parse(text));
  const variables = environment.safeParse(env);
  if (!file.success || !variables.success) {
    const issues = [...(file.error?.issues ?? []), ...(variables.error?.issues ?? [])];
    throw new Error(`configuration: ${issues.map((issue) => `${issue.path.join(".")}: ${issue.code}`).join("; ")}`);
  }
  const connect = file.data["linux-do-connect"];
  return {
    oauth: {
      clientId: connect["client-id"],
      clientSecret: connect["client-secret"],
      redirectUri: connect["redirect-uri"],
      authUrl: connect["auth-url"],
      tokenUrl: connect["token-url"],
      userUrl: connect["userinfo-url"],
    },
    origin: new URL(connect["redirect-uri"]).origin,
    adminIds: file.data["admin-linux-do-ids"],
    quotaAmount: file.data.donation["quota-amount"],
    contact: file.data.donation.contact,
    modelProxy: { url: file.data["model-proxy"].url, managementKey: file.data["model-proxy"]["management-key"] },
    newApi: {
      baseUrl: variables.data.NEW_API_BASE_URL.replace(/\/+$/, ""),
      adminToken: variables.data.NEW_API_ADMIN_TOKEN,
      adminUser: variables.data.NEW_API_ADMIN_USER,
    },
  };
}

export type Role = "admin" | "user";

/** Decided again at each request, so that a change of the list holds at once. */
export function roleOf(linuxDo: number, { adminIds }: Pick<Config, "adminIds">): Role {
  return adminIds.includes(linuxDo) ? "admin" : "user";
}
