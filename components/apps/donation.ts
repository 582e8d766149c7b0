import { z } from "zod";
import { cookieFault, getsGateCookie } from "../host/names";
import { tagOf } from "../images";
import { edgeNetwork, hostOf } from "../routes";
import * as check from "../settings/checks";
import { missing, when } from "../settings/problem";
import { bool, list, secret, text, integer } from "../settings/setting";
import { appKind } from "./app";

const name = "donation";
const uid = 1000;

/** The site's own pages, which must be open to visitors without an account here; exact, so that nothing slips in next to them. */
const publicPaths = [
  "/",
  "/style.css",
  "/linuxdo/login",
  "/linuxdo/callback",
  "/bind",
  "/unbind",
  "/donate",
  "/status",
  "/logout",
];

/** What API clients call with a key of the proxy, web pages among them; its management, provider callbacks and the rest stay behind the gateway. */
const modelPaths = ["/v1/*", "/v1beta/*"];

const contact = z
  .string()
  .refine(
    (value) =>
      value.startsWith("mailto:")
        ? check.email.safeParse(value.slice("mailto:".length)).success
        : check.httpsUrl.safeParse(value).success,
    { error: "is neither an https:// nor a mailto: address" },
  );

const notAnId = "is not the numeric id of a Linux Do user";
const linuxDoId = z
  .unknown()
  .transform((value) => (typeof value === "number" ? String(value) : value))
  .pipe(z.string(notAnId).regex(/^[1-9]\d{0,14}$/, notAnId));

/** Where the model proxy answers, for Caddy. */
export const modelProxyUpstream = "donation-proxy:8317";

/** Name of the secret that an App and the model proxy share: the App's key there. */
export const modelProxyKey = (client: string) => `model-proxy-key-of-${client}`;
const clientKey = (client: string) => `key-of-${client}`;

const settings = {
  donationEnabled: bool({
    description: "Donation site: provider accounts for quota at a new-api server, with CLIProxyAPI.",
    example: "true",
    default: false,
  }),
  donationSubdomain: text(check.subdomain, {
    description: "Subdomain of the donation site.",
    example: "donate",
    default: "donate",
  }),
  donationProxySubdomain: text(check.subdomain, {
    description: "Subdomain of the model proxy (CLIProxyAPI) of the donation site.",
    example: "models",
    default: "models",
  }),
  donationLinuxDoClientId: text(check.oneLine, {
    description:
      "Client id at https://connect.linux.do, with the redirect URI https://SUBDOMAIN.DOMAIN/linuxdo/callback. Needed by the donation site.",
    example: "abcdefghijklmnop",
  }),
  donationLinuxDoClientSecret: secret(check.oneLine, {
    description: "Secret of that client. Needed by the donation site.",
    example: "'…'",
  }),
  donationLinuxDoAuthUrl: text(check.secretUrl, {
    description: "Where visitors log in (OAuth 2.0 authorization endpoint).",
    example: "https://connect.linux.do/oauth2/authorize",
    default: "https://connect.linux.do/oauth2/authorize",
  }),
  donationLinuxDoTokenUrl: text(check.secretUrl, {
    description: "OAuth 2.0 token endpoint of the same server.",
    example: "https://connect.linux.do/oauth2/token",
    default: "https://connect.linux.do/oauth2/token",
  }),
  donationLinuxDoUserUrl: text(check.secretUrl, {
    description: "User information endpoint of the same server.",
    example: "https://connect.linux.do/api/user",
    default: "https://connect.linux.do/api/user",
  }),
  donationAdminLinuxDoIds: list(linuxDoId, {
    description: "Numeric ids of the Linux Do users who administer the donation site.",
    example: "'[\"12345\"]'",
    default: [],
  }),
  donationQuotaAmount: integer(1, 1e12, {
    description: "Quota that one donation gives, in new-api's units (500000 are one US dollar there).",
    example: "2000000",
    default: 2_000_000,
  }),
  donationContact: text(contact, {
    description: "Where donors reach you when their quota could not be added: an https:// or mailto: address.",
    example: "mailto:me@example.com",
  }),
  donationNewApiUrl: text(check.secretBase, {
    description: "Address of the new-api server. Needed by the donation site.",
    example: "https://api.example.com",
  }),
  donationNewApiAdminToken: secret(check.accessToken, {
    description: "System access token of an administrator of new-api. Needed by the donation site.",
    example: "0123456789abcdefghijklmnopqrstuv",
  }),
  donationNewApiAdminUser: integer(1, 2 ** 31 - 1, {
    description: "Numeric id of that administrator at new-api; older versions of new-api need both.",
    example: "1",
  }),
};

