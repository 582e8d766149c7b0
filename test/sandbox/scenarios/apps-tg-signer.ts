import { get } from "node:https";
import { replaced } from "../apps/parts";
import { type AppsWorld, appSecrets } from "../apps/world";

/** TG Signer behind the gateway: its own login, its live log, its secrets whole. */
export function tgSigner(world: AppsWorld): void {
  let session = "";

  test("its own login takes the given password with all its odd characters, and no other", async () => {
    session = await signIn(world, appSecrets.tgSignerAdminPassword);
    expect((await world.request("tg", "/", { headers: { cookie: session } })).status).toBe(200);
    await expect(signIn(world, "wrong")).rejects.toThrow("401");
  });

  test("its session cookie is for HTTPS alone", async () => {
    const [cookie] =
      (await world.request("tg", "/login", { headers: { cookie: world.cookie } })).headers["set-cookie"] ?? [];
    expect(cookie).toMatch(/; secure/i);
    expect(cookie).toMatch(/; httponly/i);
  });

  test("a run's log streams through the gate line by line, uncompressed", async () => {
    await world.inContainer("tg-signer-web", "mkdir -p /data/runs/7 && echo first >/data/runs/7/run.log");
    const stream = await openStream(world, "/runs/7/logs/stream", session);
    await stream.until("data: first");
    await world.inContainer("tg-signer-web", "echo second >>/data/runs/7/run.log");
    await stream.until("data: second");
    stream.close();
    expect(stream.contentType).toContain("text/event-stream");
    expect(stream.encoding).toBeUndefined();
  });

  test("its sessions lie on the volume, and no second instance may use them", async () => {
    await world.inContainer("tg-signer-web", "echo kept >/data/sessions/jo.session");
    expect(await world.onHost("docker volume inspect --format '{{.Name}}' cloudcode-tg-signer_data")).toBe(
      "cloudcode-tg-signer_data",
    );
    // The original would start, and stay.
    if (!replaced(world.sandbox, "a second instance of TG Signer ends")) return;
    const image = await world.onHost("docker inspect --format '{{.Image}}' cloudcode-tg-signer-web-1");
    const words = await world.onHost(
      `docker run --rm --volumes-from cloudcode-tg-signer-web-1 --env TG_SIGNER_DATA_DIR=/data ${image} 2>&1 | tail -1 || true`,
    );
    expect(words).toContain("TG_API_ID is no number");
  });
}

/** @returns the cookies of a browser that is signed in at the gateway and at TG Signer */
export async function signIn(world: AppsWorld, password: string, gate = { cookie: world.cookie }): Promise<string> {
  const page = await world.request("tg", "/login", { headers: gate });
  const csrf = /name="csrf_token" value="([^"]+)"/.exec(page.body)?.[1] ?? "";
  const body = new URLSearchParams({ username: "admin", password, next: "/", csrf_token: csrf }).toString();
  const answer = await world.request("tg", "/login", {
    method: "POST",
    headers: {
      ...gate,
      cookie: [gate.cookie, cookieOf(page.headers["set-cookie"])].join("; "),
      "content-type": "application/x-www-form-urlencoded",
    },
    body,
  });
  if (answer.status !== 303) throw new Error(`TG Signer's login answered ${answer.status}`);
  return [gate.cookie, cookieOf(answer.headers["set-cookie"])].join("; ");
}

const cookieOf = (set: readonly string[] = []) => set.map((one) => one.split(";")[0]).join("; ");

interface Stream {
  readonly contentType: string;
  readonly encoding: string | undefined;
  /** Waits until the text has arrived. */
  until(text: string): Promise<void>;
  close(): void;
}

function openStream(world: AppsWorld, path: string, cookie: string): Promise<Stream> {
  const name = world.nameOf("tg");
  return new Promise((resolve, reject) => {
    const headers = { host: name, cookie, accept: "text/event-stream", "accept-encoding": "gzip, zstd" };
    const options = { host: world.sandbox.host.address, servername: name, path, rejectUnauthorized: false, headers };
    const request = get({ ...options, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      const { "content-type": contentType = "", "content-encoding": encoding } = response.headers;
      resolve({
        contentType,
        encoding,
        async until(wanted) {
          const end = Date.now() + 15_000;
          while (!text.includes(wanted)) {
            if (Date.now() > end) throw new Error(`the stream gave ${JSON.stringify(text)}, not ${wanted}`);
            await new Promise((again) => setTimeout(again, 100));
          }
        },
        close: () => request.destroy(),
      });
    });
    request.on("error", reject);
  });
}
