import { baseImage } from "../../../sandbox/host/base";
import { buildImage } from "../../../sandbox/host/build";
import { type Say, run } from "../../../cli/run";
import { removeService, startService } from "../../../sandbox/host/service";
import { goBinary } from "../../../sandbox/host/tools";

const port = 7180;
const region = "us-east-1";
const url = `http://127.0.0.1:${port}`;

/** Somebody else's server of AWS's KMS API, local-kms, in place of AWS itself. */
export interface Kms {
  /** A new key, as Pulumi's secrets provider. */
  createKey(): Promise<string>;
  /** Environment of a client; the server knows every access key. */
  readonly env: Readonly<Record<string, string>>;
  /** While it runs, nobody answers; the keys stay. */
  whileDown<T>(action: () => Promise<T>): Promise<T>;
}

export async function startKms(name: string, cacheDir: string, say: Say): Promise<Kms> {
  const args = { cacheDir, say };
  const binary = await goBinary(args, "github.com/nsmithuk/local-kms", "v0.0.0-20260228092603-2a5e92d09ab6");
  const image = await buildImage(
    {
      name: "kms",
      copies: { "local-kms": binary },
      dockerfile: `FROM ${await baseImage(args)}\nCOPY local-kms /usr/bin/local-kms\nRUN chmod 755 /usr/bin/local-kms && mkdir -m 777 /keys\n`,
    },
    say,
  );
  const container = containerOf(name);
  const start = () =>
    startService({
      container,
      image,
      options: ["--env", `PORT=${port}`, "--env", `KMS_REGION=${region}`, "--env", "KMS_DATA_PATH=/keys"],
      command: ["local-kms"],
      ready: async () => (await fetch(url)).status > 0,
    });
  await start();
  return {
    createKey: async () => {
      const headers = { "x-amz-target": "TrentService.CreateKey", "content-type": "application/x-amz-json-1.1" };
      const answer = await fetch(url, { method: "POST", headers, body: "{}" });
      const { KeyMetadata } = (await answer.json()) as { KeyMetadata: { KeyId: string } };
      return `awskms://${KeyMetadata.KeyId}?region=${region}&endpoint=${url}`;
    },
    env: { AWS_ACCESS_KEY_ID: "AKIASANDBOX", AWS_SECRET_ACCESS_KEY: "sandbox-secret-key", AWS_REGION: region },
    whileDown: async (action) => {
      await run("docker", ["stop", container]);
      try {
        return await action();
      } finally {
        await run("docker", ["start", container]);
        await start();
      }
    },
  };
}

export async function stopKms(name: string): Promise<void> {
  await removeService(containerOf(name));
}

const containerOf = (name: string) => `cloudcode-${name}-kms`;
