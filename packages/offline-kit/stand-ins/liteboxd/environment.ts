import { accessSync, constants, readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";

const both = z.object({
  DATA_DIR: z.literal("/app/data"),
  KUBECONFIG: z.literal("/run/k3s/kubeconfig"),
  SANDBOX_NAMESPACE: z.literal("liteboxd-sandbox"),
  CONTROL_NAMESPACE: z.literal("liteboxd-system"),
  LOG_OUTPUT: z.literal("stdout"),
  SHUTDOWN_TIMEOUT: z.string().regex(/^\d+s$/),
});
const serverSchema = both.extend({
  PORT: z.literal("8080"),
  ADMIN_USERNAME: z.string().min(1),
  ADMIN_INITIAL_PASSWORD: z.string().min(1),
  ADMIN_PASSWORD: z.string().min(1).optional(),
  SESSION_MAX_AGE: z.coerce.number().int().positive(),
  GATEWAY_URL: z.url({ protocol: /^https$/ }),
  WRITE_TIMEOUT: z.string().regex(/^\d+h$/),
  // The real one takes 16, 24 or 32 bytes; fewer than 32 come of a key that was meant otherwise.
  SANDBOX_TOKEN_ENCRYPTION_KEY: z.string().refine((key) => Buffer.from(key, "base64").length === 32),
});
const gatewaySchema = both.extend({ PORT: z.literal("8081") });

const kubeconfigSchema = z.object({
  clusters: z.tuple([
    z.object({ cluster: z.object({ server: z.url(), "certificate-authority-data": z.string().min(1) }) }),
  ]),
  users: z.tuple([z.object({ user: z.object({ token: z.string().min(1) }) })]),
});

export type ServerEnvironment = z.infer<typeof serverSchema>;
export type GatewayEnvironment = z.infer<typeof gatewaySchema>;

/** What the real server reads of its environment. @throws Error naming what is missing or wrong, never its value */
export const serverEnvironment = () => checked(serverSchema);
/** The same of the gateway. */
export const gatewayEnvironment = () => checked(gatewaySchema);

function checked<T>(schema: z.ZodType<T>): T {
  if (process.cwd() !== "/app" || process.getuid?.() !== 0) throw new Error("wrong folder or user");
  accessSync("/app/data", constants.W_OK);
  const result = schema.safeParse(process.env);
  if (!result.success)
    throw new Error(`wrong or missing: ${result.error.issues.map((issue) => issue.path.join(".")).join(", ")}`);
  return result.data;
}

/** How Kubernetes is asked: address, its authority and the account's token. */
export function kubeconfig(file: string) {
  const { clusters, users } = kubeconfigSchema.parse(parse(readFileSync(file, "utf8")));
  const { server, "certificate-authority-data": ca } = clusters[0].cluster;
  return { server, ca: Buffer.from(ca, "base64").toString(), token: users[0].user.token };
}