/**
 * The donation site, a program of this repository (packages/donation-site), and the model proxy it fills
 * (https://github.com/router-for-me/CLIProxyAPI). Visitors log in at Linux Do, not here, so the site's pages bypass the gateway.
 */
export const donation = appKind({
  name,
  settings,
  enabled: "donationEnabled",
  subdomains: ["donationSubdomain", "donationProxySubdomain"],
  problems(values, { domain }) {
    const { donationLinuxDoAuthUrl: authUrl = "" } = values;
    return [
      ...missing(
        values,
        ["donationLinuxDoClientId", "donationLinuxDoClientSecret"],
        "visitors log in with a client of Linux Do Connect",
      ),
      ...missing(values, ["donationNewApiUrl", "donationNewApiAdminToken"], "donations give quota at a new-api server"),
      // The only other server that a visitor's browser is sent to.
      ...when(
        URL.canParse(authUrl) && getsGateCookie(new URL(authUrl).hostname, domain),
        "donationLinuxDoAuthUrl",
        `is ${cookieFault}`,
      ),
    ];
  },
  app(values, { images, mirrors, timeZone, modelProxy }) {
    const network = edgeNetwork(name);
    const bypass = (path: string) => ({ path, policy: "bypass" as const });
    return {
      routes: [
        {
          subdomain: values.donationSubdomain,
          network,
          upstream: "donation-site:3000",
          policy: "two_factor",
          paths: publicPaths.map(bypass),
          title: "Donation site",
          summary: { en: "Provider accounts for quota", zh: "捐赠账号换额度" },
        },
        {
          subdomain: values.donationProxySubdomain,
          network,
          upstream: modelProxyUpstream,
          policy: "two_factor",
          paths: modelPaths.map((path) => ({ path, policy: "bypass", crossOrigin: true })),
          title: "Model proxy",
          version: tagOf(images.cliProxyApi),
          summary: { en: "Model API of the donated accounts", zh: "捐赠账号的模型 API" },
        },
      ],
      release: (domain) => ({
        template: name,
        also: Object.fromEntries(
          ["package.json", "package-lock.json", "src"].map((part) => [
            `image/${part}`,
            // eslint-disable-next-line no-restricted-syntax -- files of an image, not a library of the product
            `../packages/donation-site/${part}`,
          ]),
        ),
        values: {
          images,
          mirrors,
          timeZone,
          network,
          redirectUri: `https://${hostOf({ subdomain: values.donationSubdomain }, domain)}/linuxdo/callback`,
          clientId: values.donationLinuxDoClientId ?? "",
          authUrl: values.donationLinuxDoAuthUrl,
          tokenUrl: values.donationLinuxDoTokenUrl,
          userUrl: values.donationLinuxDoUserUrl,
          adminIds: values.donationAdminLinuxDoIds.map(Number),
          quotaAmount: values.donationQuotaAmount,
          contact: values.donationContact,
          newApiUrl: values.donationNewApiUrl ?? "",
          newApiAdminUser: values.donationNewApiAdminUser?.toString(),
          clientKeys: modelProxy.clients.map(clientKey),
        },
        plan: { networks: [network], build: ["site"] },
        owners: { "site.yaml": uid, "new-api-token": uid },
      }),
      secrets: {
        clientSecret: values.donationLinuxDoClientSecret ?? "",
        newApiToken: values.donationNewApiAdminToken ?? "",
      },
      generated: { managementKey: 48, modelKey: 48 },
      shared: Object.fromEntries(modelProxy.clients.map((client) => [clientKey(client), modelProxyKey(client)])),
      onlyOnce: true,
      login: { username: "API key of the model proxy", secret: "modelKey" },
    };
  },
});
