import { baseImage } from "../../../sandbox/host/base";
import { buildImage } from "../../../sandbox/host/build";
import { removeService, startService } from "../../../sandbox/host/service";
import { goBinary } from "../../../sandbox/host/tools";
import { type Say, run } from "../../../cli/run";

const port = 7070;
const accessKey = "AKIASANDBOX";
const secretKey = "sandbox-secret-key";

/** The real Versity S3 gateway over a folder of its own. */
export interface S3Server {
  /** Without a path. */
  readonly url: string;
  /** Environment of a client. */
  readonly env: Readonly<Record<"AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" | "AWS_REGION", string>>;
  /** Makes a bucket that keeps all versions. */
  createBucket(name: string): Promise<void>;
  /** Answer to a GET, as text. */
  get(path: string): Promise<string>;
  /** Makes a key that may do nothing but what the policy of its bucket says, in the words of S3. */
  createKey(access: string, secret: string, bucket: string, statements: readonly object[]): Promise<void>;
  /** Status of a DELETE with that key. */
  remove(path: string, access: string, secret: string): Promise<string>;
}

export async function startS3(name: string, address: string, cacheDir: string, say: Say): Promise<S3Server> {
  const args = { cacheDir, say };
  const image = await buildImage(
    {
      name: "s3",
      copies: { versitygw: await goBinary(args, "github.com/versity/versitygw/cmd/versitygw", "v1.8.0") },
      dockerfile: `FROM ${await baseImage(args)}\nCOPY versitygw /usr/bin/versitygw\nRUN chmod 755 /usr/bin/versitygw && mkdir -m 777 /buckets /versions /users\n`,
    },
    say,
  );
  const url = `http://${address}:${port}`;
  await startService({
    container: containerOf(name),
    image,
    options: ["--env", `ROOT_ACCESS_KEY=${accessKey}`, "--env", `ROOT_SECRET_KEY=${secretKey}`],
    command: [
      "versitygw",
      "--iam-dir",
      "/users",
      "--port",
      `${address}:${port}`,
      "posix",
      "--versioning-dir",
      "/versions",
      "/buckets",
    ],
    ready: async () => (await fetch(url)).status === 403,
  });
  const call = async (method: string, path: string, body?: string) => {
    const signature = ["--aws-sigv4", "aws:amz:us-east-1:s3", "--user", `${accessKey}:${secretKey}`];
    const header = ["--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"];
    const data = body === undefined ? [] : ["--data-binary", body];
    const words = [
      "--silent",
      "--show-error",
      "--fail-with-body",
      "--request",
      method,
      ...signature,
      ...header,
      ...data,
    ];
    return (await run("curl", [...words, `${url}${path}`])).stdout;
  };
  return {
    url,
    env: { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey, AWS_REGION: "us-east-1" },
    createBucket: async (bucket) => {
      await call("PUT", `/${bucket}`);
      await call(
        "PUT",
        `/${bucket}?versioning=`,
        '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>',
      );
    },
    get: (path) => call("GET", path),
    createKey: async (access, secret, bucket, statements) => {
      const admin = ["versitygw", "admin", "--access", accessKey, "--secret", secretKey, "--endpoint-url", url];
      const user = ["create-user", "--access", access, "--secret", secret, "--role", "user"];
      await run("docker", ["exec", containerOf(name), ...admin, ...user]);
      const Statement = statements.map((one) => ({ ...one, Principal: { AWS: [access] } }));
      await call("PUT", `/${bucket}?policy=`, JSON.stringify({ Version: "2012-10-17", Statement }));
    },
    remove: async (path, access, secret) => {
      const words = ["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--request", "DELETE"];
      const signature = ["--aws-sigv4", "aws:amz:us-east-1:s3", "--user", `${access}:${secret}`];
      const header = ["--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"];
      return (await run("curl", [...words, ...signature, ...header, `${url}${path}`])).stdout;
    },
  };
}

export async function stopS3(name: string): Promise<void> {
  await removeService(containerOf(name));
}

const containerOf = (name: string) => `cloudcode-${name}-s3`;
