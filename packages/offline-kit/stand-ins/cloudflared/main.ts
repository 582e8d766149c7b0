// Stand-in for cloudflared 2026.7.3 (https://github.com/cloudflare/cloudflared), which no package registry has: the same
// options and the same token, but its edge is the test that listens at the token's `e` (`host:port`) in Cloudflare's place.
import { readFileSync } from "node:fs";
import { createServer, get } from "node:http";
import { type Socket, connect } from "node:net";
import { z } from "zod";

/** Where the tunnel's public host name leads, as the settings' description tells the operator to configure it. */
const origin = { host: "web", port: 8080 };
/** Connections that wait at the edge for a visitor. */
const waiting = 2;

const token = z.object({ a: z.string(), t: z.string(), s: z.string(), e: z.string().regex(/^[\d.]+:\d+$/) });

function fail(fault: string): never {
  process.stderr.write(`stand-in for cloudflared: ${fault}\n`);
  process.exit(1);
}

// The image's own first word, which a command line comes behind.
const given = process.argv.slice(2);
const words = given[0] === "--no-autoupdate" ? given.slice(1) : given;
const metrics = words[words.indexOf("--metrics") + 1] ?? "";
const [host = "", port = ""] = metrics.split(":");
if (words[0] !== "tunnel" || host !== "127.0.0.1") fail(`unknown command line: ${words.join(" ")}`);
if (words.at(-1) === "ready") askReady();
else if (words.at(-1) === "run" && words.includes("--no-autoupdate")) run();
else fail(`unknown command line: ${words.join(" ")}`);

function askReady(): void {
  const request = get({ host, port, path: "/ready" }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1));
  request.on("error", () => process.exit(1));
}

function run(): void {
  if (process.getuid?.() !== 65532) fail("its image's user is 65532");
  const file = process.env["TUNNEL_TOKEN_FILE"] ?? fail("TUNNEL_TOKEN_FILE is not set");
  const {
    t: tunnel,
    s: secret,
    e: edge,
  } = token.parse(JSON.parse(Buffer.from(readFileSync(file, "utf8"), "base64").toString()));
  let registered = 0;
  const dial = () => {
    const [edgeHost = "", edgePort] = edge.split(":");
    const socket = connect(Number(edgePort), edgeHost, () => socket.write(`${JSON.stringify({ tunnel, secret })}\n`));
    socket.once("data", (answer: Buffer) => {
      const yes = Buffer.from("registered\n");
      if (!answer.subarray(0, yes.length).equals(yes)) fail("the edge refused the token");
      registered += 1;
      socket.pause();
      // What follows, be it at once, is a visitor's.
      if (answer.length > yes.length) socket.unshift(answer.subarray(yes.length));
      socket.once("readable", () => {
        forward(socket);
      });
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      registered = Math.max(0, registered - 1);
      setTimeout(dial, 500);
    });
  };
  for (let each = 0; each < waiting; each += 1) dial();
  createServer((_request, response) => response.writeHead(registered > 0 ? 200 : 503).end()).listen(Number(port), host);
}

function forward(visitor: Socket): void {
  const web = connect(origin.port, origin.host);
  web.on("error", () => visitor.destroy());
  visitor.on("error", () => web.destroy());
  visitor.pipe(web).pipe(visitor);
}
